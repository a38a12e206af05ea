"""`nuages cp`: files into a pod that serves, and out of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.asked import done_option
from nuages.cli.console import console
from nuages.cli.target import app_of, cluster_of, cluster_options, run

if TYPE_CHECKING:
    from nuages.release.copying import Copied
    from nuages.release.entrance import Place


@click.command()
@click.argument("source", metavar="SOURCE")
@click.argument("target", metavar="TARGET")
@cluster_options
@click.option("--container", "-c", help="Another container of the pod than the one that does its work.")
@done_option
def command(
    source: str,
    target: str,
    *,
    file: Path,
    environment: str,
    context: str | None,
    container: str | None,
    as_json: bool,
) -> None:
    """Copy a file or a folder into a pod or out of it; the side of the pod is written COMPONENT:PATH or POD:PATH.

    Into a folder that is there it goes under its own name. What goes into a pod is gone with it, but for a volume's
    files; it is kept for `nuages run --history`.

    \b
    nuages cp web:/tmp/profile.out .          a file of a pod of the webs
    nuages cp fixtures.json web:/tmp/         into its folder for what passes
    nuages cp web-main:media ./media          a folder; relative to where manage.py is
    """
    from nuages.errors import UsageError
    from nuages.progress import step
    from nuages.release import copying, entrance, named

    there, here = _far(source), _far(target)
    if bool(there) == bool(here):
        hint = "nuages cp web:/tmp/a.txt .    or    nuages cp a.txt web:/tmp/"
        raise UsageError("one side is a pod's, written COMPONENT:PATH, and one is here", hint=hint)
    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)
    name, path = there or here or ("", "")

    async def story() -> tuple[Place, Copied]:
        async with cluster:
            where = entrance.place(await named.pod(app, name, cluster), container or "")
            far = copying.Far(where, path)
            with step(console.sink, f"copy {'from' if there else 'to'} {where.pod}") as shown:
                if there:
                    made = await copying.get(app, far, Path(target), cluster, shown.say)
                else:
                    made = await copying.put(app, Path(source), far, cluster, shown.say)
                shown.note = f"{made.files} file{'' if made.files == 1 else 's'}, {copying.amount(made.size)}"
            return where, made

    where, made = run(story())
    if as_json:
        from nuages.cli import done

        told = {"pod": where.pod, "container": where.container, "source": source, "target": target}
        console.json(done.done(done.Copied, app, **told, files=made.files, bytes=made.size))


def _far(written: str) -> tuple[str, str] | None:
    """The pod and the path of `web:/tmp`; None of a path here, which may have a colon behind its first slash."""
    name, colon, path = written.partition(":")
    return (name, path or ".") if colon and name and "/" not in name else None
