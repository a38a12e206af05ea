"""The registry: whether it takes images from here, and whether the cluster can say who it is when it pulls."""

from __future__ import annotations

import asyncio
import base64
import binascii
import threading
from collections.abc import Callable
from typing import TypeVar

import msgspec

from nuages.app.components import App
from nuages.errors import Forbidden, NuagesError, PushFailed
from nuages.image.registry_client import Client, Lost, Repository
from nuages.kube.client import Cluster
from nuages.release.doctor.findings import Look, broken, of_error, poor, unknown, works

GROUP = "registry"
PATIENCE = 8.0
"""Seconds for the registry to answer."""

T = TypeVar("T")


async def look(app: App, cluster: Cluster | None, *, own: bool) -> list[Look]:
    """Both ways. A cluster of this machine is given its images, and asks no registry."""
    if cluster and own:
        return [works(GROUP, "images", f"are loaded into {cluster.context}; no registry is needed")]
    return [await push(app.image), *([await pull(app, cluster)] if cluster else [])]


async def push(image: str) -> Look:
    """Begin to push, and take it back: nothing else tells whether we may."""
    where = Repository.of(image)

    def tried() -> str:
        with Client(where) as client:
            client.connect()
            path = client.path("blobs/uploads/")
            begun = client.once("POST", path, "an upload", headers={"Content-Length": "0"}, expected={202})
            if to := begun.headers.get("location"):
                client.once("DELETE", to, "the end of an upload", expected=range(200, 500))
            return client.user

    try:
        user = await asyncio.wait_for(_aside(tried), PATIENCE)
    except TimeoutError:
        said = f"no answer from {where.registry} within {PATIENCE:.0f} s"
        return broken(GROUP, "push", said, "is `image` right, and this machine online?")
    except Lost as lost:
        return of_error(GROUP, "push", lost.error)
    except PushFailed as error:
        return of_error(GROUP, "push", error)
    return works(GROUP, "push", f"{user} may push to {image}")


async def pull(app: App, cluster: Cluster) -> Look:
    """Whether nodes have what opens the registry, where the spec names it."""
    named, where = app.image_pull_secret, Repository.of(app.image)
    if named is None:
        said = "no imagePullSecret is named: nodes pull without a password, or by their own right"
        return works(GROUP, "pull", said)
    try:
        live = await cluster.get("Secret", app.namespace, named)
    except Forbidden:
        return unknown(GROUP, "pull", f"we may not read Secret {named}")
    except NuagesError as error:
        return of_error(GROUP, "pull", error)
    make = f"kubectl create secret docker-registry {named} -n {app.namespace} --docker-server={where.registry}"
    if live is None:
        return broken(GROUP, "pull", f"there is no Secret {named} in {app.namespace}", make)
    known = hosts(live.get("data") or {})
    if known is None:
        return broken(GROUP, "pull", f"Secret {named} holds no registry's login", make)
    if not any(_same(host, where.registry) for host in known):
        return poor(GROUP, "pull", f"Secret {named} opens {', '.join(known) or 'nothing'}, not {where.registry}", make)
    return works(GROUP, "pull", f"Secret {named} opens {where.registry}")


def hosts(data: dict[str, str]) -> list[str] | None:
    """Which registries a Secret opens; None where it is none for registries. Its values go no further."""
    try:
        text = base64.b64decode(data[".dockerconfigjson"])
        return list(msgspec.json.decode(text)["auths"])
    except (KeyError, TypeError, binascii.Error, msgspec.DecodeError):
        return None


def _same(host: str, registry: str) -> bool:
    bare = host.removeprefix("https://").partition("/")[0]
    return bare == registry or (registry == "docker.io" and bare in ("index.docker.io", "registry-1.docker.io"))


def _aside(work: Callable[[], T]) -> asyncio.Future[T]:
    """In a thread that nobody waits for at the end: a registry that never answers must not hold it up."""
    from concurrent.futures import Future  # noqa: PLC0415

    made: Future[T] = Future()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:
            if not made.cancelled():
                made.set_exception(error)
        else:
            if not made.cancelled():
                made.set_result(result)

    threading.Thread(target=run, daemon=True).start()
    return asyncio.wrap_future(made)
