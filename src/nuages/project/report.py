"""rows(facts): every conclusion about a project as a line: its topic, what it is, where it was read, how sure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from nuages.findings import Place
from nuages.project.facts import Facts, Found, Variable


class Row(NamedTuple):
    """One conclusion; `sure` is False where it was concluded and not read."""

    topic: str
    value: str
    place: Place
    sure: bool = True


def rows(facts: Facts) -> list[Row]:
    """All of them but the variables, in the order in which a reader asks."""
    declared = facts.dependencies
    packages = f"{len(declared.packages)} ({declared.kind})" if declared else ""
    return [
        *_found("settings", facts.settings),
        *_found("configuration", facts.configuration),
        *_found("django", facts.django),
        *_found("python", facts.python),
        *([Row("packages", packages, Place(declared.files[-1] if declared.files else ""))] if declared else []),
        *_found("wsgi", facts.wsgi),
        *_found("asgi", facts.asgi),
        *_found("interface", facts.interface),
        *_found("channels", facts.channels),
        *_found("database", facts.database),
        *_led("database", facts.database_variables),
        *_found("redis", facts.redis),
        *_led("redis", facts.redis_variables),
        *_found("cache", facts.cache),
        *_found("celery", facts.celery),
        *_found("beat", facts.beat),
        *_found("task limit", facts.task_limit),
        *(Row("worker", " ".join(worker.command), worker.place) for worker in facts.workers),
        *_found("uploads", facts.storage or facts.media_root),
        *(Row("writes to", found.value.rstrip("?"), found.place, found.sure) for found in facts.volumes),
        *_found("static root", facts.static_root),
        *_found("static url", facts.static_url),
        *_frontend(facts),
        *(Row("debian", found.value, found.place, found.sure) for found in facts.packages),
        *(Row("to build", found.value, found.place, found.sure) for found in facts.build_packages),
        *(Row("group", found.value, found.place, found.sure) for found in facts.groups),
        *(Row("command", " ".join(command.command), command.place) for command in facts.commands),
        *_found("secret key", facts.secret_key),
        *_found("debug", facts.debug),
        *_switch("https only", facts.ssl_redirect),
        *_switch("https cookies", facts.secure_cookies),
        *(Row("platform", found.value, found.place) for found in facts.gates),
    ]


def variables(facts: Facts) -> list[Row]:
    """The variables, those first without which nothing works."""
    return [
        Row("required" if variable.required else "variable", _said(variable), variable.place, variable.sure)
        for variable in sorted(facts.variables, key=lambda variable: not variable.required)
    ]


def hints(facts: Facts) -> list[Row]:
    """What files for other platforms say."""
    return [Row("hint", found.value, found.place, sure=False) for found in facts.hints]


def _said(variable: Variable) -> str:
    setting = f" -> {variable.setting}" if variable.setting and variable.setting != variable.name else ""
    kind = f" ({variable.kind})" if variable.kind != "str" else ""
    # A default may be a password that somebody left in the settings: that it is there is enough.
    return f"{variable.name}{kind}{setting}" + (
        "" if variable.required or variable.default is None else ", has a default"
    )


def _found(topic: str, found: Found | None) -> Iterator[Row]:
    if found is not None and found.value:
        yield Row(topic, found.value, found.place, found.sure)


def _led(topic: str, led: dict[str, str]) -> Iterator[Row]:
    if led:
        said = ", ".join(
            f"{name}{meaning}" if meaning[0] == "=" else f"{name} ({meaning})" for name, meaning in led.items()
        )
        yield Row(f"{topic} by", said, Place(), sure=False)


def _switch(topic: str, found: Found | None) -> Iterator[Row]:
    if found is not None:
        yield Row(topic, f"off by {found.value}" if found.value else "on, and no variable turns it off", found.place)


def _frontend(facts: Facts) -> Iterator[Row]:
    if built := facts.frontend:
        yield Row("front end", f"{' '.join(built.command)} in {built.directory} writes {built.output}", built.place)
