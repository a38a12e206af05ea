"""What is in the database comes back: from a backup, after another password, and into an empty namespace."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

import pyrage
import pytest
from load import Load
from project import blog_in
from waiting import becomes, status_of, steady, wait_for

pytestmark = pytest.mark.e2e
POSTS = ("dbshell", "-tAc", "select count(*) from posts_post")


@pytest.fixture(scope="module")
def kept(cluster, kubectl, tmp_path_factory):
    """The blog with a volume for backups, live in a namespace of its own, with its sample posts."""
    namespace = f"test-keep-{uuid.uuid4().hex[:8]}"
    never = f"0 {(datetime.now(UTC).hour + 12) % 24} * * *"  # as long as this runs
    project = blog_in(tmp_path_factory.mktemp("keep") / "blog", cluster, namespace)
    project.edit(**{
        "replicas: 3": "replicas: 1",
        'version: "17"': 'version: "15"',
        "storage: 1Gi": f'storage: 1Gi, backup: {{cron: "{never}", keep: 2, to: {{volume: 1Gi}}}}',
    })  # fmt: skip
    project.nuages("deploy")
    project.nuages("manage", "loaddata", "demo")
    yield project, namespace
    for name in (namespace, f"{namespace}-2"):
        kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


def test_a_backup_is_proved_and_comes_back_beside_what_serves(kept):
    project, _ = kept
    posts = project.nuages(*POSTS).stdout
    made = json.loads(project.nuages("backup", "--json").stdout)
    project.nuages("dbshell", "-c", "truncate posts_post cascade")
    assert project.nuages(*POSTS).stdout != posts
    drilled = json.loads(project.nuages("backup", "drill", "--json").stdout)
    assert drilled["backup"] == made
    project.nuages("restore", made["id"], code=3)  # nobody is here to be asked
    said = project.nuages("restore", made["id"], "--yes").stdout
    assert "back: nuages restore --switch blog_before_" in said
    assert project.nuages(*POSTS).stdout == posts
    assert [one["id"] for one in json.loads(project.nuages("backup", "list", "--json").stdout)["backups"]] == [
        made["id"]
    ]
    missing = project.nuages("restore", "20200101-000000", "--into", "look", code=1)
    assert "there is no backup 20200101-000000" in missing.stderr


def test_another_password_costs_no_request(kept, kubectl):
    project, namespace = kept
    services = json.loads(kubectl("-n", namespace, "get", "service", "-o", "json"))["items"]
    (address,) = [one["ip"] for item in services for one in item["status"].get("loadBalancer", {}).get("ingress", [])]
    steady(lambda: status_of(f"http://{address}:80/") == 200)
    with Load(f"{address}:80", "/", clients=4) as load:
        wait_for(lambda: load.answers)
        project.nuages("secrets", "rotate", "postgres")
        before = load.so_far().total()
        wait_for(lambda: load.so_far().total() > before)
    assert load.lost == []
    who = "select rolpassword is null from pg_authid where rolname in ('app', 'app_b') order by rolname"
    assert project.nuages("dbshell", "-tAc", who).stdout.split() == ["t", "f"]


def test_what_exists_nowhere_else_is_read_by_its_key_alone_and_made_anew_elsewhere(kept, kubectl, tmp_path):
    project, namespace = kept
    key, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    for name, one in (("key", key), ("other", other)):
        (tmp_path / name).write_text(f"{one}\n")
    file = str(tmp_path / "blog.age")
    project.nuages("state", "export", file, "--recipient", str(key.to_public()), "--database")
    project.edit(**{f"namespace: {namespace}": f"namespace: {namespace}-2"})
    project.nuages("state", "import", file, "--identity", str(tmp_path / "other"), code=3)
    project.nuages("state", "import", file, "--identity", str(tmp_path / "key"))
    both = [
        json.loads(kubectl("-n", where, "get", "secret", "blog-secrets", "-o", "json"))["data"]
        for where in (namespace, f"{namespace}-2")
    ]
    assert both[0] == both[1]
    project.edit(**{f"namespace: {namespace}-2": f"namespace: {namespace}"})
    refused = project.nuages("state", "import", file, "--identity", str(tmp_path / "key"), code=3)
    assert "blog-postgres is there already" in refused.stderr  # it names app_b, and a new server would know app alone


def test_another_major_version_stands_on_a_volume_of_its_own_with_all_that_was_in_the_other(kept, kubectl):
    project, namespace = kept
    posts = project.nuages(*POSTS).stdout
    roles = ("dbshell", "-tAc", "select rolname, rolpassword from pg_authid where rolname like 'app%' order by 1")
    opened = project.nuages(*roles).stdout
    version = ("dbshell", "-tAc", "select current_setting('server_version_num')::int / 10000")
    project.edit(**{'version: "15"': 'version: "17"'})
    assert "nuages services upgrade --to 17" in project.nuages("services", "plan").stdout
    # One that writes holds it up; whoever drives it is killed meanwhile, and has left it read-only.
    pod = ("-n", namespace, "exec", "-i", "blog-postgres-0", "--", "psql", "-qAt", "-U", "app", "-d", "blog")
    readonly = ("-c", "show default_transaction_read_only")
    with project.start("dbshell", "-c", "begin; update posts_post set title = title; select pg_sleep(300)"):
        writing = ("-c", "select count(*) from pg_stat_activity where query like 'begin; update%'")
        wait_for(lambda: kubectl(*pod, *writing).strip() == "1")
        killed = project.start("services", "upgrade", "--yes")
        wait_for(lambda: kubectl(*pod, *readonly).strip() == "on")
        killed.kill()
        killed.communicate()
        kubectl("-n", namespace, "delete", "jobs", "-l", "app.kubernetes.io/component=backup", "--grace-period=1")
        kubectl(*pod, "-c", "select pg_terminate_backend(pid) from pg_stat_activity where query like 'begin; update%'")
    done = json.loads(project.nuages("services", "upgrade", "--to", "17", "--yes", "--json").stdout)
    assert (done["before"], done["after"].split(".")[0]) == ("15", "17")
    assert done["rows"] > int(posts)
    becomes("17\n", lambda: project.nuages(*version).stdout)
    assert project.nuages(*POSTS).stdout == posts
    assert project.nuages(*roles).stdout == opened  # rotated or not: who may log in, and by what
    left = json.loads(project.nuages("services", "list", "--json").stdout)["left"]
    assert [(one["kind"], one["name"]) for one in left] == [("PersistentVolumeClaim", "data-blog-postgres-0")]
    # A set that is made anew finds the volume that was filled for its version.
    kubectl("-n", namespace, "delete", "statefulset", "blog-postgres")
    project.nuages("deploy")
    becomes(posts, lambda: project.nuages(*POSTS).stdout)
