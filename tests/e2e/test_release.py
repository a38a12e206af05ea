"""The blog on a real cluster: what a release promises, seen from outside."""

from __future__ import annotations

import json
import signal

import pytest
from load import Load
from project import blog_in
from waiting import becomes, status_of, steady, wait_for

pytestmark = pytest.mark.e2e
NAMESPACE = ("-n", "blog-local")
BOOM = """

def _boom(apps, schema_editor):
    raise RuntimeError("the migration is broken")


Migration.operations = [*Migration.operations, migrations.RunPython(_boom)]
"""


def items(kubectl, kind):
    return json.loads(kubectl(*NAMESPACE, "get", kind, "-o", "json"))["items"]


def standing(kubectl):
    """The uids of what serves and what keeps data; not of what runs once, and is about to go."""
    return {
        pod["metadata"]["uid"]
        for pod in items(kubectl, "pod")
        if pod["metadata"]["labels"].get("app.kubernetes.io/component") in ("web", "postgres")
        and "deletionTimestamp" not in pod["metadata"]
    }


def drained(kubectl):
    """Wait until the last pod that was replaced is gone: to the end of this the load goes on."""
    webs = ("get", "pod", "-l", "app.kubernetes.io/component=web")
    wait_for(lambda: not kubectl(*NAMESPACE, *webs, "-o", "jsonpath={.items[*].metadata.deletionTimestamp}"))


def test_it_is_what_a_careful_engineer_would_have_written(blog, kubectl):
    namespace = json.loads(kubectl("get", "namespace", "blog-local", "-o", "json"))
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    becomes([3], lambda: [web["status"].get("availableReplicas") for web in items(kubectl, "deployment")])
    (web,) = items(kubectl, "deployment")
    container = web["spec"]["template"]["spec"]["containers"][0]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
    assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {item["metadata"]["name"] for item in items(kubectl, "poddisruptionbudget")} >= {"blog-web-main"}
    policies = [item["spec"] for item in items(kubectl, "networkpolicy")]
    denied = [spec for spec in policies if not spec.get("ingress") and not spec.get("egress")]
    assert denied[0]["policyTypes"] == ["Ingress", "Egress"], "no default deny"
    for pod in items(kubectl, "pod"):
        if pod["metadata"]["labels"].get("app.kubernetes.io/component") != "driver":  # which may be on its way out
            assert pod["spec"]["automountServiceAccountToken"] is False


def test_no_secret_value_is_in_a_record_or_in_a_config_map(blog, kubectl):
    import base64

    values = {
        base64.b64decode(value).decode()
        for secret in items(kubectl, "secret")
        for value in secret.get("data", {}).values()
    }
    assert values
    maps = kubectl(*NAMESPACE, "get", "configmap", "-o", "json")
    assert not [value for value in values if len(value) > 8 and value in maps]


def test_deploying_the_very_same_rolls_no_pod(blog, kubectl):
    before = standing(kubectl)
    assert before
    said = blog.nuages("deploy")
    assert "nothing to migrate" in said.stderr
    assert standing(kubectl) == before


def test_a_new_colour_under_load_loses_no_request_and_both_colours_answer(blog, blog_address, kubectl):
    with Load(blog_address, "/", pattern="orange|maroon") as load:
        wait_for(lambda: load.answers["orange"])
        blog.edit(orange="maroon")
        blog.nuages("deploy", "--no-build")
        wait_for(lambda: load.answers["maroon"])
        drained(kubectl)
    assert load.lost == []


def test_going_back_brings_the_old_colour_and_the_old_configuration(blog, blog_address):
    if "COLOR: orange" in blog.spec.read_text():
        blog.edit(orange="maroon")
        blog.nuages("deploy", "--no-build")
    said = blog.nuages("rollback", "--dry-run").stdout
    assert said.startswith("going back to release")
    assert said.strip().endswith(": safe")
    with Load(blog_address, "/", clients=2, pattern="orange|maroon") as load:
        blog.nuages("rollback")
        wait_for(lambda: load.answers["orange"])
    assert load.lost == []
    blog.edit(maroon="orange")


def test_a_broken_setting_is_named_in_one_line_and_the_old_version_serves(blog, blog_address):
    before = blog.spec.read_text()
    blog.edit(**{"COLOR: orange": "COLOR: orange\n  BROKEN: 'yes'"})
    try:
        with Load(blog_address, "/", clients=2) as load:
            failed = blog.nuages("deploy", code=4)
    finally:
        blog.spec.write_text(before)
    assert "django.core.exceptions.ImproperlyConfigured: Set the SENTRY_DSN environment variable" in failed.stderr
    assert "was brought back" in failed.stderr
    assert load.lost == []
    assert load.answers
    assert blog.status()["latest_outcome"] is None, "the last good release serves, as a release of its own"
    becomes([], lambda: blog.status()["problems"])
    blog.nuages("deploy")


