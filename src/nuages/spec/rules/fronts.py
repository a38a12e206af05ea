"""What front ends and static files say that only means something with the rest of the spec."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from nuages.spec.model import EnvironmentSpec
from nuages.spec.rules.limits import LONGEST_NAME
from nuages.spec.validate import Mistake


def broken(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """Every rule that a front end breaks."""
    yield from _routes(spec)
    yield from _names(spec)
    for key, wanted in spec.frontends.items():
        for field, path in (("directory", wanted.directory), ("output", wanted.output)):
            if posixpath.normpath(path).startswith(("/", "..")):
                message = f"{path} is outside the {'project' if field == 'directory' else 'folder of package.json'}"
                yield Mistake("spec.E237", ("frontends", key, field), message, "a folder inside it")


def _names(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """A Service has its name in DNS, and by one of them a front end's pods ask each other."""
    for key in spec.frontends:
        if len(name := f"{spec.name}-frontend-{key}-peers") > LONGEST_NAME:
            message = f"makes {name}, of {len(name)} characters; a Service's name has {LONGEST_NAME}"
            yield Mistake("spec.E230", ("frontends", key), message, "a shorter key", at_key=True)


def _routes(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """Each path leads to one thing; a web that says nothing takes "/" (app/components.py)."""
    claimed = {route.rstrip("/"): f"web.{key}" for key, web in spec.web.items() for route in web.routes or []}
    silent = next((key for key, web in spec.web.items() if web.routes is None), None)
    if silent:
        claimed.setdefault("", f"web.{silent}")
    for key, wanted in spec.frontends.items():
        for index, route in enumerate(wanted.routes):
            place = ("frontends", key, "routes", index)
            plain = route.rstrip("/")
            if "//" in route or {".", ".."} & set(route.split("/")):
                yield Mistake("spec.E213", place, f"{route} is a path that no request has", "without //, . and ..")
            elif other := claimed.get(plain):
                hint = (
                    f"say what {other} answers: {other}.routes: [/api/, /admin/]"
                    if not plain and silent
                    else "each path leads to one of them"
                )
                yield Mistake("spec.E213", place, f"{route} is answered by {other} already", hint)
            claimed.setdefault(plain, f"frontends.{key}")
