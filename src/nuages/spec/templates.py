"""The spec's part about environments that are made from a template: `nuages env up pr-12`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from nuages.spec.forms import Command, Part, ProjectPath


class Anonymise(Part, frozen=True, kw_only=True):
    """What is done to a copy of the data before it leaves the walls of the environment it is from; one of these."""

    sql: Annotated[
        ProjectPath | None, Meta(description="A file of statements for psql.", examples=["deploy/anonymise.sql"])
    ] = None
    manage: Annotated[
        Command | None,
        Meta(description="A manage.py command, in the image that serves there.", examples=[["anonymise", "--all"]]),
    ] = None
    none: Annotated[
        dict[str, str] | None,
        Meta(description="Nothing, on purpose: real rows leave. Write `none: {}`.", examples=[{}]),
    ] = None
