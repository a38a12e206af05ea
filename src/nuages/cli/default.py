"""A group of commands of which one is meant where none is named."""

from __future__ import annotations

from typing import ClassVar

import click


class WithDefault(click.Group):
    """`nuages releases -e production` is `nuages releases list -e production`."""

    default: ClassVar[str] = "list"

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are wanted."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the one that is meant in front of options."""
        if not args or (args[0].startswith("-") and args[0] not in {"-h", "--help"}):
            args = [self.default, *args]
        return super().parse_args(ctx, args)
