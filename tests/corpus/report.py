"""What a run of many projects prints: one line each, and below what the failing ones were told."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .run import STEPS, Result

STYLES = {"✓": "green", "✗": "bold red"}


def show(results: list[Result], console: Console) -> None:
    """The table, the failures with what nuages said about them, and one closing line."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in ("project", *STEPS):
        table.add_column(column)
    table.add_column("seconds", justify="right")
    table.add_column("image", justify="right")
    table.add_column("typed")
    for one in results:
        marks = [Text(mark, style=STYLES.get(mark[:1], "")) for mark in map(one.mark, STEPS)]
        size = f"{one.size / 1e6:.0f} MB" if one.size else ""
        table.add_row(one.name, *marks, f"{sum(one.seconds.values()):.0f}", size, ", ".join(one.typed))
    console.print()
    console.print(table)
    for one in results:
        if not one.good:
            console.print(Text.assemble(("\n✗ ", STYLES["✗"]), f"{one.name}: {one.failed}"))
        elif one.refused:
            console.print(Text.assemble(("\n✓ ", STYLES["✓"]), f"{one.name}: refused, as it must be"))
        for line in one.said.splitlines():
            console.print(Text(f"    {line}"), soft_wrap=True)
    failed = sum(not one.good for one in results)
    console.print(f"\n{len(results) - failed} passed, {failed} failed")
