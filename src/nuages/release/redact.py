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
_USERINFO = r"(?P<scheme>\b[a-zA-Z][\w+.-]*://)(?P<user>[^\s:/@\"']*):(?P<password>[^\s\"']*)@"
# A token that stands where the user does, as in Sentry's DSN: https://KEY@host/1.
_KEY = r"(?P<scheme>\bhttps?://)(?P<key>[^\s:/@\"']{16,})@"
# ?password=, &token=, &sig= of a URL, and password=... of libpq's own form.
_PARAMETER = (
    r"(?i)(?P<name>(?:^|[?&;\s\"'])[\w.-]*(?:pass(?:word|wd)?|pwd|secret|token|signature|sig|(?:api|access|account|shared)[_-]?(?:access)?key)[\w.-]*=)"
    r"(?P<value>'[^']*'|\"[^\"]*\"|[^\s&;\"']+)"
)
# "password": "...", 'SECRET_KEY': '...': of JSON, and as Python shows a dict.
_MEMBER = (
    r"(?i)(?P<name>(?P<quote>\\?[\"'])[\w.-]*(?:pass(?:word|wd)?|pwd|secret|token|signature|api[_-]?key|access[_-]?key|private[_-]?key)[\w.-]*"
    r"(?P=quote)\s*:\s*)(?P<value>b?(?P<ends>\\?[\"'])(?:(?!(?P=ends))(?:\\.|[^\\]))*(?P=ends))"
)
# ALTER ROLE x PASSWORD '…', CREATE USER x IDENTIFIED BY '…'.
_SQL = r"(?i)(?P<words>\b(?:PASSWORD|IDENTIFIED\s+BY)\s+)(?P<value>E?'(?:[^']|'')*')"
# Whoever knows the path of one posts there.
_HOOK = r"(?P<host>\bhttps://(?:hooks\.slack\.com/(?:services|workflows|triggers)|(?:\w+\.)?discord(?:app)?\.com/api/webhooks)/)[^\s\"']+"
_BEARER = r"\b(?P<scheme>Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}"
_ARMOUR = r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
# Names by which people call what is secret; the word stands alone between underscores, dashes, dots or humps.
_NAME = (
    r"(?i)(?:^|[_.\-])(?:pass|dbpass|[a-z]*passwd|[a-z]*passwords?|requirepass|passphrase|pwd|[a-z]*secret|secrets|[a-z]*token|tokens|"
    r"credential|credentials|creds|pat|dsn|salt|"
    r"(?:api|access|private|secret|signing|encryption|auth|account|license|service|webhook|rsa|ssh|hmac|fernet)[_.\-]?keys?|"
    r"key|keys|jwt|cookie|signature|bearer)(?:$|[_.\-\d])"
)
# Of those with `key` or `token` in their name, what is public by what else is in it.
_PUBLIC = r"(?i)public|publishable|_id$|_name$|_prefix$|_url$|_file$|_path$|_header$|_age$|_lifetime$|_ttl$"


def text(said: str) -> str:
    """A text without the passwords that are in its URLs, parameters and keys."""
    if "-----BEGIN" in said:
        said = re.sub(_ARMOUR, f"-----PRIVATE KEY {HIDDEN}-----", said)
    if "://" in said:
        said = re.sub(_USERINFO, rf"\g<scheme>\g<user>:{HIDDEN}@", said)
        said = re.sub(_HOOK, rf"\g<host>{HIDDEN}", said)
        said = re.sub(_KEY, rf"\g<scheme>{HIDDEN}@", said)
    if "'" in said:
        said = re.sub(_SQL, rf"\g<words>'{HIDDEN}'", said)
    if ":" in said:
        said = re.sub(_MEMBER, rf"\g<name>\g<ends>{HIDDEN}\g<ends>", said)
    if "=" in said:
        said = re.sub(_PARAMETER, rf"\g<name>{HIDDEN}", said)
    if "Bearer" in said or "Basic" in said:
        said = re.sub(_BEARER, rf"\g<scheme> {HIDDEN}", said)
    return said


def secret(name: str) -> bool:
    """Whether a variable is called like one that holds a secret: SENTRY_DSN, stripe-api-key, dbPassword."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return bool(re.search(_NAME, parted)) and not re.search(_PUBLIC, parted)


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
