"""What a registry's refusal means, as one line and a hint. Pure: an answer in, an error out.

The codes: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
"""

from __future__ import annotations

import json
from typing import NamedTuple

from nuages.errors import PushFailed

LATER = frozenset({408, 425, 429, 500, 502, 503, 504})  # worth asking again
_READ_ONLY = frozenset({"UNSUPPORTED", "READ_ONLY"})
_LONGEST = 200  # characters of a registry's own words


class Answer(NamedTuple):
    """What is known of a request that was refused; `user` is "" where nobody was named, `source` keeps the login."""

    status: int
    body: bytes
    registry: str
    repository: str
    what: str
    user: str = ""
    source: str = ""


def failure(answer: Answer) -> PushFailed:
    """The error that says what to do; no credential is in it."""
    codes, words = _words(answer.body)
    where, name = answer.registry, f"{answer.registry}/{answer.repository}"
    match answer.status:
        case 401 | 403 if not answer.user:
            message, hint = f"{where} takes nothing for {name} from somebody unknown", f"docker login {where}"
        case 401:
            message = f"{where} does not accept the credentials of {answer.user}"
            hint = f"docker login {where}; they were read from {answer.source}"
        case 403:
            message = f"{answer.user} may not push to {name}"
            hint = f"ask for the right to push there, or correct `image`; the credentials are from {answer.source}"
        case 404 if "NAME_UNKNOWN" in codes or not codes:
            message = f"{where} has no repository {answer.repository}, or is no registry"
            hint = "make it there (some registries want that before the first push), or correct `image`"
        case 405 | 501:
            message, hint = f"{where} takes no images: it is read-only", "push to the registry that it mirrors"
        case 400 if _READ_ONLY & codes:
            message, hint = f"{where} takes no images: it is read-only", "push to the registry that it mirrors"
        case 400 if "NAME_INVALID" in codes:
            message, hint = f"{where} does not accept the name {answer.repository}", "correct `image`"
        case 400 if "DIGEST_INVALID" in codes:
            message, hint = (
                f"{answer.what} arrived at {where} damaged",
                "try again; a proxy in between may change bytes",
            )
        case 413:
            message = f"{answer.what} is too large for {where}"
            hint = "raise its limit, or that of the proxy before it (client_max_body_size)"
        case 429:
            message, hint = f"{where} asks for patience: too many requests", "try again in some minutes"
        case 507:
            message, hint = f"{where} has no space left", ""
        case status if status in LATER:
            message, hint = f"{where} fails at {answer.what}: {status}", "try again; what has arrived is not sent again"
        case status:
            message, hint = f"{where} refuses {answer.what}: {status}", ""
    return PushFailed(message, detail=words, hint=hint)


def _words(body: bytes) -> tuple[set[str], str]:
    """The codes of an OCI error, and its own words on one line; nothing where it is no such answer (an HTML page)."""
    try:
        errors = [error for error in json.loads(body)["errors"] if isinstance(error, dict)]
    except (ValueError, KeyError, TypeError):
        return set(), ""
    said = "; ".join(str(error.get("message") or error.get("code")) for error in errors)
    return {str(error.get("code")) for error in errors}, " ".join(said.split())[:_LONGEST]
