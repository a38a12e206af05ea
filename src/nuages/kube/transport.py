"""Requests that arrive: one pool of kept connections, bounded repetition, and every failure as a `ClusterError`.

What is repeated: a connection that could not be made (nothing was sent), an answer that says "later" (429, 5xx), and,
where doing a thing twice is doing it once, a connection lost on the way. A dead server is told within two seconds; one
that answered before is waited for longer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx2

from nuages.errors import ClusterError, Unreachable, UsageError
from nuages.kube import tls
from nuages.kube.config import Access
from nuages.kube.failures import Asked, Later, failure
from nuages.kube.signing import signing
from nuages.kube.streams import Way

PATIENCE = 1.5  # seconds until a connection is there: a server that restarts is back sooner, or much later
PATIENT = 15.0  # the same, of a server that answered before: it, or we, have much to do just now
_ATTEMPTS = 5  # for a server that answers "later"
_LONGEST_PAUSE = 5.0  # seconds; of what Retry-After may ask for
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"  # OpenSSL's word; asking again changes nothing
_PROXIED = "proxy-url in the kubeconfig, or HTTPS_PROXY and NO_PROXY in the environment, decide whether it is asked"
_HINT = "is the cluster running, and the context the right one? For a local cluster: nuages cluster up"
_HINTS = (
    ("certificate has expired", "the server's certificate has expired: whoever runs the cluster renews it"),
    ("not valid for", "the server's certificate has other names than the one in the kubeconfig: take one of those"),
    (_UNTRUSTED, "the kubeconfig names another certificate authority: was the cluster made anew since it was written?"),
    ("WRONG_VERSION_NUMBER", "what listens there speaks no HTTPS: is it the API server's port?"),
    ("alert", "the server refuses our certificate: it has expired, or belongs to another cluster; write it anew"),
    ("Errno -", "its name is not resolved: is the VPN up, the cluster still there, and the context the right one?"),
)
"""What to do, by OpenSSL's and the resolver's words (`socket.gaierror` has negative numbers); the first that fits."""

_POOL = httpx2.Limits(max_connections=64, max_keepalive_connections=32, keepalive_expiry=90)
_TIMEOUT = httpx2.Timeout(30, connect=PATIENCE, pool=60)


class _Contact:
    """The way to a connection: bounded as a whole (TCP, a proxy and TLS together), and closed where it is given up.

    The library bounds each part alone, and closes a connection amid its TLS handshake after an error, not when
    cancelled. It tells of each step by its `trace` extension: https://www.encode.io/httpcore/extensions/#trace
    """

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.deadline = asyncio.timeout(None)

    async def __call__(self, event: str, told: Mapping[str, Any]) -> None:
        if event.endswith("connect_tcp.started"):
            self.deadline.reschedule(asyncio.get_running_loop().time() + self.patience)
        elif event.endswith("connect_tcp.complete"):
            self._connection = told["return_value"]
        elif event.endswith("start_tls.failed"):
            await self._connection.aclose()
        elif event.endswith("send_request_headers.started"):
            self.deadline.reschedule(None)


class Transport:
    """A pool of connections to one API server as one user."""

    def __init__(self, access: Access) -> None:
        """Prepare; nothing is sent before the first request.

        Raises:
            UsageError: a certificate or key that the kubeconfig names cannot be read, or its proxy not be used.
        """
        self._tls, self._server, self._proxy = tls.context(access), access.server, access.proxy
        self._auth = signing(access)
        try:
            self._http = httpx2.AsyncClient(
                base_url=access.server,
                verify=self._tls,
                auth=self._auth,
                timeout=_TIMEOUT,
                proxy=access.proxy,
                limits=_POOL,
            )
        except (httpx2.InvalidURL, ValueError, ImportError):  # with the proxy's password in their words
            raise UsageError(
                f"context {access.context} cannot be used: its proxy is none of http://HOST:PORT or https://HOST:PORT",
                hint="proxy-url in the kubeconfig, or HTTPS_PROXY and ALL_PROXY in the environment, name it",
            ) from None
        self._answered = False
        self._first = asyncio.Lock()
        self._where = f"{access.server} (context {access.context})"

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def send(
        self,
        method: str,
        path: str,
        asked: Asked,
        *,
        parameters: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        idempotent: bool = True,
        expected: frozenset[int] = frozenset(),
    ) -> httpx2.Response:
        """Send until there is an answer: a success, or one of the status codes `expected` by the caller.

        Raises:
            ClusterError: every other answer, and none.
        """
        request = self._http.build_request(
            method,
            path,
            params=parameters,
            content=body,
            headers={"Accept": accept, "Content-Type": content_type},
        )
        begun, attempt = time.monotonic(), 0
        while True:
            attempt += 1
            try:
                response = await self._sent(request)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                problem: ClusterError = self._unreachable(error)
                again = time.monotonic() - begun + _pause(attempt) < PATIENCE and _UNTRUSTED not in str(error)
            except httpx2.TransportError as error:
                problem = self._unreachable(error)
                again = idempotent and not isinstance(error, httpx2.TimeoutException) and attempt < _ATTEMPTS
            else:
                if response.is_success or response.status_code in expected:
                    return response
                problem = failure(response.status_code, response.content, asked, response.headers.get("Retry-After"))
                again = isinstance(problem, Later) and attempt < _ATTEMPTS
                again = again and (idempotent or response.status_code == httpx2.codes.TOO_MANY_REQUESTS)
            if not again:
                raise problem
            await asyncio.sleep(_pause(attempt, problem))

    async def _sent(self, request: httpx2.Request, *, stream: bool = False) -> httpx2.Response:
        """The answer, or its beginning. Until one came, requests go one by one: many connections at once are slow to
        make on a busy machine, and that must not look like a server that is not there.
        """
        if not self._answered:
            async with self._first:
                if not self._answered:
                    return await self._exchanged(request, stream=stream)
        return await self._exchanged(request, stream=stream)

    async def _exchanged(self, request: httpx2.Request, *, stream: bool) -> httpx2.Response:
        """As `_sent`; the connection for it is made in time, or not at all."""
        contact = _Contact(PATIENT if self._answered else PATIENCE)
        request.extensions["trace"] = contact
        request.extensions["timeout"] = {**request.extensions.get("timeout", {}), "connect": contact.patience}
        try:
            async with contact.deadline:
                response = await self._http.send(request, stream=stream)
        except TimeoutError:
            raise httpx2.ConnectTimeout(f"no connection within {contact.patience:g} s", request=request) from None
        self._answered = True
        return response

    @asynccontextmanager
    async def lines(
        self, path: str, asked: Asked, parameters: Mapping[str, str], *, silence: float | None
    ) -> AsyncIterator[AsyncIterator[str]]:
        """Open a long answer and read it line by line; `silence` is how many seconds without a word are borne.

        Raises:
            ClusterError: no answer, a bad one, or a connection lost while reading.
        """
        async with self._opened(path, asked, parameters, silence) as response:
            yield response.aiter_lines()

    @asynccontextmanager
    async def chunks(
        self, path: str, asked: Asked, parameters: Mapping[str, str], *, silence: float | None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """As `lines`, in bytes as they come: what a program prints has other ends of lines than its own."""
        async with self._opened(path, asked, parameters, silence) as response:
            yield response.aiter_bytes()

    @asynccontextmanager
    async def _opened(
        self, path: str, asked: Asked, parameters: Mapping[str, str], silence: float | None
    ) -> AsyncIterator[httpx2.Response]:
        request = self._http.build_request(
            "GET", path, params=parameters, timeout=httpx2.Timeout(30, connect=PATIENCE, read=silence)
        )
        try:
            response = await self._sent(request, stream=True)
            async with aclosing(response):
                if not response.is_success:
                    await response.aread()
                    raise failure(response.status_code, response.content, asked, response.headers.get("Retry-After"))
                yield response
        except httpx2.TransportError as error:
            raise self._unreachable(error) from error

    async def way(self) -> Way:
        """How a connection of its own is made, as the same user."""
        request = self._http.build_request("GET", "/")
        if self._auth:
            signing = self._auth.async_auth_flow(request)
            request = await anext(signing)
            await signing.aclose()
        signed = {name: value for name, value in request.headers.items() if name == "authorization"}
        return Way(self._server, signed, self._tls, self._proxy)

    def _unreachable(self, error: httpx2.TransportError) -> Unreachable:
        """Say which server did not answer, and how; the causes carry no header and so no token."""
        # What cannot be sent is quoted by who refuses it, and may be a credential.
        said = "" if isinstance(error, httpx2.LocalProtocolError) else str(error)
        said = said.partition("\n")[0] or type(error).__name__
        if isinstance(error, httpx2.ProxyError):
            return Unreachable(f"no answer from {self._where}: the proxy says {said}", hint=_PROXIED)
        hint = next((hint for word, hint in _HINTS if word in said), _HINT)
        if _UNTRUSTED in said:
            return Unreachable(f"{self._where} does not prove that it is the right server: {said}", hint=hint)
        return Unreachable(f"no answer from {self._where}: {said}", hint=hint)


def _pause(attempt: int, problem: ClusterError | None = None) -> float:
    """Seconds before the next attempt: what the server asks for, else 0.1, 0.2, 0.4, ..."""
    asked_for = problem.after if isinstance(problem, Later) else None
    return min(asked_for if asked_for is not None else 0.1 * 2 ** (attempt - 1), _LONGEST_PAUSE)
