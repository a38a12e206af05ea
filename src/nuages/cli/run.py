"""`nuages run`, and what `manage`, `shell`, `dbshell` and `createsuperuser` share with it."""

from __future__ import annotations

import functools
import math
import os
import re
import shlex
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from nuages.cli import target
from nuages.cli.console import console
from nuages.cli.target import app_of, cluster_of, cluster_options

if TYPE_CHECKING:
    from nuages.app.components import App
    from nuages.kube.client import Cluster
    from nuages.release.run import Ended, Kind

SETTINGS = {"ignore_unknown_options": True, "allow_interspersed_args": False}
"""What stands behind the command's own name is the other program's."""

Command = Callable[..., Any]
T = TypeVar("T")


def run_options(ttl: str) -> Callable[[Command], Command]:
    """`cluster_options`, `--ttl` and `--memory`."""

    def decorated(command: Command) -> Command:
        time = click.option("--ttl", default=ttl, show_default=True, help="The pod ends after this time.")
        memory = click.option("--memory", help="Another memory limit than the web's, as 1Gi.")
        return cluster_options(time(memory(command)))

    return decorated


def command_of(ttl: str, kind: Callable[[], Kind] | None = None) -> Callable[[Command], Command]:
    """A command that is run beside the release: the function only says which one, from what stands behind its name.

    Args:
        ttl: how long its pod may live, where nobody says.
        kind: gives the pod it runs in; the project's own where there is none.
    """

    def decorated(words: Callable[[tuple[str, ...]], tuple[str, ...]]) -> Command:
        @run_options(ttl)
        @functools.wraps(words)
        def command(
            arguments: tuple[str, ...],
            *,
            file: Path,
            environment: str,
            context: str | None,
            ttl: str,
            memory: str | None,
            detach: bool = False,
        ) -> int:
            app = app_of(file, environment)
            cluster = cluster_of(app, file, context)
            where = kind() if kind else None
            return execute(app, cluster, words(arguments), ttl=ttl, memory=memory, detach=detach, kind=where)

        return command

    return decorated


detach_option = click.option("--detach", "-d", is_flag=True, help="Don't wait; print the pod's name.")


@click.command(context_settings=SETTINGS)
@click.argument("arguments", nargs=-1, metavar="[--] COMMAND...", type=click.UNPROCESSED)
@run_options("1h")
@detach_option
@click.option("--attach", metavar="NAME", help="Come back to a command that was detached, or lost.")
@click.option("--history", is_flag=True, help="Who ran what, the newest first.")
@click.option("--list", "listed", is_flag=True, help="The jobs and schedules of nuages.yaml, which have a name.")
@click.option("--json", "as_json", is_flag=True, help="Print --history or --list as JSON.")
def command(
    arguments: tuple[str, ...],
    *,
    file: Path,
    environment: str,
    context: str | None,
    ttl: str,
    memory: str | None,
    detach: bool,
    attach: str | None,
    history: bool,
    listed: bool,
    as_json: bool,
) -> int:
    """Run a command in a pod of its own, with the image and the environment that are live.

    A single word that is the name of a job or a schedule in nuages.yaml runs that, with its memory and its time.

    The exit code is the command's. In a terminal it has one; in a pipe it reads and writes plain streams. The command
    line is kept for --history as it was typed: secrets belong into the environment, or into the pipe.

    \b
    nuages run seed                        the job of that name
    nuages run -- python -c "print(1)"     its output, its exit code
    nuages run --detach -- ./import.sh     goes on alone, an hour at most
    nuages run --attach blog-run-x7k2p     what it wrote, and how it ends
    """
    from nuages.errors import UsageError
    from nuages.render import jobs_on_demand as jobs

    if sum(map(bool, (arguments, attach, history, listed))) != 1:
        hint = "nuages run -- python manage.py check"
        raise UsageError("one of: a command, a job's name, --attach NAME, --history, --list", hint=hint)
    if as_json and not (history or listed):
        raise UsageError("--json is for --history and --list", hint="nuages run --history --json")
    app = app_of(file, environment)
    if listed:
        return _list(app, as_json=as_json)
    cluster = cluster_of(app, file, context)
    if history:
        return _history(app, cluster, as_json=as_json)
    if attach:
        return _back(app, cluster, attach)
    if job := jobs.named(app, arguments):
        time = job.time if _default("ttl") else ttl
        command = tuple(job.command)
        return execute(app, cluster, command, ttl=time, memory=memory or job.memory, cpu=job.cpu, detach=detach)
    return execute(app, cluster, arguments, ttl=ttl, memory=memory, detach=detach)


