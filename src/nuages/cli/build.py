"""`nuages build`: the project's image, without deploying it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.asked import done_option
from nuages.cli.console import console
from nuages.cli.target import app_of, spec_options

if TYPE_CHECKING:
    from nuages.app.components import App
    from nuages.image.build import Built

# https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@spec_options
@click.option("--push", is_flag=True, help="Push it to `image`, with its SBOM and provenance attached.")
@click.option("--tag", "-t", "tags", multiple=True, metavar="TAG", help="Push it under this tag too; may be repeated.")
@click.option("--load", is_flag=True, help="Load the image into this machine's cluster.")
@click.option("--output", "-o", type=_FILE, help="Write the image's OCI archive here.")
@click.option("--sbom", type=_FILE, help="Write what is in it here, as CycloneDX.")
@click.option("--provenance", type=_FILE, help="Write where it comes from here, as SLSA provenance.")
@click.option("--dockerfile", is_flag=True, help="Print a Dockerfile that makes such an image; build nothing.")
@done_option
def command(
    *,
    file: Path,
    environment: str,
    push: bool,
    tags: tuple[str, ...],
    load: bool,
    output: Path | None,
    sbom: Path | None,
    provenance: Path | None,
    dockerfile: bool,
    as_json: bool,
) -> None:
    """Build the project's image; its reference is printed.

    Dependencies are built once per lock file, so a change of code costs a second or two. Nothing is deployed.

    \b
    nuages build --load             into the cluster on this machine
    nuages build --push -t v1.2     to the registry of `image`; docker login once before
    nuages build -o blog.tar        then docker load -i, ctr images import, skopeo copy oci-archive:
    nuages build --dockerfile > Dockerfile
    """
    from nuages.errors import UsageError

    project = file.absolute().parent
    if tags and not push:
        raise UsageError("--tag names what is pushed, and nothing is", hint="add --push")
    if wrong := [tag for tag in tags if not _TAG.fullmatch(tag)]:
        raise UsageError(f"{wrong[0]!r} can't be a tag", hint="letters, digits, _ . - and at most 128 of them")
    if dockerfile and as_json:
        raise UsageError("--dockerfile prints a Dockerfile, and no JSON", hint="one of the two")
    app = app_of(file, environment)
    if dockerfile:
        from nuages.image import dockerfile as written

        console.print(written.dockerfile(project, app).rstrip("\n"))
        return
    if push:
        from nuages.image import publish

        publish.sign_in(app.image, console.sink)
    from nuages.image.build import build

    built = build(project, app, console.sink)
    console.findings(built.findings)
    _write(project, app, built, output=output, sbom=sbom, provenance=provenance)
    if load:
        from nuages.local import delivery

        delivery.load(app, built, console.sink)
    if push:
        publish.publish(project, app, built, tags, console.sink)
    if as_json:
        from nuages.cli.done import Built as Told

        files = [str(path) for path in (output, sbom, provenance) if path]
        console.json(
            Told(
                reference=built.build.reference,
                pushed=push,
                tags=list(tags),
                loaded=load,
                files=files,
                findings=list(built.findings),
            )
        )
    else:
        console.print(built.build.reference)


def _write(
    project: Path, app: App, built: Built, *, output: Path | None, sbom: Path | None, provenance: Path | None
) -> None:
    """Write the files that were asked for."""
    if output:
        shutil.copyfile(built.archive, output)
    if sbom:
        from nuages.image.sbom import bom

        sbom.write_bytes(bom(built.image, app.image))
    if provenance:
        from nuages.image.publish import statement

        provenance.write_bytes(statement(project, app, built))
