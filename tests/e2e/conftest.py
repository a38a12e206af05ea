"""One real cluster for all of these tests, one namespace for each, and the blog deployed once."""

from __future__ import annotations

import json
import subprocess
import uuid

import pytest
from playwright.sync_api import expect
from project import blog_in
from waiting import new_namespace, status_of, steady, wait_for

from nuages.local.cluster import up

UNHEARD = "TLS handshake timeout"  # by a busy API server, after ten seconds; nothing was asked of it yet
expect.set_options(timeout=180_000)  # milliseconds; five seconds are little for a browser beside a whole cluster


@pytest.hookimpl(tryfirst=True)  # before markers are selected by
def pytest_collection_modifyitems(items):
    """Mark the files of which a test uses the one blog: no second process may have it at the same time."""
    sharing = {item.path for item in items if "blog" in item.fixturenames}
    for item in items:
        if item.path in sharing:
            item.add_marker(pytest.mark.blog)


@pytest.fixture(scope="session")
def cluster():
    """The cluster `test`, as scripts/test started it; started here where a single test is run by hand."""
    return up("test")


@pytest.fixture(scope="session")
def kubectl(cluster):
    """`kubectl(...)` on that cluster: standard output as text; `check=False` to look at a failure."""

    def run(*arguments, check=True, text=None):
        for _ in range(5):
            done = subprocess.run(
                [*cluster.kubectl, *arguments],
                input=text, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if UNHEARD not in done.stderr:
                break
        assert not check or done.returncode == 0, done.stderr
        return done.stdout if check else done

    return run


@pytest.fixture
def namespace(kubectl):
    """A namespace of this test's own."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    new_namespace(kubectl, name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="session")
def blog(cluster, kubectl, tmp_path_factory):
    """The blog, live in the namespace blog-local, with its admin and its sample posts."""
    project = blog_in(tmp_path_factory.mktemp("blog") / "blog", cluster, "blog-local")
    project.nuages("deploy")
    pod = ("-n", "blog-local", "exec", "deploy/blog-web-main", "-c", "web", "--", "python", "manage.py")
    made = kubectl(*pod, "createsuperuser", "--noinput", check=False)
    assert made.returncode == 0 or "already taken" in made.stderr, made.stderr  # of a run by hand before
    kubectl(*pod, "loaddata", "demo")
    return project


@pytest.fixture(scope="session")
def blog_address(blog, kubectl):
    """The blog's LoadBalancer address, host:port, where it answers: the node's proxy learns of pods a moment later."""

    def address():
        for item in json.loads(kubectl("-n", "blog-local", "get", "service", "-o", "json"))["items"]:
            for ingress in item["status"]["loadBalancer"].get("ingress", []):
                return f"{ingress['ip']}:{item['spec']['ports'][0]['port']}"
        return ""

    found = wait_for(address)
    steady(lambda: status_of(f"http://{found}/") == 200)
    return found


@pytest.fixture(scope="session")
def blog_url(blog_address):
    """Where the blog answers."""
    return f"http://{blog_address}"