def _default(option: str) -> bool:
    """Whether nobody gave an option."""
    return click.get_current_context().get_parameter_source(option) is not ParameterSource.COMMANDLINE


def _list(app: App, *, as_json: bool) -> int:
    from nuages.render import jobs_on_demand as jobs

    found = jobs.declared(app)
    if as_json:
        told = [{"name": name, "command": job.command, "when": job.when or None} for name, job in found.items()]
        console.json({"schema": 1, "jobs": told})
        return 0
    wide = max((len(name) for name in found), default=0)
    for name, job in found.items():
        when = f"   {job.when}" if job.when else ""
        console.print(spelled(f"{name:{wide}}  {shlex.join(job.command)}{when}"))
    return 0


def execute(
    app: App,
    cluster: Cluster,
    arguments: tuple[str, ...],
    *,
    ttl: str,
    memory: str | None = None,
    cpu: str | None = None,
    detach: bool = False,
    kind: Kind | None = None,
) -> int:
    """Run a command, attached or not; answers its exit code."""
    import msgspec

    from nuages.cli.terminal import Terminal
    from nuages.release import run
    from nuages.spec.units import canonical_cpu

    here = Terminal()
    wanted = run.of(app, arguments, ttl=_seconds(ttl), memory=_memory(memory))
    wanted = msgspec.structs.replace(wanted, cpu=canonical_cpu(cpu)) if cpu else wanted
    where = kind or run.in_project
    if not detach:
        term = os.environ.get("TERM", "") if here.tty else ""
        wanted = msgspec.structs.replace(wanted, tty=here.tty, terminal=term)
        story = run.run(app, wanted, cluster, here, kind=where, sink=console.sink)
        return _ended(wanted.name, _within(cluster, story))
    wanted = msgspec.structs.replace(wanted, stdin=False)
    target.run(_within(cluster, run.start(app, wanted, cluster, kind=where, sink=console.sink)))
    console.print(wanted.name)
    click.echo(_way_back(wanted.name), err=True)
    return 0


def _back(app: App, cluster: Cluster, name: str) -> int:
    from nuages.cli.terminal import Terminal
    from nuages.release import run

    return _ended(name, _within(cluster, run.attach(app, name, cluster, Terminal())))


def _ended(name: str, story: Coroutine[Any, Any, Ended]) -> int:
    """The exit code; a person who leaves has done what they wanted."""
    from nuages.release.leaving import Detached

    try:
        ended = target.run(story)
    except Detached:
        click.echo(f"\nleft; {_way_back(name)}", err=True)
        return 0
    if ended.note:
        click.echo(f"✗ {ended.note}", err=True)
    return ended.code


def _way_back(name: str) -> str:
    return f"nuages run --attach {name} shows what it writes, and how it ends"


def _history(app: App, cluster: Cluster, *, as_json: bool) -> int:
    from nuages.release import audit

    found = target.run(_within(cluster, audit.history(app, cluster)))
    if as_json:
        console.json(found)
        return 0
    for ran in found:
        how = ran.note or ("" if ran.exit_code is None else f"exit {ran.exit_code}")
        row = (f"{ran.started:%Y-%m-%d %H:%M}", ran.by, f"release {ran.release}", how or "runs, or lost", ran.pod)
        console.print(spelled("  ".join(filter(None, (*row, shlex.join(ran.command))))))
    return 0


def spelled(text: str) -> str:
    """What others wrote, for a terminal: what would move its cursor, or give it orders, is spelled out."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


async def _within(cluster: Cluster, story: Coroutine[Any, Any, T]) -> T:
    async with cluster:
        return await story


def _seconds(duration: str) -> int:
    from nuages.errors import UsageError
    from nuages.spec.units import DURATION_PATTERN, seconds

    if not re.match(DURATION_PATTERN, duration) or seconds(duration) < 1:
        raise UsageError(f"--ttl {duration} is no time", hint="write 90s, 30m or 8h")
    return math.ceil(seconds(duration))


def _memory(amount: str | None) -> str | None:
    from nuages.errors import UsageError
    from nuages.spec.units import MEMORY_PATTERN

    if amount and not re.match(MEMORY_PATTERN, amount):
        raise UsageError(f"--memory {amount} is no amount", hint="write 512Mi or 1Gi")
    return amount
