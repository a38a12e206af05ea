"""What one needs to know of an app in one environment to look at it: far less than the app, and quick to have again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nuages.render.labels import belonging

if TYPE_CHECKING:
    from nuages.app.components import App


class Site(NamedTuple):
    """An app in one environment, from outside."""

    name: str
    environment: str
    namespace: str
    instance: str
    hosts: tuple[str, ...] = ()
    """The names that an Ingress or a Gateway leads to it."""
    tls: bool = False
    """Whether browsers come by https, as far as the spec knows."""
    certificate: str = ""
    """The Secret that has its certificate, or will have it; empty where none is the app's."""

    @property
    def labels(self) -> dict[str, str]:
        """What all of its objects carry, its records and pods too (render/labels.py)."""
        return belonging(self.name, self.instance)

    def urls(self, port: int | None = None) -> list[str]:
        """Where it answers by name; `port` is the ingress controller's, where that is not the usual one."""
        scheme, at = "https" if self.tls else "http", f":{port}" if port else ""
        return [f"{scheme}://{host}{at}" for host in self.hosts if "*" not in host]


def site(app: App) -> Site:
    """That of an app."""
    from nuages.render.exposure import certificate  # noqa: PLC0415 - who has a Site at hand needs nothing of it

    expose = app.expose
    led = expose is not None and expose.kind in ("ingress", "gateway")
    return Site(
        name=app.name,
        environment=app.environment,
        namespace=app.namespace,
        instance=app.instance,
        hosts=tuple(expose.hosts) if expose and led else (),
        tls=bool(expose and expose.tls and expose.tls.none is None),
        certificate=(certificate(app, expose) or "") if expose and led else "",
    )
