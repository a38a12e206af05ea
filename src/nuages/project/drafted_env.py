"""The part of a drafted nuages.yaml about variables: env, secrets, and what differs on this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nuages.findings import Place
from nuages.project.facts import Facts, Variable
from nuages.project.words import PLAIN, WORDS, scalar
from nuages.spec.rules import RESERVED, RESERVED_PREFIX

# Set by the rendered objects, found by them, or the project's own matter inside the image.
_NOT_ASKED = {*RESERVED, "RELEASE", "MEDIA_ROOT", "STATIC_ROOT", "PYTHONPATH", "HOME", "USER", "TZ", "LANG", "PORT"}
_SECRET = re.compile(r"(^|_)(KEY|SECRET|TOKEN|PASSWORD|PASSWD|PASS|DSN|CREDENTIALS?|ACCESS_KEY_ID|PEM)$")
# A key that is only a long random text, and not one that another service gave out.
_OWN_KEY = re.compile(r"(^|_)(SECRET_KEY|SIGNING_KEY|JWT_SECRET|SALT)$")
_GIVEN = re.compile(
    r"(AWS|S3|STRIPE|GOOGLE|FACEBOOK|TWITTER|GITHUB|GITLAB|CAPTCHA|OAUTH|SOCIAL|MAILGUN|SENDGRID|TWILIO|PAYPAL|AZURE|OIDC"
    r"|CLIENT|CLOUDINARY|ALGOLIA|RSA|FERNET|BRAINTREE|API|SPACES|MINIO)"
)
_ACCEPTED = re.compile(r"(ALLOWED|CLIENT|PUBLIC|SITE|PRIMARY|MAIN|DEFAULT)\w*(HOSTS?|DOMAINS?|HOSTNAME)$|^HOST_?NAME$")
# A dotted path to a class: django_redis.cache.RedisCache.
_CLASS = re.compile(r"^[a-z_]\w*(\.\w+)*\.[A-Z]\w*$")
# The site's own address, for links in mails: what a developer's machine is called must not stand there.
_OWN_ADDRESS = re.compile(r"(^|_)(SITE_URL|SITE_ROOT|BASE_URL|PUBLIC_URL|APP_URL|ROOT_URL|SERVER_URL|BACKEND_URL)$")
_DEVELOPED_AT = re.compile(r"^https?://(localhost|127\.0\.0\.1|0\.0\.0\.0)(:80\d\d)?/?$")
# Of many optional variables those that people change; all of them: nuages inspect.
_MOST = 12
_KNOWN = re.compile(
    r"^(CSRF_TRUSTED_ORIGINS|EMAIL_\w+|DEFAULT_FROM_EMAIL|SERVER_EMAIL|SECURE_\w+|TIME_ZONE|LANGUAGE_CODE|LOGGING|LOG_LEVEL"
    r"|AWS_STORAGE_BUCKET_NAME|MEDIA_URL|STATIC_URL|ADMINS|SESSION_COOKIE_\w+|CORS_\w+|PUBLIC_URL|SITE_URL|BASE_URL)$"
)


def where(place: Place) -> str:
    """A place for a comment: file and line."""
    return f"{place.file}:{place.line}" if place.line else place.file or place.path


def secret(variable: Variable) -> bool:
    """Whether a variable's value must not be read by everybody who may read a ConfigMap."""
    if variable.name.endswith(("_FILE", "_PATH", "_DIR")):
        return False  # where it lies, and not what it is
    return variable.setting == "SECRET_KEY" or _SECRET.search(variable.name) is not None


