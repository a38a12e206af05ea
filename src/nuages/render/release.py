"""What is rendered for (a release), and what comes out (a manifest)."""

from __future__ import annotations

import msgspec

from nuages.app.build import Build, Statics
from nuages.app.objects import Object


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered attempt to bring an image live, as far as its objects show it.

    `template` is the release in which the pods' template last changed: pods show it (env RELEASE), so that an unchanged
    app renders the same bytes under a new number, and no pod rolls.
    """

    number: int
    """This release's own number; it names the migrate Job."""
    template: int
    build: Build
    running: int | None = None
    """The release that serves while this one is brought live, whose code migrations must not break; None where none
    does, or nothing is left running on purpose (maintenance)."""
    maintenance: bool = False
    """Whether a page stands in for the app while the database is migrated."""
    canary: str = ""
    """Whether a set of its own goes beside the one that serves first: `canary`, `blue-green`, or "" for none."""
    statics: tuple[Statics, ...] = ()
    """Images whose static files stay reachable, what this one has among them; the first serves them all."""
    fronts: dict[str, tuple[str, ...]] = {}
    """Per front end the images of earlier releases whose files stay reachable."""
    secrets: str | None = None
    """The immutable Secret that this release's pods read (`blog-secrets-1f3a9c`); None where the app declares no
    secret."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a Secret holds an address; the address itself is in no record."""

    secret: str
    key: str


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """What is done at one point of a release: a Job, or a request."""

    objects: list[Object] = []
    webhook: Address | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All objects of an app in one environment, in the order in which they are applied."""

    foundation: list[Object]
    """Namespace, ServiceAccount, ConfigMap of the environment, NetworkPolicies, volumes."""
    services: list[Object]
    """Data stores that run in the cluster; not rolled by releases."""
    static: list[Object] = []
    """Deployment and Service of the static files of this release and the ones before: before any page names them."""
    maintenance: list[Object] = []
    """The page that stands in for the app, where that was asked for."""
    expand: list[Object]
    """The migrate Job: it ends well before any pod of this release starts."""
    canary: list[Object] = []
    """The set that goes beside the one that serves, where that was asked for."""
    workers: list[Object] = []
    """Deployment and disruption budget of each worker: before the web, which sends them tasks."""
    web: list[Object]
    """Deployment, Service and disruption budget of each web component."""
    exposure: list[Object]
    """How the outside gets in: Service of type LoadBalancer or NodePort, Ingress, HTTPRoute."""
    beat: list[Object] = []
    """The StatefulSet of beat, last: what it sends, the new workers know."""
    schedules: list[Object] = []
    """A CronJob for each command at its time: after the web, since it runs what was released."""
    frontends: list[Object] = []
    """Deployment, Service and disruption budget of each front end: after the web, whose API it asks."""
    settle: list[Object] = []
    """The Job of what migrations leave for after the rollout; run where something is left."""
    contract: list[Object] = []
    """The Job that takes away what no running code knows any more; run where the spec wants it in this release."""
    undo: list[Object] = []
    """Of a rollback: the Job, in the newer image, that undoes migrations once the old pods are back."""
    hooks: dict[str, Hook] = {}
    """What is done beside the phases, by the point at which it is."""

    @property
    def objects(self) -> list[Object]:
        """All of them, in order."""
        return [
            *self.foundation,
            *self.services,
            *self.static,
            *self.maintenance,
            *self.expand,
            *self.canary,
            *self.workers,
            *self.web,
            *self.exposure,
            *self.frontends,
            *self.beat,
            *self.schedules,
            *self.settle,
            *self.contract,
            *self.undo,
            *(item for hook in self.hooks.values() for item in hook.objects),
        ]
