"""Which Secrets an app needs, and what is generated in them; never a value.

Values are made in the cluster, once, by whoever applies these: they are not in a manifest, a record or a file.
"""

from __future__ import annotations

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.labels import CONFIG, POSTGRES, metadata
from nuages.render.postgres import PASSWORD_KEY


class SourceSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A Secret that must exist before a release: the object without data, and its keys."""

    object: Object
    generated: tuple[str, ...]
    """Keys that get a random value where they have none; URL-safe characters only."""
    expected: tuple[str, ...] = ()
    """Keys that a person sets; a release without them is refused."""


def generated_secrets(app: App) -> list[SourceSecret]:
    """The Secrets that nuages keeps for an app, in order; those of others are only referred to."""
    own = {name: source for name, source in sorted(app.secrets.items()) if source.secret is None}
    needed = []
    if own:
        needed.append(
            SourceSecret(
                object=_secret(app, app.secret, CONFIG),
                generated=tuple(name for name, source in own.items() if source.generate),
                expected=tuple(name for name, source in own.items() if not source.generate),
            )
        )
    if app.postgres:
        # The password lives as long as the volume: PostgreSQL keeps the one it was initialised with.
        needed.append(SourceSecret(object=_secret(app, app.postgres.name, POSTGRES), generated=(PASSWORD_KEY,)))
    return needed


def _secret(app: App, name: str, component: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": metadata(app, name, component, data=True),
    }
