"""Values of secrets in a real cluster: set, listed, imported, fought over, refused."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import uuid

import pytest

from nuages.app.components import resolve
from nuages.errors import NotOurs, Refused, UsageError
from nuages.release import secrets, values
from nuages.release.values import State
from nuages.spec.load import load

pytestmark = pytest.mark.api
SPEC = """
apiVersion: nuages/v1
name: blog
image: registry.example.com/acme/blog
web: {main: {}}
secrets:
  SECRET_KEY: {generate: true}
  SENTRY_DSN: {}
  RSA_KEY: {}
  STRIPE_KEY: {secret: stripe, key: api-key}
environments: {local: {namespace: NAMESPACE}}
"""


@pytest.fixture
def spec(namespace, tmp_path):
    path = tmp_path / "nuages.yaml"
    path.write_text(SPEC.replace("NAMESPACE", namespace))
    return path


@pytest.fixture
def app(spec):
    return resolve(load(spec), "local")


@pytest.fixture
def nuages(spec, kubeconfig):
    """Run the command as a person does, in a pipe."""

    def run(*arguments, stdin=""):
        command = [sys.executable, "-m", "nuages", *arguments, "-f", str(spec), "--context", "nuages-test-api"]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(spec.parent), "KUBECONFIG": str(kubeconfig)}
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, cwd=spec.parent, env=environment
        )

    return run


async def test_a_value_set_before_the_first_deploy_makes_namespace_and_secret(cluster, spec):
    name = f"test-{uuid.uuid4().hex[:8]}"
    spec.write_text(SPEC.replace("NAMESPACE", name))
    app = resolve(load(spec), "local")
    try:
        await values.put(app, {"SENTRY_DSN": b"https://x"}, cluster)
        live = await cluster.get("Secret", name, "blog-secrets")
    finally:
        await cluster.delete("Namespace", None, name)
    assert base64.b64decode(live["data"]["SENTRY_DSN"]) == b"https://x"
    assert live["metadata"]["annotations"]["nuages.dev/data"] == "true"
    assert "https://x" not in json.dumps(live["metadata"])


async def test_the_list_tells_where_a_value_comes_from_and_never_the_value(app, cluster):
    await values.put(app, {"SENTRY_DSN": b"hunter2"}, cluster)
    await secrets.ensure(app, cluster)
    found = await values.listing(app, cluster)
    told = {one.name: (one.source, one.state) for one in found.secrets}
    assert told == {
        "SECRET_KEY": ("generated", State.NEXT),
        "SENTRY_DSN": ("set", State.NEXT),
        "RSA_KEY": ("set", State.MISSING),
        "STRIPE_KEY": ("Secret stripe, key api-key", State.MISSING),
    }
    assert all(one.changed for one in found.secrets if one.state is State.NEXT)
    assert "hunter2" not in repr(found)


async def test_a_secret_without_a_value_is_refused_with_the_command_that_sets_it(app, cluster):
    with pytest.raises(Refused) as caught:
        await secrets.check(app, cluster)
    assert {finding.id: finding.hint for finding in caught.value.findings} == {
        "release.E301": "nuages secrets set SENTRY_DSN",
        "release.E302": "whoever keeps Secret stripe has to add it",
    }


async def test_many_who_set_at_once_lose_nothing(app, cluster):
    await asyncio.gather(
        values.put(app, {"SENTRY_DSN": b"1"}, cluster),
        values.put(app, {"RSA_KEY": b"2"}, cluster),
        values.put(app, {"SECRET_KEY": b"3"}, cluster),
    )
    live = await cluster.get("Secret", app.namespace, "blog-secrets")
    assert secrets.decoded(live) == {"SENTRY_DSN": b"1", "RSA_KEY": b"2", "SECRET_KEY": b"3"}
    assert set(secrets.changes(live)) == {"SENTRY_DSN", "RSA_KEY", "SECRET_KEY"}


async def test_a_generated_value_never_replaces_one_that_was_set_and_unset_brings_it_back(app, cluster):
    await values.put(app, {"SECRET_KEY": b"mine"}, cluster)
    await secrets.ensure(app, cluster)
    live = await cluster.get("Secret", app.namespace, "blog-secrets")
    assert secrets.decoded(live)["SECRET_KEY"] == b"mine"
    assert await values.remove(app, ["SECRET_KEY", "RSA_KEY"], cluster) == ["SECRET_KEY"]
    await secrets.ensure(app, cluster)
    live = await cluster.get("Secret", app.namespace, "blog-secrets")
    assert secrets.decoded(live)["SECRET_KEY"] not in {b"", b"mine"}
    assert secrets.changes(live)["SECRET_KEY"].by == ""


async def test_a_secret_that_another_tool_keeps_is_left_alone(app, cluster):
    labels = {"app.kubernetes.io/managed-by": "Helm"}
    metadata = {"name": "blog-secrets", "namespace": app.namespace, "labels": labels}
    metadata["annotations"] = {"meta.helm.sh/release-name": "blog"}
    await cluster.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
    with pytest.raises(NotOurs):
        await values.put(app, {"SENTRY_DSN": b"x"}, cluster)


@pytest.mark.parametrize("value", [b"", b"a\0b", b"\xff", b"x" * 131072])
async def test_what_no_environment_can_hold_is_refused(app, cluster, value):
    with pytest.raises(UsageError):
        await values.put(app, {"SENTRY_DSN": value}, cluster)
    assert await cluster.get("Secret", app.namespace, "blog-secrets") is None


def test_a_value_comes_from_a_pipe_and_is_shown_nowhere(nuages):
    done = nuages("secrets", "set", "RSA_KEY", stdin="-----BEGIN\nhunter2\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "RSA_KEY is set, taken over by the next deploy\n"
    listed = nuages("secrets", "list")
    assert "RSA_KEY     set  " in listed.stdout
    assert "hunter2" not in listed.stdout + listed.stderr
    assert json.loads(nuages("secrets", "list", "--json").stdout)["schema"] == 1
    again = nuages("secrets", "set", "RSA_KEY", "--json", stdin="hunter2")
    assert "hunter2" not in again.stdout + again.stderr
    assert json.loads(again.stdout)["secrets"] == [{"name": "RSA_KEY", "state": "set", "why": ""}]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("set", "SENTRY_DSN=hunter2"), "does not belong on the command line"),
        (("set", "SENTRY_DNS"), "did you mean SENTRY_DSN?"),
        (("set", "NEW"), "secrets: {NEW: {}}"),
        (("set", "STRIPE_KEY"), "Secret stripe"),
        (("set", "SENTRY_DSN", "RSA_KEY"), "a pipe has one value"),
        (("import", "nowhere.env"), "nowhere.env"),
    ],
)
def test_a_mistake_is_one_line_with_exit_code_2_and_without_the_value(nuages, arguments, said):
    done = nuages("secrets", *arguments, stdin="hunter2")
    assert done.returncode == 2
    assert said in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


async def test_an_import_takes_what_is_declared_and_names_what_it_leaves(nuages, spec, cluster, namespace):
    text = "SENTRY_DSN=https://hunter2@x\nDEBUG=on\nSECRET_KEY=old\nSTRIPE_KEY=sk\nRSA_KEY=\n"
    (spec.parent / ".env").write_text(text)
    done = nuages("secrets", "import", ".env")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "left DEBUG (.env:2): not declared below secrets",
        "left SECRET_KEY (.env:3): generated in the cluster; nuages secrets set SECRET_KEY replaces it",
        "left STRIPE_KEY (.env:4): kept in Secret stripe",
        "left RSA_KEY (.env:5): empty",
        "SENTRY_DSN is set, taken over by the next deploy",
    ]
    live = await cluster.get("Secret", namespace, "blog-secrets")
    assert secrets.decoded(live) == {"SENTRY_DSN": b"https://hunter2@x"}


def test_a_deploy_without_a_value_is_refused_before_anything_is_built(nuages):
    done = nuages("deploy")
    assert done.returncode == 3
    assert "nuages secrets set SENTRY_DSN" in done.stderr
    assert "build" not in done.stderr
