"""Three commands on one small app, as a program of its own, so that it can be killed:

    python tests/api/faultstory.py KUBECONFIG NAMESPACE FOLDER first|change|back

`first` releases from nothing; `change` another colour with two more migrations; `back` returns to the first.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from nuages.app.build import Build
from nuages.app.components import App, resolve
from nuages.errors import NuagesError
from nuages.kube.client import Cluster
from nuages.progress import silent
from nuages.release import engine
from nuages.release.back.rollback import rollback
from nuages.release.deploy import deploy
from nuages.release.phases import verify
from nuages.spec.load import load

SPEC = """
apiVersion: nuages/v1
name: blog
image: registry.example.com/acme/blog
django: {settings: blog.settings}
web: {main: {replicas: 2}}
workers: {default: {celery: {app: blog}}}
beat: {celery: {app: blog}}
services: {postgres: {run: {}}, redis: {run: {}}}
databases: {default: postgres}
env: {COLOR: COLOUR}
secrets: {SECRET_KEY: {generate: true}}
environments: {local: {namespace: NAMESPACE}}
"""
LEAVES = {"first": "0001_initial", "change": "0003_tidy"}
BUILDS = {
    name: Build(
        reference="registry.example.com/acme/blog@sha256:" + digit * 64,
        wsgi="blog.wsgi:application",
        settings="blog.settings",
        migrations={"posts": [LEAVES[name]]},
    )
    for name, digit in (("first", "1"), ("change", "2"))
}
BEFORE = {"first": (), "change": ("first",), "back": ("first", "change")}
"""What has to be done before a command."""


def hurry() -> None:
    """Nobody answers here, so nobody is waited for; a server that went away is asked again soon."""
    verify.VERIFY = timedelta(0)
    engine.AWAY = 0.3


def app(namespace: str, folder: Path, action: str) -> App:
    """The spec as it is for this command."""
    colour = "maroon" if action == "change" else "orange"
    spec = folder / f"{action}.yaml"
    spec.write_text(SPEC.replace("NAMESPACE", namespace).replace("COLOUR", colour))
    return resolve(load(spec), "local")


async def act(action: str, kubeconfig: Path, namespace: str, folder: Path) -> None:
    """One command, from connecting to its end."""
    wanted = app(namespace, folder, action)
    async with Cluster.connect(kubeconfig) as cluster:
        if action == "back":
            # Nobody reads a pod's log here, so nobody can look at the database.
            await rollback(wanted, 1, cluster, silent, anyway=True)
        else:
            await deploy(wanted, BUILDS[action], cluster, silent)


def main() -> int:
    """Run one; its exit code."""
    kubeconfig, namespace, folder, action = sys.argv[1:]
    hurry()
    try:
        asyncio.run(act(action, Path(kubeconfig), namespace, Path(folder)))
    except NuagesError as error:
        sys.stdout.write("\n".join((type(error).__name__, error.message, error.detail, error.hint)))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
