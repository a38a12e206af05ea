"""How a build reaches package registries: what this machine knows of proxies, indexes and certificates, and no more.

A credential may be in any of it, so it travels in a file that only the build sees, never in argv.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from nuages.image.container import Volume

CERTIFICATES = "/run/nuages/certificates.pem"
SYSTEM_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"  # Debian's package ca-certificates
NPMRC = "/run/nuages/npmrc"
PYTHON, NODE = "python", "node"
TOOLS = (PYTHON, NODE)
_PROXY = re.compile(r"^(https?|no|all)_proxy$", re.IGNORECASE)
_INDEX = {
    PYTHON: re.compile(r"^(PIP|UV)_", re.IGNORECASE),
    NODE: re.compile(r"^(NPM_CONFIG|YARN)_", re.IGNORECASE),
}
_NOT_INDEX = re.compile(
    r"^(PIP|UV)_(CERT|FIND_LINKS|CACHE_DIR|PYTHON|PROJECT|TOOL|TARGET|PREFIX|PUBLISH|REQUIRE_VIRTUALENV|CONFIG_FILE)"
    r"|^NPM_CONFIG_(CACHE|PREFIX|USERCONFIG|GLOBALCONFIG|CAFILE)$",
    re.IGNORECASE,
)
# Where Debian and Python look for certificates, and what the machine's own bundle is called by other tools.
_CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s`'\"]+@")


def variables(
    environ: Mapping[str, str], names: Iterable[str] = (), *, tools: Collection[str] = TOOLS
) -> dict[str, str]:
    """What the installers `tools` must know of this machine to reach their registries, in uv's and npm's words too; and
    the variables that the project's own index lines name. Without tools: only how the network is reached.

    What runs there runs code of packages, so it gets the credentials of its own registry and of no other.
    """
    patterns = [_PROXY, *(_INDEX[tool] for tool in tools)]
    found = {
        name: value
        for name, value in environ.items()
        if any(pattern.match(name) for pattern in patterns) and not _NOT_INDEX.match(name)
    }
    for old, new in (("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), ("PIP_EXTRA_INDEX_URL", "UV_INDEX")):
        if old in found:
            found.setdefault(new, found[old])
    found |= {name: environ[name] for name in names if name in environ}
    if trusted(environ):
        found |= dict.fromkeys(("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO"), CERTIFICATES)
    if NODE in tools and npmrc(environ).is_file():
        found["NPM_CONFIG_USERCONFIG"] = NPMRC
    return found


def trusted(environ: Mapping[str, str]) -> Path | None:
    """The certificates that this machine trusts: behind an inspecting proxy the image's own do not do."""
    named = [environ[name] for name in _CERTIFICATES if environ.get(name)]
    return next((Path(file) for file in (*named, SYSTEM_CERTIFICATES) if Path(file).is_file()), None)


def npmrc(environ: Mapping[str, str]) -> Path:
    """The user's own settings of npm: a private registry and its token are in there."""
    return Path(environ.get("NPM_CONFIG_USERCONFIG") or Path(environ.get("HOME", "/nowhere")) / ".npmrc")


def volumes(tools: Collection[str] = TOOLS) -> list[Volume]:
    """The files that `variables` names."""
    file = trusted(os.environ)
    found = [Volume(file, CERTIFICATES)] if file else []
    settings = npmrc(os.environ)
    return [*found, Volume(settings, NPMRC)] if NODE in tools and settings.is_file() else found


def shell(exported: Mapping[str, str]) -> str:
    """Variables as lines that a shell reads; npm has some that no shell can name (npm_config_//host/:_authToken)."""
    named = ((name, value) for name, value in exported.items() if _NAME.fullmatch(name))
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in named)


def without_credentials(text: str) -> str:
    """The same with no user and password in any URL."""
    return _CREDENTIALS.sub("", text)
