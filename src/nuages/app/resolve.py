"""Spec and environment in, App out."""

from __future__ import annotations

from nuages.app.components import App, Postgres, Web
from nuages.app.connections import max_connections, processes, surge
from nuages.app.timing import timing
from nuages.spec import model
from nuages.spec.load import Spec
from nuages.spec.units import bytes_of, millicores, seconds


def resolve(spec: Spec, environment: str) -> App:
    """The app as it is in one environment.

    Raises:
        UsageError: the spec declares no such environment.
    """
    declared = spec.environment(environment)
    return App(
        name=declared.name,
        environment=environment,
        namespace=declared.namespace or f"{declared.name}-{environment}",
        cluster=declared.cluster,
        image=declared.image,
        image_pull_secret=declared.image_pull_secret,
        django=declared.django,
        build=declared.build,
        web={key: _web(declared, key, web) for key, web in declared.web.items()},
        migrations=declared.migrations,
        postgres=_postgres(declared),
        databases=declared.databases,
        media=declared.media,
        expose=declared.expose,
        env=declared.env,
        secrets=declared.secrets,
    )


def _web(declared: model.EnvironmentSpec, key: str, web: model.Web) -> Web:
    return Web(
        key=key,
        name=f"{declared.name}-web-{key}",
        replicas=web.replicas,
        surge=surge(web.replicas),
        resources=web.resources,
        timing=timing(seconds(web.request_timeout)),
        processes=processes(millicores(web.resources.cpu)),
    )


def _postgres(declared: model.EnvironmentSpec) -> Postgres | None:
    if declared.services.postgres is None:
        return None
    run = declared.services.postgres.run
    return Postgres(
        name=f"{declared.name}-postgres", run=run, max_connections=max_connections(bytes_of(run.resources.memory))
    )
