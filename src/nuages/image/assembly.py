"""The image of what was made: a config over its layers, and a label that says what it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from nuages.app.build import FACTS_LABEL, Build
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.image import facts, oci, provenance
from nuages.image.dependencies import VENV, Environment
from nuages.image.frontends import Front
from nuages.image.made import Made
from nuages.image.own import Own
from nuages.project.facts import Facts
from nuages.render import access

USER = 1000


def ours(
    app: App, found: Facts, environment: Environment, made: Made, fronts: Iterable[Front]
) -> tuple[oci.Image, Build]:
    """The image with the project's layers above its dependencies."""
    below = environment.system.image
    known = _known(made.told, found, user=USER, folder=facts.WORKING_DIR, fronts=fronts)
    settings = {
        "User": f"{USER}:{USER}",
        "WorkingDir": facts.WORKING_DIR,
        "Cmd": ["python", "-m", "nuages_runtime.serve"],
        "ExposedPorts": {"8000/tcp": {}},
    }
    env = {
        "PATH": f"{VENV}/bin:{below.env.get('PATH', '/usr/bin:/bin')}",
        "VIRTUAL_ENV": VENV,
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        # The root file system is read-only, and libraries look for a home to write into.
        "HOME": "/tmp",  # noqa: S108 - a container's own
    }
    on_top = [*environment.layers, *(kept.layer() for kept in made.layers)]
    return _image(app, found, known, below, on_top, settings=settings, env=env)


def theirs(app: App, found: Facts, own: Own, fronts: Iterable[Front]) -> tuple[oci.Image, Build]:
    """The image of the project's own Dockerfile, with what a release needs to know and to run."""
    known = _known(own.told, found, user=own.seat.user, folder=own.seat.folder, fronts=fronts)
    settings = {"User": f"{own.seat.user}", "WorkingDir": own.seat.folder}
    return _image(app, found, known, own.below, own.layers, settings=settings, env={})


def _image(
    app: App,
    found: Facts,
    known: Build,
    below: oci.Image,
    layers: Sequence[oci.Layer],
    *,
    settings: Object,
    env: Mapping[str, str],
) -> tuple[oci.Image, Build]:
    variables = {
        "DJANGO_SETTINGS_MODULE": known.settings,
        "NUAGES_WSGI": known.wsgi,
        **({"NUAGES_ASGI": known.asgi} if known.asgi else {}),
    }
    labels = _labels(app, known, provenance.source(found.root))
    image = oci.append(below, layers, settings=settings, env={**env, **variables}, labels=labels)
    return image, msgspec.structs.replace(known, reference=f"{app.image}@{image.digest}")


def _known(told: facts.Told, found: Facts, *, user: int, folder: str, fronts: Iterable[Front]) -> Build:
    """What the label says of an image; its reference follows from its digest, and so from the label."""
    return Build(
        reference="",
        wsgi=told.wsgi,
        asgi=told.asgi,
        settings=told.settings,
        static_url=told.static_url or "",
        django=told.django,
        python=told.python,
        engines=told.engines,
        migrations=told.migrations,
        tasks=told.tasks,
        gates=told.gates,
        static_root=told.static_root,
        static_tree=told.static_tree,
        static_hashed=told.static_hashed,
        media_root=told.media_root,
        frontends={front.key: front.image.digest for front in fronts},
        user=user,
        working_dir=folder,
        revision=provenance.revision(found.root),
        # The variables with the parts of a service's address that the settings ask for.
        reads=tuple(sorted({variable.name for variable in found.variables} & access.CONVENTIONS.keys())),
    )


def _labels(app: App, known: Build, source: str) -> dict[str, str]:
    """The facts, and what any tool reads: https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md."""
    return {
        FACTS_LABEL: facts.label(known),
        "org.opencontainers.image.title": app.name,
        **({"org.opencontainers.image.revision": known.revision} if known.revision else {}),
        **({"org.opencontainers.image.source": source} if source else {}),
    }
