"""Names, labels and annotations: the one place where they are made.

The recommended set (https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/). A selector takes
the part of it that never changes, because a Deployment's selector can't.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nuages.app.objects import Object

if TYPE_CHECKING:
    from nuages.app.components import App

MANAGER = "nuages"
ENVIRONMENT = "nuages.dev/environment"
# On the namespace of an environment that was made from a template: from which.
TEMPLATE = "nuages.dev/template"
# What holds data: no release prunes it, and `destroy` leaves it unless it is named.
DATA = "nuages.dev/data"
# The migration leaves an object's image expects, as JSON; where they are the applied ones, no Job is needed.
LEAVES = "nuages.dev/migrations"

# "false" on the Service of a web whose pods answer none of the runtime's own paths.
RUNTIME = "nuages.dev/runtime"

COMPONENT = "app.kubernetes.io/component"
# Which one of several of a component: its key in the spec.
KEY = "nuages.dev/key"
# On what stands beside the release that serves for a time: `canary`, `green`, or what is `old` and finishes its tasks.
TRACK = "nuages.dev/track"
# Components: what an object is there for. `run` is what a person starts by hand.
WEB, WORKER, BEAT, MIGRATE, RUN = "web", "worker", "beat", "migrate", "run"
SCHEDULE, JOB, FRONTEND, BACKUP = "schedule", "job", "frontend", "backup"
STATIC, POSTGRES, REDIS, RABBITMQ, MEMCACHED = "static", "postgres", "redis", "rabbitmq", "memcached"
PGBOUNCER, EXPORTER = "pgbouncer", "exporter"
# An object of the user's own.
EXTRA = "extra"
# What whoever runs the cluster may have to apply: rights and limits.
RIGHTS = "rights"
# Of environments from a template: what brings a copy of another's data, and what ends them when their time is over.
CLONE, KEEPER = "clone", "keeper"
MEDIA, VOLUME, CONFIG, NETWORK = "media", "volume", "config", "network"


def selector(app: App, component: str, key: str = "") -> dict[str, str]:
    """What finds the pods of a component, or of one of several (`key`): it never changes while the app lives."""
    labels = {**instance(app), COMPONENT: component}
    return labels | {KEY: key} if key else labels


def labels(app: App, component: str, key: str = "") -> dict[str, str]:
    """All labels of an object."""
    return {
        **selector(app, component, key),
        "app.kubernetes.io/part-of": app.name,
        "app.kubernetes.io/managed-by": MANAGER,
        ENVIRONMENT: app.environment,
    }


def instance(app: App) -> dict[str, str]:
    """What all objects of an app in one environment carry, its pods and volumes too.

    Name and instance: blog in a-b and blog-a in b have the same instance, and the same default namespace.
    """
    return belonging(app.name, app.instance)


def belonging(app: str, instance: str) -> dict[str, str]:
    """The same, of what only the names are known of; the instance is app and environment: `blog-staging`."""
    return {"app.kubernetes.io/name": app, "app.kubernetes.io/instance": instance}


def owned(app: App) -> dict[str, str]:
    """What selects every object that nuages made for an app in one environment."""
    return instance(app) | {"app.kubernetes.io/managed-by": MANAGER}


def metadata(app: App, name: str, component: str, key: str = "", *, data: bool = False) -> Object:
    """The metadata of an object in the app's namespace; `data` marks what must never be pruned."""
    made: Object = {"name": name, "namespace": app.namespace, "labels": labels(app, component, key)}
    return made | {"annotations": {DATA: "true"}} if data else made
