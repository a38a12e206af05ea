"""Requests to one registry: who asks (basic, or a token from its token server), over what, and asking again.

The flow of tokens: https://distribution.github.io/distribution/spec/auth/token/ (oauth/ for identity tokens).
"""

from __future__ import annotations

import os
import re
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import httpx2

from nuages.errors import PushFailed
from nuages.image import credentials
from nuages.image.registry_failures import LATER, Answer, failure

# Hosts besides this machine that are asked over plain http where they speak no TLS; by commas.
INSECURE = "NUAGES_INSECURE_REGISTRIES"
ATTEMPTS = 5
_LONGEST_PAUSE = 8.0  # seconds, of what Retry-After may ask for too
_TIMEOUT = httpx2.Timeout(60, connect=10)
_LOCAL = re.compile(r"(localhost|127(\.\d+){3}|\[::1\])(:\d+)?")
_CERTIFICATES = ("/etc/docker/certs.d", "/etc/containers/certs.d")
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")

Body = Callable[[], Iterable[bytes]]


class Repository(NamedTuple):
    """Where an image goes: a registry as references write it, and the name in it."""

    registry: str
    name: str

    @classmethod
    def of(cls, reference: str) -> Repository:
        """Read a reference without tag and digest as Docker does: acme/blog is docker.io/acme/blog."""
        first, slash, rest = reference.partition("/")
        if slash and ("." in first or ":" in first or first == "localhost"):
            return cls("docker.io" if first == "index.docker.io" else first, rest)
        return cls("docker.io", reference if slash else f"library/{reference}")

    @property
    def host(self) -> str:
        """Where it is reached."""
        return "registry-1.docker.io" if self.registry == "docker.io" else self.registry


class Lost(Exception):
    """No answer, or one that says "later": worth trying again; `error` is what to say where that does not help."""

    def __init__(self, error: PushFailed, after: float | None = None) -> None:
        """Keep the error, and how many seconds the registry asked for."""
        super().__init__(error.message)
        self.error = error
        self.after = after


