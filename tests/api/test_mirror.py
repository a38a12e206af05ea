"""The view stays fresh whatever happens to the connection, and a reader misses nothing."""

import asyncio
import contextlib
import socket
import subprocess

import pytest
import yaml
from eventually import allowed, eventually

from nuages.errors import Forbidden, Gone, Rejected, Unreachable
from nuages.kube.client import Cluster, ObjectList
from nuages.kube.watch import Mirror
from nuages.local.toolchain import tool

PATIENCE = 60


def config_map(namespace, name="a", **data):
    metadata = {"name": name, "namespace": namespace, "labels": {"app": "blog"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


async def until(mirror, holds):
    """Wait as a reader does: look, and sleep until the view is newer than what was looked at."""
    async with asyncio.timeout(PATIENCE):
        while True:
            seen = mirror.version
            if holds():
                return
            await mirror.changed(PATIENCE, since=seen)


class Wire:
    """A TCP way to the API server that can be cut."""

    def __init__(self, host, port):
        self._target = host, port
        self._open = []
        self._server = None
        self._kept = socket.socket()  # so that nobody else gets the port while it is cut
        self._kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._kept.bind(("127.0.0.1", 0))
        self.port = self._kept.getsockname()[1]

    async def mend(self):
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port, reuse_port=True)

    async def end(self):
        await self.cut()
        self._kept.close()

    async def cut(self):
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        for writer in self._open:
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        self._open.clear()

    async def _pass(self, reader, writer):
        self._open.append(writer)
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        try:
            if writer in self._open:  # it may have been cut meanwhile
                self._open.append(far_writer)
                await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        finally:
            far_writer.transport.abort()

    async def _pump(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.close()


@pytest.fixture
async def wire(kubeconfig, tmp_path):
    """A wire, and the kubeconfig of who comes over it."""
    document = yaml.safe_load(kubeconfig.read_text())
    server = document["clusters"][0]["cluster"]["server"]
    host, _, port = server.removeprefix("https://").partition(":")
    made = Wire(host, int(port))
    await made.mend()
    document["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{made.port}"
    made.kubeconfig = tmp_path / "wire"
    made.kubeconfig.write_text(yaml.safe_dump(document))
    yield made
    await made.end()


async def test_the_view_begins_with_what_is_there_and_follows(cluster, namespace):
    await cluster.apply(config_map(namespace, COLOR="orange"))
    async with Mirror(cluster, namespace, ["ConfigMap", "Pod"], {"app": "blog"}) as mirror:
        assert mirror.get("ConfigMap", "a")["data"] == {"COLOR": "orange"}
        assert mirror.items("Pod") == []
        await cluster.apply(config_map(namespace, COLOR="maroon"))
        await until(mirror, lambda: mirror.get("ConfigMap", "a")["data"]["COLOR"] == "maroon")
        await cluster.delete("ConfigMap", namespace, "a")
        await until(mirror, lambda: mirror.get("ConfigMap", "a") is None)


async def test_other_labels_and_namespaces_are_not_seen(cluster, namespace):
    async with Mirror(cluster, namespace, ["ConfigMap"], {"app": "other"}) as mirror:
        await cluster.apply(config_map(namespace))
        assert not await mirror.changed(0.5)
        assert mirror.items("ConfigMap") == []


async def test_a_change_between_looking_and_waiting_is_not_lost(cluster, namespace):
    async with Mirror(cluster, namespace, ["ConfigMap"], {"app": "blog"}) as mirror:
        looked_at = mirror.version
        await cluster.apply(config_map(namespace))
        await until(mirror, lambda: mirror.get("ConfigMap", "a"))
        assert await mirror.changed(0, since=looked_at)


async def test_what_was_just_written_is_seen_at_once_and_never_undone_by_older_news(cluster, namespace):
    async with Mirror(cluster, namespace, ["ConfigMap"], {"app": "blog"}) as mirror:
        for number in range(50):
            live = await cluster.apply(config_map(namespace, N=str(number)))
            mirror.saw(live)
            assert mirror.get("ConfigMap", "a")["data"]["N"] == str(number)
            await asyncio.sleep(0)
            assert mirror.get("ConfigMap", "a")["data"]["N"] == str(number)


async def test_a_lost_connection_is_taken_up_again_and_nothing_is_missed(cluster, namespace, wire):
    async with (
        Cluster.connect(wire.kubeconfig) as over_wire,
        Mirror(over_wire, namespace, ["ConfigMap"], {"app": "blog"}) as mirror,
    ):
        await cluster.apply(config_map(namespace, "before"))
        await until(mirror, lambda: mirror.get("ConfigMap", "before"))
        await wire.cut()
        await cluster.apply(config_map(namespace, "meanwhile"))
        await cluster.delete("ConfigMap", namespace, "before")
        await wire.mend()
        await until(mirror, lambda: mirror.get("ConfigMap", "meanwhile") and not mirror.get("ConfigMap", "before"))


async def test_a_server_that_is_away_is_told_and_waited_for(cluster, namespace, wire):
    async with (
        Cluster.connect(wire.kubeconfig) as over_wire,
        Mirror(over_wire, namespace, ["ConfigMap"], {"app": "blog"}) as mirror,
    ):
        await wire.cut()
        await until(mirror, lambda: isinstance(mirror.unreachable, Unreachable))
        await wire.mend()
        await cluster.apply(config_map(namespace))
        await until(mirror, lambda: mirror.get("ConfigMap", "a"))
        assert mirror.unreachable is None


class Forgetful(Cluster):
    """Lists with a version that the API server has forgotten, once."""

    lists = 0

    async def list(self, kind, namespace=None, labels=None, fields=None):
        found = await super().list(kind, namespace, labels, fields)
        self.lists += 1
        return found if self.lists > 1 else ObjectList(found.items, "1")


@pytest.fixture
async def kind(cluster, namespace):
    """A kind made just now: the API server knows no history of it, and answers 410 for all that was before."""
    name = f"Kind{namespace.removeprefix('test-')}"
    group, plural = "example.com", name.lower()
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": name, "plural": plural},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
    made = await cluster.create(definition)

    def serves():
        live = definitions.get("CustomResourceDefinition", f"{plural}.{group}")
        conditions = live.get("status", {}).get("conditions") or ()  # null at first
        return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)

    async with Mirror(cluster, None, ["CustomResourceDefinition"]) as definitions:
        await until(definitions, serves)

    async def known():
        """Whether it is served already, and said to be: both come a moment later."""
        try:
            await cluster.list(name, namespace)
        except (Gone, Rejected):
            return False
        return True

    await eventually(known)
    yield name
    await cluster.delete("CustomResourceDefinition", None, made["metadata"]["name"])


async def test_a_version_too_old_to_go_on_from_is_listed_anew(kubeconfig, cluster, namespace, kind):
    async with Forgetful.connect(kubeconfig) as forgetful, Mirror(forgetful, namespace, [kind]) as mirror:
        await cluster.apply(
            {"apiVersion": "example.com/v1", "kind": kind, "metadata": {"name": "a", "namespace": namespace}}
        )
        await until(mirror, lambda: mirror.get(kind, "a"))
        assert forgetful.lists >= 2


@pytest.fixture
def kubectl(kubeconfig, namespace):
    def run(*arguments):
        command = [tool("kubectl"), "--kubeconfig", kubeconfig, "-n", namespace, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    return run


async def test_a_right_that_is_taken_away_ends_the_wait(kubectl, wire, namespace):
    kubectl("create", "serviceaccount", "reader")
    kubectl("create", "role", "reader", "--verb=list,watch", "--resource=configmaps")
    kubectl("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace}:reader")
    document = yaml.safe_load(wire.kubeconfig.read_text())
    document["users"][0]["user"] = {"token": kubectl("create", "token", "reader").strip()}
    wire.kubeconfig.write_text(yaml.safe_dump(document))
    async with Cluster.connect(wire.kubeconfig) as reader:
        await allowed(reader, "ConfigMap", namespace)
        async with Mirror(reader, namespace, ["ConfigMap"]) as mirror:
            kubectl("delete", "rolebinding", "reader")
            with pytest.raises(Forbidden):
                while True:
                    await wire.cut()  # an open watch is not asked again whether it may be
                    await wire.mend()
                    await mirror.changed(1)


async def test_a_view_that_may_not_be_had_is_refused_at_once(kubectl, kubeconfig, namespace, tmp_path):
    kubectl("create", "serviceaccount", "nobody")
    document = yaml.safe_load(kubeconfig.read_text())
    document["users"][0]["user"] = {"token": kubectl("create", "token", "nobody").strip()}
    (tmp_path / "config").write_text(yaml.safe_dump(document))
    async with Cluster.connect(tmp_path / "config") as nobody:
        with pytest.raises(Forbidden, match="may not list pods"):
            async with Mirror(nobody, namespace, ["Pod"]):
                pass
