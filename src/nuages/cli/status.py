"""`nuages status`: one screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.console import console, duration
from nuages.cli.target import app_of, cluster_of, cluster_options, run

if TYPE_CHECKING:
    from nuages.app.components import App
    from nuages.kube.client import Cluster
    from nuages.release.record import Record
    from nuages.release.status import Status


@click.command()
@cluster_options
@click.option("--json", "as_json", is_flag=True, help="Print the status as JSON.")
def command(file: Path, environment: str, context: str | None, as_json: bool) -> None:
    """What runs, in which release, and what is wrong."""
    import msgspec

    app = app_of(file, environment)
    found = run(_look(app, cluster_of(app, file, context)))
    if as_json:
        console.print(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        for line in _lines(found):
            console.print(line)


async def _look(app: App, cluster: Cluster) -> Status:
    from nuages.local.info import ingress_port
    from nuages.release.status import encrypted, status

    async with cluster:
        return await status(app, cluster, ingress_port(cluster.context, tls=encrypted(app.expose)))


def _lines(found: Status) -> list[str]:
    """The screen: what serves, the parts, where it answers, what is wrong."""
    serving = f"release {found.release}" if found.release else "no release live yet"
    lines = [f"{found.app}  {serving}  in {found.namespace} ({found.context})"]
    if found.latest:
        where = f" in {found.phase}" if found.phase else ""
        lines.append(f"release {found.latest} {found.latest_outcome}{where}")
    if found.waits:
        lines += [f"… waits: {found.waits}", *([f"  {found.hint}"] if found.hint else [])]
    if found.latest_outcome == "running" and not found.waits and not found.lock:
        lines.append(f"… nobody is at it; {found.hint or 'nuages deploy goes on with it'}")
    if found.lock:
        what = ": ".join(filter(None, [found.lock.command, found.lock.message]))
        does = "locked it" if found.lock.by_hand else "is at work"
        lines.append(f"… {found.lock.who} {does}, since {found.lock.since}" + (f"  {what}" if what else ""))
    wrong = {problem.name for problem in found.problems}
    for part in found.components:
        mark = "✗" if part.name in wrong else "✓" if part.ready == part.wanted else "…"
        restarts = {0: "", 1: "  1 restart"}.get(part.restarts, f"  {part.restarts} restarts")
        lines.append(f"{mark} {part.name:<24} {part.ready}/{part.wanted} ready{restarts}  {part.state}".rstrip())
    lines += [f"  {address}" for address in found.addresses]
    for problem in found.problems:
        lines.append(f"✗ {problem.name}: {problem.summary}")
        lines += [f"    {line}" for line in problem.detail.splitlines()]
        lines += [f"  hint  {problem.hint}"] if problem.hint else []
    return lines


async def live(app: App, cluster: Cluster, record: Record) -> list[str]:
    """What is said when a release is live: which, how long it took, where it answers. Of one that waits: for what."""
    if record.paused:
        hint = [f"  {record.paused.hint}"] if record.paused.hint else []
        return [f"Release {record.number} waits in {record.paused.phase}: {record.paused.reason}", *hint]
    from nuages.local.info import ingress_port
    from nuages.release.status import encrypted, way_in

    serves = record.live or record.ended
    took = duration((serves - record.started).total_seconds()) if serves else ""
    answers = await way_in(app, cluster, ingress_port(cluster.context, tls=encrypted(app.expose)))
    return [f"Release {record.number} is live in {app.namespace}, after {took}", *(f"  {url}" for url in answers)]