class Client:
    """Speaks with one registry about one repository; used by several threads at once."""

    def __init__(self, repository: Repository, environ: Mapping[str, str] | None = None) -> None:
        """Prepare; the first request finds out whether it is https or, where that is allowed, http.

        Raises:
            PushFailed: credentials or certificates that are there cannot be read.
        """
        environ = os.environ if environ is None else environ
        self.repository = repository
        self._local = _LOCAL.fullmatch(repository.host) is not None
        self._insecure = frozenset(re.split(r"[\s,]+", environ.get(INSECURE, "")))
        self._plain = self._local or repository.host in self._insecure
        self._known = credentials.find(repository.registry, environ)
        self._origin = f"https://{repository.host}"
        self._authorization = ""
        self._lock = threading.Lock()
        # A proxy of the environment is for what is away from here.
        self._http = httpx2.Client(verify=_trust(repository.host), timeout=_TIMEOUT, trust_env=not self._local)
        self.sources: set[str] = set()
        """Repositories of the same registry that layers may be mounted from; a token must name them."""

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()

    def connect(self) -> None:
        """Find the registry, and sign in.

        Raises:
            PushFailed: it is not there, is no registry, or does not know us.
        """
        try:
            answer = self.send("GET", "/v2/", "the question who we are", expected={200, 401, 403, 404})
        except PushFailed as error:
            if not self._plain or not any(word in str(error.__cause__) for word in _NO_TLS):
                raise
            self._origin = f"http://{self.repository.host}"
            answer = self.send("GET", "/v2/", "the question who we are", expected={200, 401, 403, 404})
        if answer.status_code in {200, 404} and "html" in answer.headers.get("content-type", ""):
            raise PushFailed(f"{self.repository.registry} answers, but is no registry", hint="correct `image`")

    @property
    def user(self) -> str:
        """Who asks, as far as it has a name."""
        known = self._known
        return (known.user or "by token") if known else "as nobody"

    def path(self, rest: str) -> str:
        """The path of something in the repository."""
        return f"/v2/{self.repository.name}/{rest}"

    def send(
        self,
        method: str,
        to: str,
        what: str,
        *,
        body: bytes | Body | None = None,
        headers: Mapping[str, str] | None = None,
        expected: Collection[int] = (),
    ) -> httpx2.Response:
        """Send until there is an answer: a success, or one of the status codes that the caller expects.

        Raises:
            PushFailed: every other answer, and none.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                return self.once(method, to, what, body=body, headers=headers, expected=expected)
            except Lost as lost:
                if attempt == ATTEMPTS:
                    raise lost.error from lost.__cause__
                time.sleep(pause(attempt, lost.after))

    def once(
        self,
        method: str,
        to: str,
        what: str,
        *,
        body: bytes | Body | None = None,
        headers: Mapping[str, str] | None = None,
        expected: Collection[int] = (),
    ) -> httpx2.Response:
        """Send once, and again only where another token is needed; `to` is a path, or the URL of a Location header.

        Raises:
            Lost: worth trying again.
            PushFailed: not worth it.
        """
        url = self._url(to)
        response, used = self._sent(method, url, body, headers), self._authorization
        if response.status_code == httpx2.codes.UNAUTHORIZED and self._ours(url):
            self._authorize(response, used, what)
            response = self._sent(method, url, body, headers)
        if response.is_success or response.status_code in expected:
            return response
        error = self._failure(response, what)
        if response.status_code in LATER:
            raise Lost(error, _seconds(response.headers.get("retry-after")))
        raise error

    def _sent(
        self, method: str, url: str, body: bytes | Body | None, headers: Mapping[str, str] | None
    ) -> httpx2.Response:
        signed = {"Authorization": self._authorization} if self._authorization and self._ours(url) else {}
        content = body() if callable(body) else body
        try:
            return self._http.request(
                method,
                url,
                content=content,
                headers={**(headers or {}), **signed},
                follow_redirects=method in {"GET", "HEAD"},
            )
        except httpx2.TransportError as error:
            raise self._unreachable(error) from error

    def _url(self, to: str) -> str:
        """The URL of a path or Location; a registry behind a proxy may say http of itself, and is believed no such."""
        url = urljoin(self._origin, to)
        if urlsplit(url).hostname == urlsplit(self._origin).hostname and url.startswith("http:"):
            return self._origin.partition(":")[0] + url.removeprefix("http")
        return url

    def _ours(self, url: str) -> bool:
        """Whether a URL leads to the registry itself: only there our credentials go."""
        return urlsplit(url)[:2] == urlsplit(self._origin)[:2]

    def _trusted(self, realm: str) -> bool:
        """Whether a token server may see a password: over https, else only where plain http is allowed for itself."""
        parts = urlsplit(realm)
        allowed = self._plain and (_LOCAL.fullmatch(parts.netloc) or parts.netloc in self._insecure)
        return parts.scheme == "https" or (parts.scheme == "http" and bool(allowed))

    def _authorize(self, response: httpx2.Response, used: str, what: str) -> None:
        """Get what the registry asks for, once for all threads; with `used` it refused."""
        with self._lock:
            if self._authorization != used:
                return
            offered = _challenges(response.headers.get_list("www-authenticate"))
            if "bearer" in offered:
                authorization = f"Bearer {self._token(offered['bearer'], what)}"
            elif "basic" in offered and self._known and self._known.user:
                authorization = self._known.basic
            else:
                authorization = ""
            if not authorization or (authorization == used):
                raise self._failure(response, what)
            self._authorization = authorization

    def _token(self, asked: Mapping[str, str], what: str) -> str:
        known, realm = self._known, asked.get("realm", "")
        if known and known.bearer:
            return known.bearer
        if known and not self._trusted(realm):
            raise PushFailed(f"{self.repository.registry} wants the password sent to {realm}, which is not https")
        scopes = [f"repository:{self.repository.name}:pull,push"]
        scopes += [f"repository:{name}:pull" for name in sorted(self.sources - {self.repository.name})]
        service = {"service": asked["service"]} if "service" in asked else {}
        try:
            if known and known.identity:
                granted = {"grant_type": "refresh_token", "refresh_token": known.identity, "client_id": "nuages"}
                response = self._http.post(realm, data={**granted, **service, "scope": " ".join(scopes)})
            else:
                signed = {"Authorization": known.basic} if known else {}
                account = {"account": known.user} if known else {}
                response = self._http.get(realm, params={**service, **account, "scope": scopes}, headers=signed)
        except (httpx2.TransportError, httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise self._unreachable(error, urlsplit(realm).netloc) from error
        if response.status_code in LATER:
            raise Lost(self._failure(response, what), _seconds(response.headers.get("retry-after")))
        if not response.is_success:
            raise self._failure(response, what)
        try:
            said = response.json()
            return str(said.get("token") or said["access_token"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise PushFailed(f"{urlsplit(realm).netloc} gives no token for {self.repository.registry}") from None

    def _failure(self, response: httpx2.Response, what: str) -> PushFailed:
        known = self._known
        named = (known.user or "a stored token" if known else "", known.source if known else "")
        return failure(Answer(response.status_code, response.content, *self.repository, what, *named))

    def _unreachable(self, error: Exception, host: str = "") -> PushFailed | Lost:
        """Say who did not answer, and how; the causes carry no header and so no token."""
        where, said = host or self.repository.registry, str(error) or type(error).__name__
        if "CERTIFICATE_VERIFY_FAILED" in said:
            trusted = f"put its authority into {_CERTIFICATES[0]}/{where}/ca.crt, or name it in SSL_CERT_FILE"
            failed = PushFailed(f"{where} does not prove that it is the right registry: {said}", hint=trusted)
        elif any(word in said for word in _NO_TLS):
            hint = f"where that is meant: {INSECURE}={where}"
            failed = PushFailed(f"{where} speaks no TLS, and passwords are not sent without", hint=hint)
        else:
            hint = "is `image` right, and this machine online?"
            return Lost(PushFailed(f"no answer from {where}: {said}", hint=hint))
        failed.__cause__ = error
        return failed


def pause(attempt: int, asked_for: float | None = None) -> float:
    """Seconds before the next attempt: what the registry asks for, else 0.2, 0.4, 0.8, ..."""
    return min(asked_for if asked_for is not None else 0.2 * 2 ** (attempt - 1), _LONGEST_PAUSE)


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdigit() else None


def _challenges(headers: Iterable[str]) -> dict[str, dict[str, str]]:
    """Scheme in lower case -> its parameters; one header may have several (RFC 9110, 11.6.1)."""
    found: dict[str, dict[str, str]] = {}
    for header in headers:
        for scheme, parameters in re.findall(r'(?i)(bearer|basic)((?:\s*,?\s*\w+="[^"]*")*)', header):
            found[scheme.lower()] = dict(_PARAMETER.findall(parameters))
    return found


def _trust(host: str) -> ssl.SSLContext:
    """What this machine trusts, what SSL_CERT_FILE names, and what Docker keeps for this very registry."""
    context = ssl.create_default_context()
    # Authorities that companies made long ago lack extensions that Python >= 3.13 insists on, and Docker does not.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    try:
        for folder in (Path(base) / host for base in _CERTIFICATES):
            for authority in sorted(folder.glob("*.crt")):
                context.load_verify_locations(authority)
            for certificate in sorted(folder.glob("*.cert")):
                context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    except (OSError, ssl.SSLError) as error:
        raise PushFailed(f"a certificate for {host} cannot be read: {error}", place=str(folder)) from error
    return context
