"""How a request says who sends it, where no certificate does: a token, a file with one, a name and a password."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import httpx2

from nuages.errors import UsageError
from nuages.kube.config import ANEW, IMPERSONATES, Access
from nuages.kube.credentials import ExecPlugin, sendable


def signing(access: Access) -> httpx2.Auth | None:
    """What signs the requests of a user; None where nothing does. A file comes before a token, as with kubectl.

    https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/#AuthInfo

    Raises:
        UsageError: by something that no kubectl of today knows either; or as somebody else, who may do less.
    """
    user = access.user
    if other := next((user[name] for name in IMPERSONATES if user.get(name)), None):
        raise UsageError(
            f"context {access.context} cannot be used: it acts as {other}, and nuages acts as who has its credentials",
            hint="--context names one that has its own",
        )
    if access.exec:
        return ExecPlugin(access.exec, {"server": access.server})
    if file := user.get("tokenFile"):
        return TokenFile(Path(file))
    if token := user.get("token"):
        return Token(sendable(token, f"context {access.context} cannot be used: it has"))
    if user.get("username") and user.get("password"):
        return httpx2.BasicAuth(user["username"], user["password"])
    if user.get("auth-provider"):
        raise UsageError(
            f"context {access.context} cannot be used: auth-provider is gone since Kubernetes 1.26",
            hint="write the kubeconfig anew with your provider's tool of today",
        )
    return None


class Token(httpx2.Auth):
    """The same token for every request."""

    def __init__(self, token: str) -> None:
        """Keep it."""
        self._token = token

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Sign the request."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class TokenFile(httpx2.Auth):
    """A token that somebody renews in a file, as the kubelet does a pod's own: read again after a 401."""

    def __init__(self, file: Path) -> None:
        """Remember where."""
        self._file = file
        self._token = ""

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Sign the request, and once more with what the file has then when it is refused."""
        self._token = self._token or self._read()
        request.headers["Authorization"] = f"Bearer {self._token}"
        response = yield request
        if response.status_code == httpx2.codes.UNAUTHORIZED:
            self._token = self._read()
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request

    def _read(self) -> str:
        try:
            token = self._file.read_text(errors="replace")
        except OSError as error:
            raise UsageError(f"the token cannot be read: {error}", hint=ANEW) from error
        return sendable(token, f"{self._file} has")
