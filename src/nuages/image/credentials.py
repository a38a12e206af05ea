"""Who pushes: what `docker login`, `podman login` or a credential helper has kept for a registry.

Asked in this order, as Docker does: `credHelpers` of that registry, `credsStore`, `auths`. The files:
$DOCKER_CONFIG/config.json or ~/.docker/config.json, then Podman's ($REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/).
The protocol of helpers: https://github.com/docker/docker-credential-helpers (the registry's name on stdin, JSON back).
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nuages.errors import CommandFailed, MissingTool, PushFailed
from nuages.host.command import run

# Under which names Docker Hub's credentials are kept.
HUB = ("https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io")
_HELPER = re.compile(r"[A-Za-z0-9][\w.-]*")
_UNKNOWN = "credentials not found"  # what every helper says where it has none
_TOKEN = "<token>"  # noqa: S105 - the user's name of an identity token, by the helpers' protocol


class Credentials(NamedTuple):
    """A name and a password, or one of two sorts of token; `source` says where they are kept."""

    user: str = ""
    password: str = ""
    identity: str = ""
    """A refresh token: exchanged for a token of the registry at its token server."""
    bearer: str = ""
    """A token of the registry itself."""
    source: str = ""

    def __repr__(self) -> str:
        return f"Credentials({self.user!r} from {self.source})"  # never the rest: it ends in a traceback

    @property
    def basic(self) -> str:
        """The value of an Authorization header by RFC 7617."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def find(registry: str, environ: Mapping[str, str] | None = None) -> Credentials | None:
    """What is kept for a registry ("registry.example.com:5000", "docker.io"); None where nothing is.

    Raises:
        PushFailed: a file is not JSON, or a helper fails with something else than "I have none".
    """
    environ = os.environ if environ is None else environ
    for path in _files(environ):
        config = _read(path)
        helper = _map(config, "credHelpers").get(registry) or config.get("credsStore")
        if helper and (found := _asked(str(helper), registry)):
            return found
        auths = _map(config, "auths")
        for name in _names(registry):
            if isinstance(entry := auths.get(name), dict) and (found := _kept(entry, path)):
                return found
    return None


def _map(config: dict[str, Any], name: str) -> dict[str, Any]:
    """A map of the file; what is null or something else says nothing."""
    return found if isinstance(found := config.get(name), dict) else {}


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    home = Path(environ.get("HOME") or Path.home())
    yield Path(environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    if named := environ.get("REGISTRY_AUTH_FILE"):
        yield Path(named)
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "containers" / "auth.json"
    yield home / ".config" / "containers" / "auth.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        hint = "correct it, or set DOCKER_CONFIG to another folder"
        # The parser's own words would quote the line, and there the password is.
        raise PushFailed(
            f"the registry's credentials cannot be read: {type(error).__name__}", place=str(path), hint=hint
        ) from None
    return content if isinstance(content, dict) else {}


def _names(registry: str) -> Iterator[str]:
    """Under which names the credentials of one registry are found in `auths`; old logins wrote a URL."""
    if registry == "docker.io":
        yield from HUB
    for name in (registry, f"https://{registry}", f"http://{registry}"):
        yield from (name, f"{name}/", f"{name}/v1/", f"{name}/v2/")


def _kept(entry: dict[str, Any], path: Path) -> Credentials | None:
    source = str(path)
    user, password = str(entry.get("username") or ""), str(entry.get("password") or "")
    if entry.get("auth"):
        try:
            user, _, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
        except (binascii.Error, ValueError, TypeError):
            raise PushFailed("what is kept for the registry is not base64", place=source, hint="log in again") from None
    found = Credentials(
        user,
        password.rstrip("\0"),
        str(entry.get("identitytoken") or ""),
        str(entry.get("registrytoken") or ""),
        source,
    )
    return found if found.identity or found.bearer or found.user else None


def _asked(helper: str, registry: str) -> Credentials | None:
    """What a helper answers; it is asked for Docker Hub by the name that `docker login` stores."""
    program = f"docker-credential-{helper}"
    if not _HELPER.fullmatch(helper):
        raise PushFailed(f"{helper!r} cannot be the name of a credential helper", hint="correct Docker's config.json")
    try:
        answer = run([program, "get"], stdin=HUB[0] if registry == "docker.io" else registry)
    except MissingTool as missing:
        raise PushFailed(
            f"{program} is not installed, and Docker's config.json says that it keeps the credentials of {registry}",
            hint="install it, or log in with an empty DOCKER_CONFIG",
        ) from missing
    except CommandFailed as failed:
        if _UNKNOWN in failed.detail:
            return None
        raise PushFailed(
            f"{program} does not give the credentials of {registry}",
            detail=failed.detail,
            hint=f"docker login {registry}",
        ) from None
    try:
        said = json.loads(answer)
        user, secret = str(said["Username"]), str(said["Secret"])
    except (ValueError, KeyError, TypeError):
        raise PushFailed(f"{program} answers with something that is no credential") from None
    if not secret:
        return None
    return Credentials(identity=secret, source=program) if user == _TOKEN else Credentials(user, secret, source=program)
