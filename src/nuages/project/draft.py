"""draft(facts) -> str: a first nuages.yaml for a project, short, with a comment wherever a person has to look twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nuages.project.facts import Facts, Variable
from nuages.spec.rules import RESERVED, RESERVED_PREFIX

NEWEST_PYTHON = 13  # the 3.x that a project gets when nothing speaks against it
# Set by the rendered objects, found by them, or the project's own matter inside the image.
_NOT_ASKED = {*RESERVED, "RELEASE", "MEDIA_ROOT", "STATIC_ROOT"}
_SECRET = re.compile(r"(^|_)(KEY|SECRET|TOKEN|PASSWORD|PASSWD|DSN|CREDENTIALS?)$")
# What YAML takes as the text it is, whatever its version.
_PLAIN = re.compile(r"^[A-Za-z][A-Za-z0-9._/-]*$")
_WORDS = {"yes", "no", "on", "off", "true", "false", "null", "y", "n"}


def draft(facts: Facts, name: str | None = None, image: str | None = None) -> str:
    """The text of a nuages.yaml that loads without a finding; the same facts give the same text."""
    app = name or facts.name
    host = f"{app}.localhost"
    sections = [
        _head(app, image or f"registry.example.com/{app}"),
        f'django: {{settings: {facts.settings.value}, python: "{python(facts)}"}}',
        _web(facts),
        *_database(facts),
        *([_MEDIA] if facts.media_root else []),
        f"expose: {{kind: loadBalancer, hosts: [{host}]}}    # ingress and gateway need a class, and take TLS",
        *_env(facts, host),
        *_secrets(facts),
        _environments(facts),
    ]
    return "\n".join(sections) + "\n"


def python(facts: Facts) -> str:
    """The newest Python that the project allows: "3.13"."""
    wanted = facts.python.value if facts.python else ""
    if exact := re.match(r"^(?:==|~=)?\s*3\.(\d+)", wanted):
        return f"3.{exact[1]}"
    newest = NEWEST_PYTHON
    for operator, minor in re.findall(r"(>=|<=|<)\s*3\.(\d+)", wanted):
        bound = int(minor) - (operator == "<")
        newest = max(newest, bound) if operator == ">=" else min(newest, bound)
    return f"3.{newest}"


def secret(variable: Variable) -> bool:
    """Whether a variable's value must not be read by everybody who may read a ConfigMap."""
    return variable.setting == "SECRET_KEY" or _SECRET.search(variable.name) is not None


def _head(app: str, image: str) -> str:
    return f"""\
# yaml-language-server: $schema=./nuages.schema.json
apiVersion: nuages/v1
name: {app}
image: {image}    # where images are pushed; a cluster on this machine needs no registry"""


def _web(facts: Facts) -> str:
    # SQLite is a file: a second pod would have another one.
    several = facts.database is None or facts.database.value != "sqlite3"
    return f"""\
web:
  main:
    replicas: {3 if several else 1}
    requestTimeout: 30s    # the time-outs of server, proxy and pod follow from it
    resources: {{cpu: 100m, memory: 256Mi}}"""


def _database(facts: Facts) -> Iterator[str]:
    if facts.variable("DATABASE_URL") or (facts.database and facts.database.value == "postgresql"):
        yield 'services:\n  postgres: {run: {version: "17", storage: 1Gi}}'
        yield "databases: {default: postgres}    # gives the project DATABASE_URL"


_MEDIA = """\
media:
  volume: {size: 1Gi, accessMode: ReadWriteMany}    # mounted at MEDIA_ROOT; several pods write to it"""


def _asked(facts: Facts) -> list[Variable]:
    asked = (variable for variable in facts.variables if variable.name not in _NOT_ASKED)
    return [variable for variable in asked if not variable.name.startswith(RESERVED_PREFIX)]


def _env(facts: Facts, host: str) -> Iterator[str]:
    """The variables that decide something now, then the others with their defaults, as comments."""
    active, others = [], []
    for variable in _asked(facts):
        if secret(variable):
            continue
        if variable.setting == "ALLOWED_HOSTS":
            active.append(f"  {variable.name}: {host}")
        elif variable.setting == "DEBUG" and (variable.required or variable.default == "true"):
            active.append(f'  {variable.name}: "false"')
        elif variable.required:
            active.append(f'  {variable.name}: ""    # no default: {_where(variable)}')
        elif _is_switch(variable):
            active.append(f"  {variable.name}: {variable.default}")
        else:
            others.append(f"  # {variable.name}: {_scalar(variable.default or '')}")
    if facts.admin:
        active.append("  DJANGO_SUPERUSER_USERNAME: admin    # for `manage.py createsuperuser --noinput`, Django's own")
        active.append("  DJANGO_SUPERUSER_EMAIL: admin@example.com")
    if active:
        # An empty mapping would be null, so what is only a comment stays outside.
        yield "\n".join(["env:", *active, *(["  # also read, with these defaults:", *others] if others else [])])
    elif others:
        yield "\n".join(["# env:", "#   read by the settings, with these defaults:", *("# " + line for line in others)])


def _is_switch(variable: Variable) -> bool:
    """Whether a setting takes over one plain word as it is: what people change from one deploy to the next."""
    default = variable.default or ""
    plain = _PLAIN.match(default) is not None and default.lower() not in _WORDS
    return plain and variable.kind == "str" and variable.setting == variable.name


def _secrets(facts: Facts) -> Iterator[str]:
    lines = []
    for variable in _asked(facts):
        if not secret(variable):
            continue
        if variable.setting == "SECRET_KEY":
            lines.append(f"  {variable.name}: {{generate: true}}    # made in the cluster once, and kept there")
        elif variable.required:
            lines.append(f"  {variable.name}: {{}}    # no default: {_where(variable)}; only its name stands here")
        else:
            lines.append(f"  # {variable.name}: {{}}")
    if facts.admin:
        lines.append("  DJANGO_SUPERUSER_PASSWORD: {generate: true}")
    if any(not line.startswith("  #") for line in lines):
        yield "\n".join(["secrets:", *lines])


def _environments(facts: Facts) -> str:
    """Each is a JSON merge patch; `local` answers under whatever address this machine gives it."""
    hosts = next((variable for variable in _asked(facts) if variable.setting == "ALLOWED_HOSTS"), None)
    local = f'\n    env: {{{hosts.name}: "*"}}    # it is reached by address as well' if hosts else " {}"
    return f"environments:    # what differs from the above, per environment\n  local:{local}"


def _where(variable: Variable) -> str:
    return f"{variable.place.file}:{variable.place.line}"


def _scalar(text: str) -> str:
    return text if _PLAIN.match(text) and text.lower() not in _WORDS else '"' + text.replace('"', '\\"') + '"'