def env(facts: Facts, host: str) -> Iterator[str]:
    """The variables that decide something now, then the others with their defaults, as comments."""
    active: list[str] = []
    others: list[tuple[Variable, str]] = []
    done = set(facts.database_variables) | set(facts.environment)
    few = len(_asked(facts)) <= 2 * _MOST
    automatic = {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"}
    for variable in _asked(facts):
        if secret(variable) or variable.name in done:
            continue
        if _is_hosts(variable):
            active.append(f"  {variable.name}: {host}")
        elif variable.setting == "DEBUG" and (variable.required or variable.default == "true"):
            active.append(f'  {variable.name}: "false"')
        elif variable.name in facts.redis_variables and facts.redis:
            active += _redis(facts, variable)
        elif variable.required:
            active.append(f"  {variable.name}: {_answer(variable, host)}    # no default: {where(variable.place)}")
        elif _OWN_ADDRESS.search(variable.name) and _DEVELOPED_AT.match(variable.default or ""):
            active.append(f'  {variable.name}: "http://{host}"')
        elif few and _is_switch(variable):
            active.append(f"  {variable.name}: {variable.default}")
        elif variable.name not in automatic:
            others.append((variable, f"  # {variable.name}: {scalar(variable.default or '')}"))
    active += _found(facts)
    active += _database(facts)
    if facts.admin:
        active.append("  DJANGO_SUPERUSER_USERNAME: admin    # for `manage.py createsuperuser --noinput`, Django's own")
        active.append("  DJANGO_SUPERUSER_EMAIL: admin@example.com")
    comments = _shortened(others)
    if active:
        # An empty mapping would be null, so what is only a comment stays outside.
        yield "\n".join(["env:", *active, *(["  # also read, with these defaults:", *comments] if comments else [])])
    elif comments:
        yield "\n".join(
            ["# env:", "#   read by the settings, with these defaults:", *("# " + line for line in comments)]
        )


def secrets(facts: Facts) -> Iterator[str]:
    """The secret ones: a value is made in the cluster where any will do; where not, only its name stands here."""
    lines: list[str] = []
    optional: list[str] = []
    if facts.geographic:
        # Without a variable of its own the overlay reads DATABASE_URL.
        led = facts.database_variables or {"DATABASE_URL": "url"}
        lines += [
            f"  {name}: {{}}    # of a server with PostGIS: nuages secrets set {name}"
            for name, meaning in led.items()
            if meaning in ("url", "password")
        ]
    for variable in _asked(facts):
        if not secret(variable) or variable.name in facts.database_variables:
            continue
        if variable.setting == "SECRET_KEY" or (variable.required and generated(variable)):
            lines.append(f"  {variable.name}: {{generate: true}}    # made in the cluster once, and kept there")
        elif variable.required:
            rsa = "RSA" in variable.name and "PRIVATE" in variable.name
            how = f"openssl genrsa 2048 | nuages secrets set {variable.name}" if rsa else "only its name stands here"
            lines.append(f"  {variable.name}: {{}}    # no default: {where(variable.place)}; {how}")
        else:
            optional.append(f"  # {variable.name}: {{}}")
    key = facts.secret_key
    if key and key.value != "variable" and "SECRET_KEY" not in {variable.name for variable in _asked(facts)}:
        how = {
            "fixed": f"{where(key.place)} has one for everybody to read",
            "random": f"{where(key.place)} makes another one in each process",
            "absent": "the settings have none",
        }[key.value]
        lines.insert(0, f"  SECRET_KEY: {{generate: true}}    # {how}: the overlay puts this in its place")
    lines += (
        optional
        if len(optional) <= _MOST
        else [*optional[:_MOST], f"  # and {len(optional) - _MOST} more: nuages inspect"]
    )
    if facts.admin:
        lines.append("  DJANGO_SUPERUSER_PASSWORD: {generate: true}")
    if any(not line.startswith("  #") for line in lines):
        yield "\n".join(["secrets:", *lines])


def environments(facts: Facts, *, single: bool) -> str:
    """Each is a JSON merge patch; `local` answers under whatever address this machine gives it, without TLS.

    `single`: three pods of it would ask much of a developer's machine.
    """
    hosts = [
        variable.name for variable in _asked(facts) if variable.setting == "ALLOWED_HOSTS" and not secret(variable)
    ]
    known = dict.fromkeys(hosts[:1], '"*"')
    why = ["it is reached by address as well"] if hosts else []
    for found in (facts.ssl_redirect, facts.secure_cookies):
        if found and found.value:
            name, _, value = found.value.partition("=")
            known[name] = scalar(value)
    if len(known) > len(hosts[:1]):
        why.append("over plain HTTP")
    lines = ["environments:    # what differs from the above, per environment", "  local:"]
    if single:
        lines.append("    web: {main: {replicas: 1}}")
    if known:
        values = ", ".join(f"{name}: {value}" for name, value in known.items())
        lines.append(f"    env: {{{values}}}    # {', '.join(why)}")
    elif not single:
        lines[1] += " {}"
    for found, what in (
        (facts.ssl_redirect, "sends all requests to https; here, without TLS, the overlay turns that off"),
        (facts.secure_cookies, "cookies need https; here, without TLS, the overlay turns that off"),
    ):
        if found and not found.value:
            lines.append(f"    # {where(found.place)}: {what}")
    return "\n".join(lines)


def generated(variable: Variable) -> bool:
    """Whether any long random text will do as its value."""
    return bool(_OWN_KEY.search(variable.name)) and not _GIVEN.search(variable.name)


def _asked(facts: Facts) -> list[Variable]:
    asked = (variable for variable in facts.variables if variable.name not in _NOT_ASKED)
    return [
        variable
        for variable in asked
        if not variable.name.startswith((RESERVED_PREFIX, "DJANGO_SUPERUSER_"))
        and variable.setting != "DJANGO_CONFIGURATION"
    ]


def _is_hosts(variable: Variable) -> bool:
    return variable.setting == "ALLOWED_HOSTS" or (variable.required and bool(_ACCEPTED.search(variable.name)))


def _found(facts: Facts) -> list[str]:
    """Values that were found by trying: what turns DEBUG off, the class of django-configurations."""
    return [f"  {name}: {scalar(value)}" for name, value in facts.environment.items()]


def _database(facts: Facts) -> list[str]:
    """The variables that lead to PostgreSQL, where it is not DATABASE_URL, which is there by itself."""
    lines = []
    for name, meaning in facts.database_variables.items():
        if name == "DATABASE_URL":
            continue
        if facts.geographic and not meaning.startswith("="):
            if meaning not in ("url", "password"):
                lines.append(f'  {name}: ""    # of the server with PostGIS')
            continue
        value = scalar(meaning[1:]) if meaning.startswith("=") else f"{{service: postgres, key: {meaning}}}"
        lines.append(f"  {name}: {value}")
    return lines


def _redis(facts: Facts, variable: Variable) -> list[str]:
    """A variable that leads to Redis; REDIS_URL and a worker's CELERY_BROKER_URL are there by themselves."""
    form = facts.redis_variables[variable.name]
    if _CLASS.match(variable.default or ""):
        return []  # what reaches it, and not where it is
    automatic = variable.name == "REDIS_URL" or (variable.name == "CELERY_BROKER_URL" and facts.celery is not None)
    if form == "url" and automatic:
        return []
    local = re.search(r"(redis|localhost|127\.0\.0\.1|:6379)", variable.default or "") is not None
    # Nothing is there without it, and what needs it is in use.
    empty = not variable.default and not re.search("REPLICA|SENTINEL|RESULT", variable.name)
    if not (local or variable.required or form == "address" or empty):
        return []
    return [f"  {variable.name}: {{service: redis, key: {form}}}"]


def _answer(variable: Variable, host: str) -> str:
    """A value with which the project starts, for a person to look at."""
    if variable.suggestion is not None and not secret(variable):
        return scalar(variable.suggestion)
    if variable.kind in ("int", "bool"):
        return {"int": '"0"', "bool": '"false"'}[variable.kind]
    if re.search(r"ADMIN_(URL|PATH)$", variable.name):
        return "admin/"
    if variable.name.endswith(("_URL", "_ORIGIN", "_ORIGINS")):
        return f'"http://{host}"'
    return '""'


def _is_switch(variable: Variable) -> bool:
    """Whether a setting takes over one plain word as it is: what people change from one deploy to the next."""
    default = variable.default or ""
    plain = variable.sure and PLAIN.match(default) is not None and default.lower() not in WORDS and "." not in default
    return plain and variable.kind == "str" and variable.setting == variable.name and not _KNOWN.match(variable.name)


def _shortened(others: list[tuple[Variable, str]]) -> list[str]:
    if len(others) <= _MOST:
        return [line for _, line in others]
    known = [line for variable, line in others if _KNOWN.match(variable.setting) or _KNOWN.match(variable.name)][:_MOST]
    return [*known, f"  # and {len(others) - len(known)} more: nuages inspect"]
