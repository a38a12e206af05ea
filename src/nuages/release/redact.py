"""What is secret, taken out of what a person is shown. Pure.

Three ways in: a Secret's values, variables whose name says that they hold one, and passwords inside of URLs, which may
be in any text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

HIDDEN = "***"

# user:password@ of a URL; a password may hold what a URL should have percent-encoded, so up to the last @ of the word.
_USERINFO = re.compile(r"(?P<scheme>\b[a-zA-Z][\w+.-]*://)(?P<user>[^\s:/@\"']*):(?P<password>[^\s\"']*)@")
# A token that stands where the user does, as in Sentry's DSN: https://KEY@host/1.
_KEY = re.compile(r"(?P<scheme>\bhttps?://)(?P<key>[^\s:/@\"']{16,})@")
# ?password=, &token=, &sig= of a URL, and password=... of libpq's own form.
_PARAMETER = re.compile(
    r"(?P<name>(?:^|[?&;\s\"'])[\w.-]*(?:pass(?:word|wd)?|pwd|secret|token|signature|sig|(?:api|access|account|shared)[_-]?(?:access)?key)[\w.-]*=)"
    r"(?P<value>'[^']*'|\"[^\"]*\"|[^\s&;\"']+)",
    re.IGNORECASE,
)
# "password": "...", 'SECRET_KEY': '...': of JSON, and as Python shows a dict.
_MEMBER = re.compile(
    r"(?P<name>(?P<quote>\\?[\"'])[\w.-]*(?:pass(?:word|wd)?|pwd|secret|token|signature|api[_-]?key|access[_-]?key|private[_-]?key)[\w.-]*"
    r"(?P=quote)\s*:\s*)(?P<value>b?(?P<ends>\\?[\"'])(?:(?!(?P=ends))(?:\\.|[^\\]))*(?P=ends))",
    re.IGNORECASE,
)
# ALTER ROLE x PASSWORD '…', CREATE USER x IDENTIFIED BY '…'.
_SQL = re.compile(r"(?P<words>\b(?:PASSWORD|IDENTIFIED\s+BY)\s+)(?P<value>E?'(?:[^']|'')*')", re.IGNORECASE)
# Whoever knows the path of one posts there.
_HOOK = re.compile(
    r"(?P<host>\bhttps://(?:hooks\.slack\.com/(?:services|workflows|triggers)|(?:\w+\.)?discord(?:app)?\.com/api/webhooks)/)[^\s\"']+"
)
_BEARER = re.compile(r"\b(?P<scheme>Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_ARMOUR = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL)
# Names by which people call what is secret; the word stands alone between underscores, dashes, dots or humps.
_NAME = re.compile(
    r"(?:^|[_.\-])(?:pass|dbpass|[a-z]*passwd|[a-z]*passwords?|requirepass|passphrase|pwd|[a-z]*secret|secrets|[a-z]*token|tokens|"
    r"credential|credentials|creds|pat|dsn|salt|"
    r"(?:api|access|private|secret|signing|encryption|auth|account|license|service|webhook|rsa|ssh|hmac|fernet)[_.\-]?keys?|"
    r"key|keys|jwt|cookie|signature|bearer)(?:$|[_.\-\d])",
    re.IGNORECASE,
)
# Of those with `key` or `token` in their name, what is public by what else is in it.
_PUBLIC = re.compile(
    r"public|publishable|_id$|_name$|_prefix$|_url$|_file$|_path$|_header$|_age$|_lifetime$|_ttl$", re.IGNORECASE
)


def text(said: str) -> str:
    """A text without the passwords that are in its URLs, parameters and keys."""
    said = _ARMOUR.sub(f"-----PRIVATE KEY {HIDDEN}-----", said)
    said = _USERINFO.sub(rf"\g<scheme>\g<user>:{HIDDEN}@", said)
    said = _HOOK.sub(rf"\g<host>{HIDDEN}", said)
    said = _KEY.sub(rf"\g<scheme>{HIDDEN}@", said)
    said = _SQL.sub(rf"\g<words>'{HIDDEN}'", said)
    said = _MEMBER.sub(rf"\g<name>\g<ends>{HIDDEN}\g<ends>", said)
    said = _PARAMETER.sub(rf"\g<name>{HIDDEN}", said)
    return _BEARER.sub(rf"\g<scheme> {HIDDEN}", said)


def secret(name: str) -> bool:
    """Whether a variable is called like one that holds a secret: SENTRY_DSN, stripe-api-key, dbPassword."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return bool(_NAME.search(parted)) and not _PUBLIC.search(parted)


def variable(name: str, value: str) -> str:
    """A variable's value, where its name allows to show it; otherwise what is left when its secret is taken out."""
    return HIDDEN if value and secret(name) else text(value)


def flags(value: Any) -> Any:
    """A command line without the value that stands behind a flag like --password."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return value
    hidden = [index + 1 for index, item in enumerate(value) if item.startswith("-") and secret(item.strip("-"))]
    return [
        HIDDEN if index in hidden and not item.startswith(("-", "$(")) else item for index, item in enumerate(value)
    ]


def known(values: list[str]) -> Callable[[str], str]:
    """What takes these very values out of any text, longest first; those of less than 4 characters would hit words."""
    found = sorted({value for value in values if len(value) >= 4}, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, found))) if found else None
    return lambda said: pattern.sub(HIDDEN, said) if pattern else said
