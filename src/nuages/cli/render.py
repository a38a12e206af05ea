"""`nuages render`: the objects a release would apply, as YAML, for reading or for other hands."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Print the Kubernetes objects that a release would apply.")
@click.option(
    "--file", "-f", type=click.Path(path_type=Path), default=Path("nuages.yaml"), show_default=True, help="The spec."
)
@click.option("--environment", "-e", default="local", show_default=True, help="One of the spec's environments.")
@click.option("--image", metavar="REF@DIGEST", help="The image to name; a marked placeholder, left out.")
@click.option("--json", "as_json", is_flag=True, help="Print them as one List, as JSON.")
def command(file: Path, environment: str, image: str | None, as_json: bool) -> None:
    """Print what a release would apply, in order. Secrets appear by name only; nothing is touched."""
    import msgspec

    from nuages.checks.spec import accepted, not_built
    from nuages.cli.console import console
    from nuages.errors import UsageError
    from nuages.render.manifest import Release, render
    from nuages.render.text import yaml_of

    app = accepted(file, environment)
    build = not_built(app.image)
    if image is not None:
        if "@sha256:" not in image:
            raise UsageError(f"{image} names no digest", hint="a release carries repository@sha256:…")
        build = msgspec.structs.replace(build, reference=image)
    secrets = f"{app.secret}-{'0' * 10}" if app.secrets else None
    objects = render(app, Release(number=1, template=1, build=build, secrets=secrets)).objects
    if as_json:
        console.json({"apiVersion": "v1", "kind": "List", "items": objects})
    else:
        console.print(yaml_of(objects))
