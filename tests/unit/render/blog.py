"""The blog, as its render tests see it: one spec, one build, several environments; and the examples beside it."""

from __future__ import annotations

from pathlib import Path

from nuages.app.build import Build
from nuages.app.components import App, resolve
from nuages.render.release import Release
from nuages.spec.load import load, parse

SPEC = """\
name: blog
image: registry.example.com/acme/blog
django: {settings: blog.settings}
web:
  main: {replicas: 3, requestTimeout: 30s, resources: {cpu: 100m, memory: 256Mi}}
services: {postgres: {run: {version: "17", storage: 1Gi}}}
databases: {default: postgres}
media: {volume: {size: 1Gi}}
expose: {kind: loadBalancer, hosts: [blog.localhost]}
env: {COLOR: orange, ALLOWED_HOSTS: "*"}
secrets: {SECRET_KEY: {generate: true}}
environments:
  local: {}
  ingress:
    expose: {kind: ingress, class: traefik, hosts: [blog.example.com, www.example.com], tls: {issuer: letsencrypt}}
  gateway:
    expose: {kind: gateway, class: gateways/public, hosts: [blog.example.com]}
  nodeport:
    expose: {kind: nodePort, nodePort: 30005}
  small:
    imagePullSecret: acme
    web: {main: {replicas: 1, resources: {cpu: "1.5"}}}
    media: {volume: {accessMode: ReadWriteOnce, storageClass: fast}}
    env: {FLAG: {configMap: flags, key: x}}
    expose: null
  stateless:
    services: null
    databases: null
    media: null
    env: null
    secrets: null
"""
ENVIRONMENTS = ("local", "ingress", "gateway", "nodeport", "small", "stateless")
EXAMPLES = Path(__file__).parents[3] / "examples"
# Each environment of each example, as example-environment.
EXAMPLE_ENVIRONMENTS = tuple(
    f"{name}-{environment}"
    for name, environments in (
        ("every-field", ("local", "gateway", "production", "managed")),
        ("celery", ("local", "production")),
        ("folder", ("local",)),
        ("cloudnativepg", ("production",)),
        ("whole", ("staging", "production")),
    )
    for environment in environments
)


def example(named: str) -> App:
    """The app of an entry of EXAMPLE_ENVIRONMENTS."""
    name, _, environment = named.rpartition("-")
    return resolve(load(EXAMPLES / f"{name}.nuages.yaml"), environment)


def any_app(named: str) -> App:
    """The app of any entry of both."""
    return blog(named) if named in ENVIRONMENTS else example(named)


def blog(environment: str = "local", spec: str = SPEC) -> App:
    return resolve(parse(spec.encode(), "nuages.yaml"), environment)


def release(number: int = 1, *, asgi: bool = False, **changes: object) -> Release:
    build = Build(
        reference=f"registry.example.com/acme/blog@sha256:{'7' * 64}",
        wsgi="blog.wsgi:application",
        **({"asgi": "blog.asgi:application"} if asgi else {}),
        settings="blog.settings",
        migrations={"posts": ["0002_tags"], "auth": ["0012_alter_user_first_name_max_length"]},
        media_root="/app/media",
    )
    return Release(
        **{"number": number, "template": number, "build": build, "secrets": "blog-secrets-1f3a9c", **changes}
    )  # type: ignore[arg-type]
