"""ALLOWED_HOSTS and CSRF_TRUSTED_ORIGINS, what tells Django that TLS ended before it, SECRET_KEY, DEBUG."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nuages_runtime.overlay.change import ADDED, KEPT, REPLACED, Change, World

# Made of nothing but such words, a key is a placeholder: "change-me", "super_secret_key!", "dev123".
_PLACEHOLDER = re.compile(
    r"(?:django|insecure|change|changeit|replace|your|my|the|a|me|it|this|to|in|for|with|and|not|so|very|super|top|secret|keep|key|"
    r"safe|unsafe|test|testing|tests|dev|develop|development|local|dummy|example|sample|default|fake|placeholder|random|string|"
    r"value|here|please|todo|fixme|production|prod|only|build|foo|bar|baz|abc|xyz|x+|\d+|[\W_])+",
    re.IGNORECASE,
)
# DEBUG, DJANGO_DEBUG, BLOG_DEBUG_MODE; not what has another program say more.
_DEBUG = re.compile(
    r"(?!(python|sentry|celery|gunicorn|uvicorn|werkzeug|otel|dd|aws|azure|grpc|sql|email|log|logging|template)_)"
    r"(\w+_)?debug(_mode|_enabled|_on)?",
    re.IGNORECASE,
)
_TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})


def hosts(world: World) -> Iterator[Change]:
    """The spec's hosts beside the project's own: a host that is missing answers 400 to every request."""
    own = _sequence(world.own.get("ALLOWED_HOSTS"))
    missing = [host for host in world.words("NUAGES_HOSTS") if not _allowed(host, own)]
    if missing:
        action = REPLACED if own else ADDED
        why = "the spec's hosts, beside the project's own" if own else "the spec's hosts"
        yield Change("ALLOWED_HOSTS", action, why, _same(world.own.get("ALLOWED_HOSTS"), [*own, *missing]))
    elif own:
        yield Change("ALLOWED_HOSTS", KEPT, "answers to the spec's hosts already")
    trusted = _sequence(world.own.get("CSRF_TRUSTED_ORIGINS"))
    absent = [origin for origin in world.words("NUAGES_ORIGINS") if not _trusted(origin, trusted)]
    if absent:
        value = _same(world.own.get("CSRF_TRUSTED_ORIGINS"), [*trusted, *absent])
        action = REPLACED if trusted else ADDED
        yield Change("CSRF_TRUSTED_ORIGINS", action, "forms are sent from the spec's hosts", value)


def proxy(world: World) -> Iterator[Change]:
    """Where TLS ends before the pod, the header that says so; only where the way in overwrites it (NUAGES_PROXY).

    HSTS is set where the spec says for how long (NUAGES_HSTS): browsers keep it for months. A redirect is not Django's,
    who would send the app's own pods there too; the runtime and the ingress do it for requests from outside.
    Only on a developer's machine, where nothing answers to https, no request is sent there.
    """
    yield from _largest(world)
    if world.variable("NUAGES_PROXY") != "https":
        yield from _plain(world)
        return
    yield from _hsts(world)
    if world.own.get("SECURE_PROXY_SSL_HEADER"):
        yield Change("SECURE_PROXY_SSL_HEADER", KEPT, "the project's own")
    else:
        yield Change(
            "SECURE_PROXY_SSL_HEADER",
            ADDED,
            "TLS ends before the pod, and the way in overwrites X-Forwarded-Proto",
            ("HTTP_X_FORWARDED_PROTO", "https"),
        )
    origins = world.words("NUAGES_ORIGINS")
    if origins and all(origin.startswith("https://") for origin in origins):
        for setting in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"):
            if setting not in world.own:
                yield Change(setting, ADDED, "every host of the spec is reached by https", True)


def _hsts(world: World) -> Iterator[Change]:
    """How long browsers shall ask for https only; SecurityMiddleware says it, or nobody does."""
    setting, wanted = "SECURE_HSTS_SECONDS", world.variable("NUAGES_HSTS")
    if not wanted:
        return
    if setting in world.own:
        yield Change(setting, KEPT, "the project's own, not that of expose.hsts")
    elif not any("SecurityMiddleware" in name for name in _sequence(world.own.get("MIDDLEWARE"))):
        yield Change(setting, KEPT, "the project has no SecurityMiddleware, which would say it")
    else:
        yield Change(setting, ADDED, "the spec's: browsers ask for https only", int(wanted))


def _largest(world: World) -> Iterator[Change]:
    """What Django takes into memory of one request, as much as the way in lets through (NUAGES_BODY).

    https://docs.djangoproject.com/en/stable/ref/settings/#data-upload-max-memory-size: 2.5 MiB unless it is said, and
    files don't count. A project's own limit is its decision.
    """
    setting, wanted = "DATA_UPLOAD_MAX_MEMORY_SIZE", world.variable("NUAGES_BODY")
    if not wanted:
        return
    if setting not in world.own:
        yield Change(setting, ADDED, "the spec's bodySize, which the way in lets through", int(wanted))
        return
    own = world.own[setting]
    larger = own is None or (isinstance(own, int) and own > int(wanted))
    why = "more than bodySize, beyond which no request gets in" if larger else "no more than bodySize lets in"
    yield Change(setting, KEPT, f"the project's own, {why}")


def _plain(world: World) -> Iterator[Change]:
    """What shuts everybody out of the environment `local`, the one that answers to any host, and has no TLS."""
    origins = world.words("NUAGES_ORIGINS")
    # An app without hosts is reached by address, and perhaps by a proxy that nobody told of: nothing is known there.
    plain = bool(origins) and all(origin.startswith("http://") for origin in origins)
    if not plain or "*" not in world.words("NUAGES_HOSTS"):
        return
    for setting in ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"):
        if world.own.get(setting) is True:
            yield Change(setting, REPLACED, "nothing answers to https in the environment local", False)


def secret_key(world: World) -> Iterator[Change]:
    """SECRET_KEY from the variable of that name, unless the project's own came from the environment.

    A key in the source is known to whoever reads it, and one made when the settings load differs from process to
    process.
    """
    own, given = world.own.get("SECRET_KEY"), world.variable("SECRET_KEY")
    development = isinstance(own, str) and placeholder(own)
    if own == given != "":
        yield Change("SECRET_KEY", KEPT, "read from the environment")
    elif given and not own:
        yield Change("SECRET_KEY", ADDED, "the project sets none", given)
    elif given and development:
        yield Change("SECRET_KEY", REPLACED, "a development value in the settings", given)
    elif given and not world.said(own):
        yield Change("SECRET_KEY", REPLACED, "in the settings themselves, not from the environment", given)
    elif own:
        yield Change("SECRET_KEY", KEPT, _kept_key(world, own, development))
    fallbacks = world.words("SECRET_KEY_FALLBACKS")
    if fallbacks and not world.own.get("SECRET_KEY_FALLBACKS"):
        yield Change("SECRET_KEY_FALLBACKS", ADDED, "keys that were replaced are still believed", fallbacks)


def placeholder(key: str) -> bool:
    """Whether a SECRET_KEY is one that startproject or a template wrote, or too poor to be one."""
    return (
        key.startswith("django-insecure-")
        or len(set(key)) < 5
        or (len(key) < 100 and bool(_PLACEHOLDER.fullmatch(key)))
    )


def debug(world: World) -> Iterator[Change]:
    """DEBUG off, unless a variable of the process itself says on: a .env file that the settings read does not count."""
    own = world.own.get("DEBUG")
    if not own:
        return
    asked = [name for name, value in world.environ.items() if _DEBUG.fullmatch(name) and value.lower() in _TRUE]
    if asked:
        yield Change("DEBUG", KEPT, f"on, as {asked[0]} in the environment says")
    elif own is True:
        yield Change("DEBUG", REPLACED, "on in the settings; what they made of it while loading stays", False)
    else:
        yield Change("DEBUG", REPLACED, f"a {type(own).__name__} that counts as true", False)


def _kept_key(world: World, own: object, development: bool) -> str:
    if world.said(own):
        return "read from the environment"
    return "a development value, and SECRET_KEY is not in the environment" if development else "the project's own"


def _sequence(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list | tuple | set | frozenset) else []


def _same(own: object, items: list[str]) -> list[str] | tuple[str, ...]:
    """A copy, in the project's own kind of sequence: settings are added up by their authors."""
    return tuple(items) if isinstance(own, tuple) else items


def _allowed(host: str, own: list[str]) -> bool:
    """As django.http.request.is_same_domain decides it."""
    return any(
        pattern in ("*", host) or (pattern.startswith(".") and (host.endswith(pattern) or host == pattern[1:]))
        for pattern in own
    )


def _trusted(origin: str, own: list[str]) -> bool:
    scheme, _, host = origin.partition("://")
    wildcards = (pattern.partition("://*")[2] for pattern in own if pattern.startswith(f"{scheme}://*."))
    return origin in own or any(host.endswith(suffix) for suffix in wildcards)
