"""A release with objects, as little of each as tells two apart."""

from __future__ import annotations

from typing import Any

import msgspec

from nuages.release.record import Stored
from nuages.render.release import Manifest

from .examples import BUILD, record


def BLOG(number: int, **changed: Any) -> Stored:  # noqa: N802 - reads as a value
    """Release `number` of a blog, but for what is changed."""
    of = {"color": "orange", "replicas": 3, "image": "1", "service": True, "secrets": "blog-secrets-aaa"}
    of |= {"password": "sesame-a", "url": "sesame-a", "secret": "sesame-a", "flag": "sesame-a", "extra": {}, **changed}
    image = f"registry.example.com/acme/blog@sha256:{str(of['image']) * 64}"
    data = {"COLOR": of["color"], "DB_PASSWORD": of["password"], "URL": f"https://u:{of['url']}@host/"}
    env = [{"name": name, "value": value} for name, value in {"RELEASE": str(number), **of["extra"]}.items()]
    command = ["./serve", "--password", of["flag"]]
    pod = {"containers": [{"name": "web", "image": image, "command": command, "env": env}]}
    manifest = Manifest(
        foundation=[
            {"kind": "ConfigMap", "metadata": {"name": f"blog-env-{number:010x}"}, "data": data},
            {"kind": "Secret", "metadata": {"name": "blog-extra"}, "data": {"key": of["secret"]}},
        ],
        services=[],
        expand=[{"kind": "Job", "metadata": {"name": f"blog-migrate-default-expand-{number}"}, "image": image}],
        web=[
            {
                "kind": "Deployment",
                "metadata": {"name": "blog-web-main"},
                "spec": {"replicas": of["replicas"], "template": {"spec": pod}},
            }
        ],
        exposure=[{"kind": "Service", "metadata": {"name": "blog"}}] if of["service"] else [],
    )
    build = msgspec.structs.replace(BUILD, reference=image)
    return Stored(record=record(number, build=build, secrets=of["secrets"]), manifest=manifest)
