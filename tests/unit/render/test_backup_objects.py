"""What is rendered of backups, and what their scripts may not have in them."""

from __future__ import annotations

import subprocess

import pytest

from nuages.app.components import App, resolve
from nuages.errors import Refused
from nuages.release.keeping import backups
from nuages.release.keeping.backups import Backup, Restored
from nuages.render import backup, backup_scripts
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

SPEC = """\
name: blog
image: registry.example.com/acme/blog
django: {settings: blog.settings}
web: {main: {}}
services: {postgres: {run: {storage: 1Gi, backup: {cron: "30 1 * * *", keep: 7, to: {volume: 20Gi}}}}}
databases: {default: postgres}
environments:
  local: {}
  none: {services: {postgres: {run: {backup: null}}}}
  bucket:
    services: {postgres: {run: {backup: {to: {volume: null, bucket: {url: "s3://keep/blog", secret: s3}}}}}}
  another:
    services: {postgres: {run: {backup: {to: {volume: null, bucket: {url: "s3://keep/blog/", secret: s3}}}}}}
  production: {services: {postgres: {run: null, external: {host: db.internal, secret: rds}}}}
"""
IMAGE = "registry.example.com/acme/blog@sha256:1"
SCRIPTS = {name: text for name, text in vars(backup_scripts).items() if name.isupper() and not name.startswith("_")}
DONE = Backup(
    id="20261121-020000", made="2026-11-21T02:00:03Z", seconds=3.1, bytes=1, server="17.12", database="blog",
    holds=9, tables=1, rows=2,
)  # fmt: skip


def app(environment: str = "local") -> App:
    return resolve(parse(SPEC.encode(), "nuages.yaml"), environment)


def test_the_volume_is_never_pruned_and_the_schedule_never_overlaps() -> None:
    (claim,), (cron,) = backup.volume(app()), backup.schedule(app(), IMAGE)
    assert claim["metadata"]["annotations"] == {"nuages.dev/data": "true"}
    assert claim["spec"]["resources"]["requests"]["storage"] == "20Gi"
    spec = cron["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("30 1 * * *", "Etc/UTC", "Forbid")
    (container,) = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert {"name": "KEEP", "value": "7"} in container["env"]


@pytest.mark.parametrize("environment", ["none", "production"])
def test_where_none_are_declared_there_is_nothing(environment: str) -> None:
    assert backup.volume(app(environment)) == backup.schedule(app(environment), IMAGE) == []


@pytest.mark.parametrize(("environment", "id_"), [("none", "release.E386"), ("production", "release.E387")])
def test_who_asks_for_one_all_the_same_is_told_why_not(environment: str, id_: str) -> None:
    with pytest.raises(Refused) as refused:
        backups.check(app(environment))
    assert [finding.id for finding in refused.value.findings] == [id_]


def test_a_backup_that_lacks_migrations_is_not_switched_to() -> None:
    backups.fits(Restored(backup=DONE, into="look", seconds=1, missing=""))
    with pytest.raises(Refused) as refused:
        backups.fits(Restored(backup=DONE, into="look", seconds=1, missing="posts.0004_more "))
    (finding,) = refused.value.findings
    assert finding.id == "release.E388"
    assert "posts.0004_more" in finding.message


def test_no_password_is_in_a_job_and_each_has_a_name_of_its_own() -> None:
    for job in (
        backup.now(app(), "one", IMAGE),
        backup.drill(app(), "two", IMAGE, ""),
        backup.restore(app(), "three", IMAGE, "", "look"),
    ):
        (container,) = job["spec"]["template"]["spec"]["containers"]
        kept = [one for one in container["env"] if one["name"] in {"PGUSER", "PGPASSWORD"}]
        assert all("secretKeyRef" in one["valueFrom"] for one in kept)
        assert job["metadata"]["labels"]["nuages.dev/key"] == job["metadata"]["name"]


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name != "PLACE"])
def test_a_script_reaches_bash_as_it_was_written(name: str) -> None:
    text = SCRIPTS[name]
    # https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/
    assert "$$" not in text
    assert "$(PG" not in text
    assert "$(KEEP" not in text
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)


def test_two_environments_never_share_a_folder_of_a_bucket() -> None:
    def folder(environment: str) -> str:
        pod = backup.now(app(environment), "now", IMAGE)["spec"]["template"]["spec"]
        return next(one["value"] for one in pod["containers"][0]["env"] if one["name"] == "NUAGES_BUCKET")

    assert folder("bucket") == "s3://keep/blog/blog-bucket"
    assert folder("another") == "s3://keep/blog/blog-another"


def test_with_a_bucket_the_dump_is_made_first_and_brought_there_by_the_projects_image() -> None:
    assert backup.volume(app("bucket")) == []
    (cron,) = backup.schedule(app("bucket"), IMAGE)
    pod = cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (dump,), (courier,) = pod["initContainers"], pod["containers"]
    assert dump["image"].endswith("postgres:17")
    assert courier["image"] == IMAGE
    assert courier["command"][-1] == "keep"
    assert "emptyDir" in next(one for one in pod["volumes"] if one["name"] == "backups")
    drill = backup.drill(app("bucket"), "drill", IMAGE, "20261121-020000")["spec"]["template"]["spec"]
    assert drill["initContainers"][0]["command"][-2:] == ["fetch", "20261121-020000"]
