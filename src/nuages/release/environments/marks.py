"""What is written down of an environment that was made from a template: on its namespace, which is made for it alone.

Who looks needs nothing else: no file of this machine, and no other object of the cluster.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Refused
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.render.labels import ENVIRONMENT, MANAGER, TEMPLATE

EXPIRES = "nuages.dev/expires"
CLONED = "nuages.dev/cloned"
SEEDED = "nuages.dev/seeded"
ASLEEP = "nuages.dev/asleep"


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """An environment as its namespace tells of it."""

    app: str
    environment: str
    namespace: str
    template: str
    created: datetime
    expires: datetime | None = None
    cloned: str = ""
    """Which environment its data is from."""
    seeded: str = ""
    asleep: datetime | None = None
    ending: bool = False

    def expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires is not None and self.expires <= now


def read(namespace: Object) -> Marks:
    """What a namespace of ours tells."""
    about = namespace["metadata"]
    labels, annotations = about.get("labels") or {}, about.get("annotations") or {}
    return Marks(
        app=labels.get("app.kubernetes.io/part-of", ""),
        environment=labels.get(ENVIRONMENT, ""),
        namespace=about["name"],
        template=labels.get(TEMPLATE, ""),
        created=_moment(about["creationTimestamp"]) or datetime.now(UTC),
        expires=_moment(annotations.get(EXPIRES)),
        cloned=annotations.get(CLONED, ""),
        seeded=annotations.get(SEEDED, ""),
        asleep=_moment(annotations.get(ASLEEP)),
        ending="deletionTimestamp" in about,
    )


async def of(app: App, cluster: Cluster) -> Marks | None:
    """The marks of an environment; None where it is not there.

    Raises:
        Refused: the namespace is there, and is something else.
    """
    live = await cluster.get("Namespace", None, app.namespace)
    if live is None:
        return None
    found, labels = read(live), live["metadata"].get("labels") or {}
    ours = labels.get("app.kubernetes.io/managed-by") == MANAGER
    if not ours or (found.app, found.environment, found.template) != (app.name, app.environment, app.template):
        said = f"namespace {app.namespace} was not made for {app.environment} from the template {app.template}"
        finding = Finding("release.E405", Level.ERROR, said, Place(path=app.namespace), "choose another name")
        raise Refused(f"{app.instance} can't be had; nothing was touched", findings=[finding])
    return found


async def there(app: App, cluster: Cluster) -> Marks:
    """The same, of one that has to be there: a name that was mistyped makes no environment.

    Raises:
        Refused: it is not, or it is on its way out.
    """
    found = await of(app, cluster)
    if found is None:
        hint = f"nuages env up {app.environment} makes it from the template {app.template}"
        raise Refused(f"there is no environment {app.environment}", hint=hint)
    if found.ending:
        raise Refused(f"{app.environment} is being removed", hint="nuages env list says when it is gone")
    return found


async def mark(app: App, cluster: Cluster, **said: str | None) -> None:
    """Write some of it down, by the names of Marks; None takes it away."""
    names = {"expires": EXPIRES, "cloned": CLONED, "seeded": SEEDED, "asleep": ASLEEP}
    annotations = {names[name]: value for name, value in said.items()}
    await cluster.patch_merge("Namespace", None, app.namespace, {"metadata": {"annotations": annotations}})


def written(moment: datetime) -> str:
    """A time as it is written down."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()


def until(app: App, now: datetime) -> datetime | None:
    """When the time of an environment that is brought up now is over."""
    return now + timedelta(seconds=app.ttl) if app.ttl else None


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None  # somebody's hand was in it
