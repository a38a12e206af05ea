"""A release that a Job in the cluster drives: its real image, account, walls and log; who leaves leaves it going."""

from __future__ import annotations

import json
import signal
import threading

import pytest
from waiting import becomes, wait_for

pytestmark = pytest.mark.e2e
NAMESPACE = ("-n", "blog-local")


def test_a_release_goes_on_in_the_cluster_when_its_terminal_is_left(blog, kubectl):
    before = blog.status()["release"]
    process = blog.start("deploy", "--no-build", "--detach", "--json", "-m", "left alone")
    guard = threading.Timer(900, process.kill)
    guard.start()
    try:
        told = []
        for line in process.stdout:
            told.append(json.loads(line))
            if told[-1].get("step") == "hand over" and told[-1].get("state") == "ended":
                process.send_signal(signal.SIGINT)
        _, err = process.communicate()
        assert process.returncode in {0, 130}, err
        last = told[-1]
        assert last["event"] == "ended"
        number = last["release"]
        assert number == before + 1
        wait_for(lambda: blog.status()["release"] == number, patience=900)

        def shown() -> tuple[str, str]:
            told = json.loads(blog.nuages("releases", "show", str(number), "--json").stdout)
            return told["state"], told["record"]["message"]

        becomes(("serving", "left alone"), shown)
        wait_for(lambda: "no release is under way" in blog.nuages("deploy", "--follow", code=3).stderr)
    finally:
        guard.cancel()
        kubectl(*NAMESPACE, "delete", "job", "-l", "app.kubernetes.io/component=driver", "--wait=true")
