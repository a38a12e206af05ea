"""`nuages build`: the project's image, without deploying it."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from nuages.cli.console import console
from nuages.cli.target import app_of, spec_options


@click.command()
@spec_options
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Copy the image's OCI archive here."
)
@click.option("--load", is_flag=True, help="Load the image into this machine's cluster.")
def command(file: Path, environment: str, output: Path | None, load: bool) -> None:
    """Build the project's image; its reference is printed.

    Dependencies are built once per lock file, so a change of code costs a second or two. Nothing is deployed.

    \b
    nuages build --load             into the cluster on this machine
    nuages build -o blog.tar        then docker load -i, ctr images import, skopeo copy oci-archive:
    """
    from nuages.image.build import build

    app = app_of(file, environment)
    built = build(file.absolute().parent, app, console.sink)
    console.findings(built.findings)
    if output:
        shutil.copyfile(built.archive, output)
    if load:
        from nuages.local import cluster

        cluster.load("nuages", [built.archive], console.sink)
    console.print(built.build.reference)