def test_an_image_that_cannot_be_pulled_ends_the_deploy_early_and_is_named(blog, blog_address, kubectl):
    release = blog.status()["release"]
    kubectl(*NAMESPACE, "set", "image", "deployment/blog-web-main", "web=registry.invalid/blog:none")
    with Load(blog_address, "/", clients=2) as load:
        wait_for(lambda: "registry.invalid/blog:none" in str(blog.status()["problems"]))
        conflict = blog.nuages("deploy", "--no-build", code=3)
    assert "image was set by hand (kubectl-set)" in conflict.stderr, "what somebody changed by hand is never forced"
    assert load.lost == []
    kubectl(*NAMESPACE, "rollout", "undo", "deployment/blog-web-main")
    assert blog.status()["release"] == release


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_deploy_that_was_interrupted_is_simply_run_again(blog, how):
    orange = "COLOR: orange" in blog.spec.read_text()
    blog.edit(**{"COLOR: orange": "COLOR: maroon"} if orange else {"COLOR: maroon": "COLOR: orange"})
    process = blog.start("deploy", "--no-build")
    for line in process.stderr:
        if "web" in line:
            process.send_signal(how)
            break
    process.communicate(timeout=300)
    assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    interrupted = blog.status()
    again = blog.nuages("deploy", "--no-build")
    assert f"Release {interrupted['latest']} is live" in again.stdout


def test_two_deploys_at_once_end_with_one_live_and_one_told_why(blog):
    one, other = blog.start("deploy", "--no-build"), blog.start("deploy", "--no-build")
    said = [process.communicate(timeout=900) for process in (one, other)]
    codes = sorted([one.returncode, other.returncode])
    assert codes in ([0, 0], [0, 1]), said
    if codes == [0, 1]:
        assert any("is at work on this environment" in err for _, err in said)


def test_a_post_and_its_upload_survive_the_loss_of_every_pod(blog, blog_address, kubectl):
    python = ("exec", "deploy/blog-web-main", "-c", "web", "--", "python", "manage.py", "shell", "-c")
    write = (
        "from django.core.files.storage import default_storage as files\n"
        "from django.core.files.base import ContentFile\n"
        "from django.contrib.auth.models import User\n"
        "User.objects.get_or_create(username='kept')\n"
        "print(files.save('kept.txt', ContentFile(b'kept')))"
    )
    read = (
        "from django.core.files.storage import default_storage as files\n"
        "from django.contrib.auth.models import User\n"
        "print(User.objects.filter(username='kept').count(), files.open('%s').read())"
    )
    drained(kubectl)  # what runs in a pod that is on its way out may be cut off
    name = kubectl(*NAMESPACE, *python, write).splitlines()[-1]
    kubectl(*NAMESPACE, "delete", "pod", "--all", "--wait=true")
    kubectl(*NAMESPACE, "rollout", "status", "statefulset/blog-postgres", "--timeout=600s")
    kubectl(*NAMESPACE, "rollout", "status", "deployment/blog-web-main", "--timeout=600s")
    becomes("1 b'kept'", lambda: kubectl(*NAMESPACE, *python, read % name).splitlines()[-1])
    # The node's proxy learns of the new pods a moment later.
    steady(lambda: status_of(f"http://{blog_address}/") == 200)
    with Load(blog_address, "/", clients=1) as load:
        wait_for(lambda: load.answers)
    assert load.lost == []


def test_a_first_deploy_of_a_broken_project_says_why_and_can_be_mended(cluster, kubectl, namespace, tmp_path):
    project = blog_in(tmp_path / "blog", cluster, namespace)
    migration = next((project.folder / "posts" / "migrations").glob("0001_*.py"))
    text = migration.read_text()
    migration.write_text(text + BOOM)
    failed = project.nuages("deploy", code=1)
    assert "the migration is broken" in failed.stderr
    pods = kubectl("-n", namespace, "get", "pods", "-o", "name")
    assert "blog-web-main" not in pods, "no pod may start before its migrations are applied"
    migration.write_text(text)
    project.nuages("deploy")
    project.nuages("destroy", "--yes", "--data")
    wait_for(lambda: "blog" not in kubectl("-n", namespace, "get", "all", "-o", "name"))
