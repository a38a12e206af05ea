"""`python -m tests.corpus` deploys real projects, unchanged, and shows what became of each.

python -m tests.corpus                              all of projects.toml
python -m tests.corpus heroku --path ~/heroku       one, from a checkout made elsewhere
python -m tests.corpus --path ~/corpus              each from the folder there that has its name
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from nuages.errors import NuagesError
from nuages.local.cluster import up

from .report import show
from .run import Result, Run
from .table import Entry, Step, projects


def main() -> int:
    """Run the projects one after the other; 0 where all is as projects.toml says, 1 where something is not."""
    known = projects()
    given = _arguments(known)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    named = {
        name: known.get(name, Entry(smoke=[Step(get="/")]))
        for name in given.names or [n for n, e in known.items() if not e.written]
    }
    try:
        cluster = up(given.cluster)
    except NuagesError as error:
        sys.exit("\n".join(part for part in (error.message, error.detail, error.hint) if part))
    workplace = Path(tempfile.mkdtemp(prefix="nuages-corpus-"))
    results: list[Result] = []
    try:
        for name, entry in named.items():
            with console.status(name) as live:
                run = Run(name, entry, cluster, workplace / name, lambda step, n=name: live.update(f"{n}  {step}"))
                result = run.go(given.path)
            results.append(result)
            mark = "[green]✓[/]" if result.good else "[bold red]✗[/]"
            console.print(f"{mark} {name:<24} {_outcome(result)}", markup=True)
            if not given.keep:
                run.away()
                shutil.rmtree(workplace / name / name, ignore_errors=True)
                if result.good:
                    shutil.rmtree(workplace / name)
    except KeyboardInterrupt:
        console.print("interrupted")
    show(results, console)
    if given.keep:
        console.print(f"kept: {workplace}, and the namespaces in cluster {cluster.name}")
    elif all(result.good for result in results):
        shutil.rmtree(workplace, ignore_errors=True)
    else:
        console.print(f"logs: {workplace}")
    return 0 if results and all(result.good for result in results) else 1


def _outcome(result: Result) -> str:
    """One line as soon as it is known; the table and the whole text of a failure come at the end."""
    if result.failed:
        return f"{result.failed}: {escape((result.said.splitlines() or [''])[0])}"
    return "refused, as it must be" if result.refused else result.address


def _arguments(known: dict[str, Entry]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.corpus", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; another one with --path")
    parser.add_argument("--path", type=Path, help="a checkout, or a folder of checkouts under the projects' names")
    parser.add_argument("--cluster", default="corpus", help="the local cluster, made where it is missing")
    parser.add_argument("--keep", action="store_true", help="leave the copies, their logs and what runs")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in known]
    if unknown and given.path is None:
        parser.error(f"{', '.join(unknown)}: not in projects.toml; --path says where it is")
    return given


if __name__ == "__main__":
    sys.exit(main())
