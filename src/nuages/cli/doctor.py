"""`nuages doctor`: what works, what not, and the cure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.console import console
from nuages.cli.target import app_of, cluster_of, cluster_options, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from nuages.app.components import App
    from nuages.kube.client import Cluster
    from nuages.release.doctor.findings import Examination, Look

MARKS = {"works": ("✓", "green"), "broken": ("✗", "red"), "poor": ("!", "yellow"), "unknown": ("?", "dim")}
TITLES = {
    "machine": "This machine",
    "cluster": "The cluster",
    "rights": "Rights",
    "environment": "The environment",
    "registry": "The registry",
    "inside": "From inside a pod",
}
WIDE = 18


@click.command()
@cluster_options
@click.option("--namespace", "-n", help="Where rights are asked for; the environment's, left out.")
@click.option("--no-pod", is_flag=True, help="Start no pod: names and data stores are not looked at from inside.")
@click.option("--role", is_flag=True, help="Print a Role with the rights that a release takes, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print the examination as JSON.")
def command(
    *,
    file: Path,
    environment: str,
    context: str | None,
    namespace: str | None,
    no_pod: bool,
    role: bool,
    as_json: bool,
) -> int:
    """Look at all that a release stands on: this machine, the cluster, rights, the registry; with the cure.

    Without nuages.yaml, at what every app needs. Nothing is changed; for a moment a pod with the live release's image
    looks from inside. Exit code 1 where something stands in the way.

    \b
    nuages doctor
    nuages doctor -e production --no-pod
    nuages doctor --role | kubectl apply -f -      by who may give rights
    """
    from nuages.release.doctor.findings import State

    app, wrong = _app(file, environment)

    def connect() -> Cluster:
        from nuages.kube.client import Cluster

        return cluster_of(app, file, context) if app else Cluster.connect(None, context)

    if role:
        console.print(_role(app, connect(), namespace))
        return 0
    shown = None if as_json else _Page()
    found = run(_examined(app, connect, namespace, wrong, shown, pod=not no_pod))
    if as_json:
        console.json(found)
    else:
        poor = sum(look.state is State.POOR for look in found.looks)
        console.print(f"\n{_counted(len(found.broken), poor)}")
    return 1 if found.broken else 0


def _app(file: Path, environment: str) -> tuple[App | None, Look | None]:
    """The app, where there is a nuages.yaml; and what is wrong with it."""
    from nuages.errors import Refused
    from nuages.release.doctor.findings import broken

    if not file.exists() and file == Path("nuages.yaml"):
        return None, None
    try:
        return app_of(file, environment), None
    except Refused as refused:
        return None, broken("machine", file.name, refused.message.rstrip("."), "nuages check")


async def _examined(
    app: App | None,
    connect: Callable[[], Cluster],
    namespace: str | None,
    wrong: Look | None,
    shown: _Page | None,
    *,
    pod: bool,
) -> Examination:
    from nuages.local.info import every
    from nuages.local.versions import KUBERNETES
    from nuages.release.doctor.examine import examine
    from nuages.release.doctor.findings import Examination
    from nuages.release.doctor.machine import Machine

    looks = []
    told: dict[str, str] = {}

    def known() -> Cluster:
        cluster = connect()
        told.update(context=cluster.context, server=cluster.server, namespace=cluster.namespace or "default")
        return cluster

    for look in [wrong] if wrong else []:
        looks.append(look)
        if shown:
            shown.show(look)
    here = Machine(KUBERNETES, {info.context: info.name for info in every() if info.running})
    async for look in examine(app, here, known, namespace, pod=pod):
        looks.append(look)
        if shown:
            shown.show(look)
    where = namespace or (app.namespace if app else told.get("namespace", ""))
    return Examination(
        app=app.name if app else "",
        environment=app.environment if app else "",
        namespace=where,
        context=told.get("context", ""),
        server=told.get("server", ""),
        looks=looks,
    )


def _role(app: App | None, cluster: Cluster, namespace: str | None) -> str:
    from nuages.release.doctor import reach, rights
    from nuages.render.text import yaml_of

    async def story() -> str:
        async with cluster:
            where = namespace or (app.namespace if app else cluster.namespace or "default")
            return yaml_of(rights.role(rights.needed(app), where, await reach.who(cluster)))

    return run(story())


def _counted(broken: int, poor: int) -> str:
    if not broken:
        return "nothing stands in the way" + (f"; {poor} to know of" if poor else "")
    return f"{broken} {'thing stands' if broken == 1 else 'things stand'} in the way"


class _Page:
    """Prints each look as it comes, below the title of its group."""

    def __init__(self) -> None:
        """Nothing printed."""
        self._group = ""

    def show(self, look: Look) -> None:
        """One line, and its cure below."""
        if look.group != self._group:
            console.print(("\n" if self._group else "") + console.style(TITLES[look.group], "bold"))
            self._group = look.group
        mark, colour = MARKS[look.state.value]
        console.print(f"{console.style(mark, colour)} {look.topic:<{WIDE}}  {look.said}".rstrip())
        if look.cure:
            console.print(f"{'':{WIDE + 2}}  cure: {look.cure}")
