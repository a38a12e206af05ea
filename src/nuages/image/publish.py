"""A built image goes to its repository, with what it is made of and where it comes from attached."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nuages.app.components import App
from nuages.image import provenance, registry, sbom
from nuages.image.build import Built
from nuages.image.registry import Attachment, Pushed
from nuages.image.registry_client import Client, Repository
from nuages.progress import Sink, step


def sign_in(repository: str, sink: Sink) -> None:
    """Ask the registry whether it knows us: better before a build of minutes than after it.

    Raises:
        PushFailed: it does not, or there is none.
    """
    where = Repository.of(repository)
    with step(sink, f"sign in to {where.registry}") as told, Client(where) as client:
        client.connect()
        told.note = client.user


def publish(project: Path, app: App, built: Built, tags: Sequence[str], sink: Sink) -> Pushed:
    """Push an image under its short digest, so that no registry collects it, and under these tags.

    Raises:
        PushFailed: with the registry's own words; no tag was changed.
    """
    repository, content = app.image, built.image
    for front in built.fronts:  # first: whoever finds the app's image there finds them too
        registry.push(front.image, repository, [front.tag], sink)
    documents = [
        Attachment(sbom.MEDIA_TYPE, sbom.bom(content, repository), sbom.NAME),
        Attachment(provenance.MEDIA_TYPE, statement(project, app, built), provenance.NAME),
    ]
    return registry.push(content, repository, list(dict.fromkeys([built.tag, *tags])), sink, attachments=documents)


def statement(project: Path, app: App, built: Built) -> bytes:
    """The provenance of a built image."""
    return provenance.statement(app, built.build, built.materials, provenance.source(project / app.django.root))
