"""`nuages status`, `releases` and `logs` on a real API server: told at a glance and the whole way it is the same."""

from __future__ import annotations

import asyncio
import codecs
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from datetime import UTC, datetime, timedelta

import pytest
from eventually import eventually

from nuages.release.brief import labels

pytestmark = pytest.mark.api

SPEC = """
apiVersion: nuages/v1
name: blog
image: registry.example.com/acme/blog
web: {main: {}}
expose: {kind: ingress, class: x, hosts: [blog.example.com], tls: {secret: blog-tls}}
environments: {local: {namespace: NAMESPACE, cluster: CONTEXT}}
"""
LABELS = {"app.kubernetes.io/name": "blog", "app.kubernetes.io/instance": "blog-local"}
WEB = {**LABELS, "app.kubernetes.io/component": "web", "nuages.dev/key": "main"}
# As the command, and then says what of the slow modules was loaded for it.
TOLD = (
    "import sys; from nuages.cli.main import main\n"
    "sys.argv = ['nuages', *sys.argv[1:]]\n"
    "try:\n    main()\n"
    "finally:\n    print(sorted({'httpx2', 'asyncio', 'click', 'msgspec'} & set(sys.modules)), file=sys.stderr)\n"
)


def web(replicas: int) -> dict[str, object]:
    template = {"metadata": {"labels": WEB}, "spec": {"containers": [{"name": "web", "image": "none"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": WEB}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "blog-web-main", "labels": WEB},
        "spec": spec,
    }


@pytest.fixture
async def project(cluster, namespace, kubeconfig, tmp_path):
    """A project whose release 7 serves, asleep: nobody plays its pods. Answers the environment of its commands."""
    (tmp_path / "nuages.yaml").write_text(SPEC.replace("NAMESPACE", namespace).replace("CONTEXT", cluster.context))
    record = {
        "schema": 3, "number": 7, "outcome": "live", "build": {"reference": "r@sha256:1"}, "by": "ada@desk",
        "started": "2026-11-22T04:00:00Z", "passed": [],
        "live": (datetime.now(UTC) - timedelta(days=3, hours=12)).isoformat(),  # an age that is the same for a while
    }  # fmt: skip
    metadata = {"name": "blog-release-7", "namespace": namespace, "labels": labels("blog", "local")}
    data = {"record": json.dumps(record)}
    await cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
    made = web(0)
    made["metadata"] |= {"namespace": namespace}
    await cluster.create(made)

    async def seen() -> bool:
        live = await cluster.get("Deployment", namespace, "blog-web-main")
        return live is not None and live.get("status", {}).get("observedGeneration") == 1

    await eventually(seen)
    return {**os.environ, "KUBECONFIG": str(kubeconfig), "XDG_CACHE_HOME": str(tmp_path / "cache"), "TERM": "xterm"}


def told(project: dict[str, str], folder, *words: str, command: str = "status", code: int = 0) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", TOLD, command, *words],
        cwd=folder, env=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    *said, modules = done.stderr.splitlines()
    return "\n".join([done.stdout, *said]), modules


def glanced(project: dict[str, str], folder, *words: str, command: str = "status") -> str:
    """What is told at a glance; an API server that is busy for a second may have it go the whole way now and then."""
    end = time.monotonic() + 60
    while True:
        quick, modules = told(project, folder, *words, command=command)
        if modules == "[]":
            return quick
        assert time.monotonic() < end, modules


async def test_at_a_glance_the_same_is_told_without_what_is_slow_to_import(project, tmp_path, cluster, namespace):
    for words in ((), ("--json",)):
        whole, slow = told(project, tmp_path, *words)
        quick = glanced(project, tmp_path, *words)
        if not words:
            assert "'httpx2'" in slow
        ages = str.maketrans("0123456789", "0" * 10)
        assert quick.translate(ages) == whole.translate(ages)
    assert json.loads(quick)["certificates"] == [
        {"secret": "blog-tls", "hosts": ["blog.example.com"], "until": None, "problem": ""}
    ]
    # Where something is not well, or a file changed, it goes the whole way.
    await cluster.patch_merge("Deployment", namespace, "blog-web-main", {"spec": {"replicas": 1}})
    assert "'httpx2'" in told(project, tmp_path)[1]
    await cluster.patch_merge("Deployment", namespace, "blog-web-main", {"spec": {"replicas": 0}})
    with (tmp_path / "nuages.yaml").open("a") as spec:
        spec.write("# changed\n")
    assert "'httpx2'" in told(project, tmp_path)[1]


async def test_releases_are_told_at_a_glance_and_the_whole_way_says_what_is_wrong(
    project, tmp_path, cluster, namespace
):
    for words in (("list",), ("--json",)):
        (tmp_path / "nuages.yaml").touch()  # a file that may have changed
        whole, slow = told(project, tmp_path, *words, command="releases")
        assert "'httpx2'" in slow
        quick = glanced(project, tmp_path, *words, command="releases")
        assert quick == whole
    assert json.loads(quick)["releases"][0]["by"] == "ada@desk"
    newer = {"schema": 99, "number": 8}
    metadata = {"name": "blog-release-8", "namespace": namespace, "labels": labels("blog", "local")}
    data = {"record": json.dumps(newer)}
    await cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
    assert "written by a newer nuages" in told(project, tmp_path, command="releases", code=3)[0]


async def test_logs_of_a_pod_that_has_not_started_are_told_at_a_glance(project, tmp_path, cluster, namespace):
    pod = {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "blog-web-main-a", "namespace": namespace, "labels": WEB},
        "spec": {"containers": [{"name": "web", "image": "none"}]},
    }  # fmt: skip
    await cluster.create(pod)
    whole, slow = told(project, tmp_path, "--since", "5m", command="logs")
    assert "'httpx2'" in slow
    assert (
        glanced(project, tmp_path, "--since", "5m", command="logs") == whole == "\nnothing was printed in the last 5m"
    )
    for words, said in ((("webb",), "did you mean web?"), (("--grep", "("), "no regular expression")):
        assert said in told(project, tmp_path, *words, command="logs", code=2)[0]


async def test_who_enters_a_pod_is_written_down_and_what_refuses_it_is_said_by_both_ways(
    project, tmp_path, cluster, namespace, kubelet
):
    """No node has the pod, so the API server refuses to enter it: after who did has been written down."""
    pod = {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "blog-web-main-a", "namespace": namespace, "labels": WEB},
        "spec": {"containers": [{"name": "web", "image": "none", "env": [{"name": "NUAGES_RELEASE", "value": "7"}]}]},
    }  # fmt: skip
    await cluster.create(pod)

    async def runs() -> bool:
        live = await cluster.get("Pod", namespace, "blog-web-main-a")
        return live is not None and live.get("status", {}).get("phase") == "Running"

    await eventually(runs)
    words = ("web", "--", "sh", "--password", "hunter2horse", "-e", "production")
    ways = set()
    end = time.monotonic() + 120
    while ways != {"whole", "quick"}:
        assert time.monotonic() < end, ways
        said, modules = await asyncio.to_thread(told, project, tmp_path, *words, command="exec", code=1)
        ways.add("quick" if modules == "[]" else "whole")
        assert "! blog-web-main-a serves meanwhile; nuages run -- COMMAND has a pod of its own\n" in said
        assert "does not have a host assigned" in said
        live = await cluster.get("ConfigMap", namespace, "blog-runs")
        for entry in map(json.loads, live["data"].values()):
            assert (entry["pod"], entry["release"], entry["exit_code"]) == ("blog-web-main-a", 7, None)
            assert entry["command"] == ["sh", "--password", "***", "-e", "production"]
            assert entry["ended"] and "does not have a host assigned" in entry["note"]
    for words, refused in ((("webb",), "did you mean web?"), (("-c", "nosuch", "web"), "has no container nosuch")):
        assert (
            refused
            in (
                await asyncio.to_thread(
                    told, project, tmp_path, *words, command="exec", code=2 if words == ("webb",) else 1
                )
            )[0]
        )


async def test_live_in_a_terminal_it_follows_what_changes_and_the_size_and_ctrl_c_gives_it_back(
    project, tmp_path, cluster, namespace
):
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    command = [sys.executable, "-m", "nuages", "status", "-w"]
    watching = subprocess.Popen(  # noqa: ASYNC220 - it is waited for by what it writes
        command, cwd=tmp_path, env=project, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - the test has one thread
    )  # fmt: skip
    os.close(theirs)
    text, decoder = "", codecs.getincrementaldecoder("utf-8")()  # a sign may come in two parts

    def until(wanted: str) -> str:
        nonlocal text
        while wanted not in text:
            assert select.select([ours], [], [], 60)[0], text
            text += decoder.decode(os.read(ours, 65536))
        found, _, text = text.partition(wanted)
        return found

    until("asleep")
    await cluster.patch_merge("Deployment", namespace, "blog-web-main", {"spec": {"replicas": 3}})
    until("0/3 ready")
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 2, 60, 0, 0))
    os.killpg(watching.pid, signal.SIGWINCH)
    until("more lines")
    os.write(ours, b"\x03")
    until("\x1b[?1049l")
    until("https://blog.example.com")
    assert watching.wait(60) == 0
    os.close(ours)


async def test_in_a_pipe_each_change_is_a_line(project, tmp_path, cluster, namespace):
    command = [sys.executable, "-m", "nuages", "status", "-w"]
    with subprocess.Popen(command, cwd=tmp_path, env=project, stdout=subprocess.PIPE, text=True) as watching:  # noqa: ASYNC220
        assert "release 7" in watching.stdout.readline()
        assert "asleep" in watching.stdout.readline()
        await cluster.patch_merge("Deployment", namespace, "blog-web-main", {"spec": {"replicas": 2}})
        while "0/2 ready" not in (line := watching.stdout.readline()):
            assert line, "it ended"
        assert "\x1b" not in line
        watching.send_signal(signal.SIGINT)
        watching.stdout.read()
    assert watching.returncode == 0
