"""One real cluster for all of these tests, one namespace for each, and the blog deployed once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from nuages.local.cluster import up

ROOT = Path(__file__).parents[2]
BROKEN = """
if env.bool("BROKEN", False):
    from django.core.exceptions import ImproperlyConfigured

    raise ImproperlyConfigured("Set the SENTRY_DSN environment variable")
"""


@pytest.fixture(scope="session")
def cluster():
    """The cluster `test`, as scripts/test started it; started here where a single test is run by hand."""
    return up("test")


@pytest.fixture(scope="session")
def kubectl(cluster):
    """`kubectl(...)` on that cluster: standard output as text; `check=False` to look at a failure."""
    from nuages.local.toolchain import tool

    def run(*arguments, check=True, text=None):
        done = subprocess.run(
            [tool("kubectl"), "--kubeconfig", cluster.kubeconfig, *arguments],
            input=text, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stderr
        return done.stdout if check else done

    return run


@pytest.fixture
def namespace(kubectl):
    """A namespace of this test's own."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


class Project:
    """A copy of a Django project with its nuages.yaml, and the command line on it."""

    def __init__(self, folder: Path, kubeconfig: Path) -> None:
        self.folder = folder
        self.spec = folder / "nuages.yaml"
        self._env = os.environ | {"KUBECONFIG": str(kubeconfig), "COLUMNS": "120"}

    def edit(self, **replaced: str) -> None:
        """Replace text in the spec: edit(orange="maroon")."""
        text = self.spec.read_text()
        for old, new in replaced.items():
            assert old in text
            text = text.replace(old, new)
        self.spec.write_text(text)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `nuages ...` and don't wait for it."""
        command = [sys.executable, "-m", "nuages", *arguments]
        return subprocess.Popen(
            command, cwd=self.folder, env=self._env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def nuages(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run `nuages ...` and expect its exit code."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=600)
        assert process.returncode == code, f"exit code {process.returncode}\n{out}\n{err}"
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def status(self) -> dict[str, object]:
        return json.loads(self.nuages("status", "--json").stdout)


def blog_in(folder: Path, cluster, namespace: str) -> Project:
    """The example blog in a folder of its own, to be deployed to a namespace of its own."""
    shutil.copytree(ROOT / "examples" / "blog", folder)
    with (folder / "blog" / "settings.py").open("a") as settings:
        settings.write(BROKEN)
    text = (ROOT / "examples" / "blog.nuages.yaml").read_text()
    local = "  local:\n"
    assert local in text
    bound = f"{local}    namespace: {namespace}\n    cluster: {cluster.context}\n"
    (folder / "nuages.yaml").write_text(text.replace(local, bound))
    return Project(folder, cluster.kubeconfig)


@pytest.fixture(scope="session")
def blog(cluster, kubectl, tmp_path_factory):
    """The blog, live in the namespace blog-local, with its admin and its sample posts."""
    project = blog_in(tmp_path_factory.mktemp("blog") / "blog", cluster, "blog-local")
    project.nuages("deploy")
    pod = ("-n", "blog-local", "exec", "deploy/blog-web-main", "-c", "web", "--", "python", "manage.py")
    kubectl(*pod, "createsuperuser", "--noinput", check=False)
    kubectl(*pod, "loaddata", "demo")
    return project


@pytest.fixture(scope="session")
def blog_address(blog, kubectl):
    """The blog's LoadBalancer address: host:port."""
    service = json.loads(kubectl("-n", "blog-local", "get", "service", "-o", "json"))
    for item in service["items"]:
        for ingress in item["status"]["loadBalancer"].get("ingress", []):
            return f"{ingress['ip']}:{item['spec']['ports'][0]['port']}"
    raise AssertionError("no LoadBalancer has an address")


@pytest.fixture(scope="session")
def blog_url(blog_address):
    """Where the blog answers."""
    return f"http://{blog_address}"
