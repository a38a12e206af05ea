"""A database copied over another environment's, against a real API server: what is made for it, and what is left.

The kubelet's part is played, so what the pods would print is given; that their scripts do it is tested elsewhere.
"""

from __future__ import annotations

import asyncio

import pytest
from test_env_many import BUILD, _nobody_answers, played

from nuages.app.components import resolve
from nuages.errors import CommandFailed, Refused
from nuages.progress import Started, silent
from nuages.release import audit, database_copy
from nuages.release.deploy import deploy
from nuages.release.environments import cloning
from nuages.release.environments.cloning import Origin
from nuages.release.keeping import aside, jobs
from nuages.spec.load import parse

pytestmark = pytest.mark.api
__all__ = ["_nobody_answers"]  # a fixture

SPEC = """
name: {name}
image: registry.example.com/acme/blog
web: {{main: {{replicas: 1}}}}
services: {{postgres: {{run: {{}}}}}}
databases: {{default: postgres}}
environments:
  production: {{}}
  staging:
    databases: {{default: {{cloneFrom: production, anonymise: {{sql: a.sql}}}}}}
"""
SAID = '{"missing": "", "ahead": "", "bytes": 8000000, "tables": 2, "rows": 3}'
UNLIKE = '{"missing": "posts.0002", "ahead": "", "bytes": null, "tables": 0, "rows": 0}'
SWITCHED = '{"old": "blog_before_1", "seconds": 0.1}'


@pytest.fixture
def made(monkeypatch):
    """The Jobs of the target that were made, and what the pod of the copy prints."""
    given = {"said": SAID, "jobs": [], "printed": SWITCHED}

    async def said(*_):
        return [given["said"]]

    async def printed(*_):
        return [given["printed"]]

    really = jobs.ran

    async def ran(app, job, *rest):
        given["jobs"].append(job["metadata"]["name"].rsplit("-", 1)[0].removeprefix(f"{app.name}-"))
        return await really(app, job, *rest)

    monkeypatch.setattr(cloning, "_said", said)
    monkeypatch.setattr(jobs, "_printed", printed)
    for each in (database_copy, jobs):
        monkeypatch.setattr(each, "ran", ran)
    return given


async def nothing_open(cluster, *apps):
    """Of the way from one database to the other nothing is left, but what goes with its Job."""
    for app in apps:
        found = [
            job for job in (await cluster.list("Job", app.namespace)).items if "-clone-" in job["metadata"]["name"]
        ]
        assert [job["metadata"]["name"] for job in found if "deletionTimestamp" not in job["metadata"]] == []
    policies = (await cluster.list("NetworkPolicy", apps[-1].namespace)).items
    assert not [one["metadata"]["name"] for one in policies if "-clone-" in one["metadata"]["name"]]


async def test_what_serves_is_switched_only_when_the_copy_is_whole(namespace, cluster, kubeconfig, made, monkeypatch):
    spec = parse(SPEC.format(name=f"c-{namespace[-8:]}").encode(), "nuages.yaml")
    async with (
        played(kubeconfig, resolve(spec, "production")) as source,
        played(kubeconfig, resolve(spec, "staging")) as app,
    ):
        origin = Origin(source, "SELECT 1;")
        await deploy(source, BUILD, cluster, silent)
        with pytest.raises(Refused) as caught:
            await database_copy.copy(app, origin, cluster, silent)
        assert [finding.id for finding in caught.value.findings] == ["release.E472"]
        await deploy(app, BUILD, cluster, silent)

        copied = await database_copy.copy(app, origin, cluster, silent)
        assert (copied.source, copied.rows, copied.kept) == ("production", 3, "blog_before_1")
        assert copied.namespace == app.namespace
        assert made["jobs"] == ["switch"]
        await nothing_open(cluster, source, app)
        (noted,) = await audit.history(app, cluster)
        assert (noted.command, noted.exit_code) == (("db", "copy", "production"), 0)

        made["jobs"], made["printed"] = [], '{"bytes": 8000000}'
        assert await aside.drop(app, [copied.kept], cluster, silent) == 8000000
        assert made["jobs"] == ["drop"]
        newest = next(iter(await audit.history(app, cluster)))
        assert (newest.command, newest.exit_code) == (("db", "drop", copied.kept), 0)

        made["said"], made["jobs"], made["printed"] = UNLIKE, [], SWITCHED
        with pytest.raises(Refused) as caught:
            await database_copy.copy(app, origin, cluster, silent)
        assert [finding.id for finding in caught.value.findings] == ["release.E471"]
        assert made["jobs"] == []

        # Somebody leaves while it is copied: what was made of it is dropped, and nothing is switched.
        made["said"] = SAID

        def leaves(event):
            if isinstance(event, Started) and event.title.startswith("copy "):
                task.cancel()

        task = asyncio.create_task(database_copy.copy(app, origin, cluster, leaves))
        with pytest.raises(asyncio.CancelledError):
            await task
        assert made["jobs"] == ["copy"]
        await nothing_open(cluster, source, app)

        # It can't be anonymised: the same, and it is written down.
        async def fails(*_):
            raise CommandFailed("anonymise: exit code 3")

        made["jobs"] = []
        monkeypatch.setattr(cloning, "_until", fails)
        with pytest.raises(CommandFailed, match="anonymise"):
            await database_copy.copy(app, origin, cluster, silent)
        assert made["jobs"] == ["copy"]
        await nothing_open(cluster, source, app)
        noted = next(iter(await audit.history(app, cluster)))
        assert "anonymise" in noted.note
