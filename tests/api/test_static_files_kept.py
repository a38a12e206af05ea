"""Static files of several releases against a real API server: what rolls, what does not, and an image that is gone."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest
from kubelet import Kubelet
from test_release import BUILD, blog

from nuages.progress import silent
from nuages.release import engine
from nuages.release.back.rollback import rollback
from nuages.release.deploy import deploy
from nuages.release.phases import verify

pytestmark = pytest.mark.api


class Registry(Kubelet):
    """A kubelet that can't pull the images in `gone`."""

    def __init__(self, cluster, namespace):
        super().__init__(cluster, namespace)
        self.gone = set()

    def _pod(self, pod):
        missing = [each["name"] for each in pod["spec"].get("initContainers", []) if each["image"] in self.gone]
        if not missing:
            return super()._pod(pod)
        waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "manifest unknown"}}
        status = {"name": missing[0], "image": "", "imageID": "", "restartCount": 0, "ready": False, "state": waiting}
        return {"phase": "Pending", "initContainerStatuses": [status]}


@pytest.fixture
async def kubelet(cluster, namespace):
    player = Registry(cluster, namespace)
    task = asyncio.create_task(player.play())
    yield player
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch):
    monkeypatch.setattr(verify, "VERIFY", timedelta(0))
    monkeypatch.setattr(engine, "PATIENCE", 0)


def build(code, files=""):
    """The image `code` with the static files `files`, its own where none are named."""
    return msgspec.structs.replace(
        BUILD,
        reference=f"registry.example.com/acme/blog@sha256:{code * 64}",
        static_root="/app/static",
        static_url="/static/",
        static_tree=(files or code) * 16,
        static_hashed=True,
    )


async def kept(app, cluster):
    """The images that the pods have files of, and the Deployment's generation; None where there are no such pods."""
    live = await cluster.get("Deployment", app.namespace, "blog-static")
    if live is None:
        return None
    copied = live["spec"]["template"]["spec"]["initContainers"]
    return "".join(each["image"][-1] for each in copied), live["metadata"]["generation"]


async def test_files_of_earlier_releases_are_kept_and_nothing_rolls_where_they_are_the_same(
    namespace, tmp_path, cluster, kubelet
):
    app = blog(namespace, tmp_path)
    await deploy(app, build("a"), cluster, silent)
    assert await kept(app, cluster) is None, "one image has all there is to ask for"
    second = await deploy(app, build("b"), cluster, silent)
    assert [passed.phase for passed in second.passed][:4] == ["services", "expand", "static", "web"]
    first_seen = await kept(app, cluster)
    assert first_seen[0] == "ba"

    maroon = blog(namespace, tmp_path, **{"COLOR: orange": "COLOR: maroon"})
    for unchanged in (
        deploy(maroon, build("c", files="b"), cluster, silent),  # code and configuration
        rollback(maroon, 1, cluster, silent),
    ):
        await unchanged
        assert await kept(app, cluster) == first_seen

    off = blog(namespace, tmp_path, **{"web:\n": "static: {keep: 0}\nweb:\n"})
    await deploy(off, build("b"), cluster, silent)
    assert await kept(app, cluster) is None


async def test_an_image_that_is_gone_is_left_out_and_said(namespace, tmp_path, cluster, kubelet):
    app = blog(namespace, tmp_path)
    await deploy(app, build("a"), cluster, silent)
    await deploy(app, build("b"), cluster, silent)
    kubelet.gone.add(build("a").reference)
    third = await deploy(app, build("c"), cluster, silent)
    assert "release.W370" in third.phase("static").note
    assert third.left_out == (build("a").reference,)
    assert (await kept(app, cluster))[0] == "cb"
