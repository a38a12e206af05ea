"""A plan on a real cluster: what it says comes true, it leaves nothing behind, and a kept one grows old."""

from __future__ import annotations

import json
import signal

import pytest
from project import blog_in
from waiting import becomes

pytestmark = pytest.mark.e2e

MIGRATION = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("posts", "0003_thumbnails_and_counts")]
    operations = [
        migrations.AddField("post", "subtitle", models.CharField(max_length=100, null=True)),
        migrations.RunSQL("COMMENT ON TABLE posts_post IS 'postgres://u:hunter2@db/x'", migrations.RunSQL.noop),
        migrations.AlterField("post", "summary", models.CharField(max_length=250, help_text="In short.")),
    ]
"""


@pytest.fixture(scope="module")
def project(cluster, kubectl, tmp_path_factory):
    """The blog, live in a namespace of its own."""
    made = blog_in(tmp_path_factory.mktemp("plan") / "blog", cluster, "test-plan")
    made.nuages("deploy")
    yield made
    kubectl("delete", "namespace", "test-plan", "--wait=false")


def state(kubectl):
    """All that a release makes, with what tells a changed one from the same."""
    kinds = "deployments,statefulsets,services,configmaps,secrets,networkpolicies,jobs,pods"
    items = json.loads(kubectl("-n", "test-plan", "get", kinds, "-o", "json"))["items"]
    return {
        (item["kind"], item["metadata"]["name"], item["metadata"]["uid"], item["metadata"].get("generation"))
        for item in items
        if not item["metadata"].get("deletionTimestamp")
    }


def asking(kubectl):
    return [line for line in kubectl("-n", "test-plan", "get", "jobs", "-o", "name").split() if "blog-plan-" in line]


def test_what_is_live_needs_nothing_and_a_plan_changes_nothing(project, kubectl):
    before = state(kubectl)
    told = json.loads(project.nuages("plan", "--no-build", "--exit-code", "--json").stdout)
    assert (told["objects"], told["drift"], told["changes"]) == ([], [], False)
    assert (told["migrations"]["known"], told["back"]["says"]) == (True, "safe")
    becomes([], lambda: asking(kubectl))
    before = {one[:3] for one in before if one[0] != "Pod"}
    assert {one[:3] for one in state(kubectl) if one[0] != "Pod"} == before


def test_who_leaves_in_the_middle_leaves_nothing_behind(project, kubectl):
    process = project.start("plan", "--no-build")
    for line in process.stderr:
        if "database" in line:
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=300)
    assert process.returncode == 130
    becomes([], lambda: asking(kubectl))


def test_what_was_planned_is_deployed_and_nothing_else(project, kubectl, tmp_path):
    (project.folder / "posts/migrations/0004_subtitle.py").write_text(MIGRATION)
    models = project.folder / "posts/models.py"
    text = models.read_text()
    summary = next(line for line in text.splitlines() if line.strip().startswith("summary = "))
    fields = ['summary = models.CharField(max_length=250, help_text="In short.")']
    fields.append("subtitle = models.CharField(max_length=100, null=True)")
    models.write_text(text.replace(summary, "\n".join(f"    {field}" for field in fields)))
    project.edit(orange="maroon")
    kubectl("-n", "test-plan", "scale", "deployment/blog-web-main", "--replicas=2")
    kept = tmp_path / "plan.json"
    said = project.nuages("plan", "--exit-code", "--save", str(kept), code=5).stdout
    told = json.loads(kept.read_text())["plan"]
    assert "hunter2" not in said + kept.read_text()
    (pending,) = told["migrations"]["databases"]
    (migration,) = pending["migrations"]
    added, commented, shrunk = migration["operations"]
    assert (migration["name"], added["kind"], shrunk["kind"]) == ("posts.0004_subtitle", "expand", "contract")
    assert [one["mode"] for one in added["statements"][0]["locks"] if one["table"] == "posts_post"] == [
        "AccessExclusiveLock"
    ]
    assert commented["statements"][0]["sql"].endswith("'postgres://u:***@db/x'")
    assert [one["outcome"] for one in told["drift"]] == ["taken back"]
    assert told["back"]["ends"] == ["posts.0004_subtitle: Alter field summary on post"]
    for line in (
        "orange → maroon",
        "contract Alter field summary on post",
        "blog-web-main               3 pods: image",
    ):
        assert line in said
    project.nuages("deploy", "--plan", str(kept))
    images = kubectl("-n", "test-plan", "get", "deployment/blog-web-main", "-o", "jsonpath={..image} {.spec.replicas}")
    assert images == f"{told['image']} 3"
    again = project.nuages("deploy", "--plan", str(kept), code=3)
    assert "release 2 of" in again.stderr
    assert "the plan does not hold any more; nothing was touched" in again.stderr
