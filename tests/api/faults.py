"""One command, disturbed once and run again until it succeeds: what is there then, and what was migrated how often.

ground = Ground(kubeconfig, folder, database, packages)
await ground.tried("change", None)
end = await ground.tried("change", Fault(Kind.LOSE, "POST /api/v1/secrets"))
ground.difference("change", end)      # empty where it left what the undisturbed one leaves
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import faultstory
from canonical import difference, snapshot
from faultproxy import Fault, Kind, Proxy
from kubeletruns import RunningKubelet

from nuages.kube.client import Cluster
from nuages.release import records
from nuages.release.record import Outcome

ATTEMPTS = 5
"""So often a person would run a command again; the fault is done once, so the second is to succeed."""
LONGEST = 180.0
"""Seconds for one attempt."""
SETTLES = 60.0
"""Seconds until controllers have done what follows from the last write, at the latest."""
QUIET = 3.0
"""Seconds without a change after which they have: of an object that is watched each hears at once."""

SETTINGS = """
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "a-key-that-nobody-guesses-0123456789-abcdefghijklmnopqrstuvwxyz"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["posts"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
"""
MODELS = {
    "first": ["title = models.TextField()"],
    "change": [
        "title = models.TextField()",
        "slug = models.CharField(max_length=50, null=True, db_index=True)",
        "likes = models.IntegerField(default=0)",
    ],
}
MIGRATION = """
from django.db import migrations, models

def noted(apps, schema_editor):
    schema_editor.execute("CREATE TABLE IF NOT EXISTS ledger (name text)")
    schema_editor.execute("INSERT INTO ledger VALUES ('{name}')")

class Migration(migrations.Migration):
    dependencies = [{depends}]
    operations = [{operations}, migrations.RunPython(noted, migrations.RunPython.noop)]
"""
ID = 'models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")'
FIRST = f'migrations.CreateModel("Post", [("id", {ID}), ("title", models.TextField())])'
SECOND = 'migrations.AddField("post", "slug", models.CharField(max_length=50, null=True, db_index=True))'
THIRD = 'migrations.AddField("post", "likes", models.IntegerField(default=0))'
MIGRATIONS = {
    "0001_initial": MIGRATION.format(name="0001_initial", depends="", operations=FIRST),
    "0002_slug": MIGRATION.format(name="0002_slug", depends='("posts", "0001_initial")', operations=SECOND),
    "0003_tidy": MIGRATION.format(name="0003_tidy", depends='("posts", "0002_slug")', operations=THIRD),
}
# As SQL, by whoever has the database: each argument a statement; what the last one answers, a line each.
ASKED = """
import sys, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    for statement in sys.argv[2:]:
        cursor = connection.execute(statement)
    for row in cursor.fetchall() if cursor.description else ():
        print(*row)
"""


class End(NamedTuple):
    """How it went."""

    fault: Fault | None
    hit: bool
    """Whether the call came that it was for."""
    calls: tuple[str, ...]
    attempts: int
    said: tuple[str, ...]
    """What the attempts that failed said."""
    objects: list[str]
    applied: dict[str, int]
    """How often each migration did what it does."""
    rows: tuple[str, ...]
    """What django_migrations has of the app."""


class Ground:
    """Where it happens: an API server, a PostgreSQL, and the projects whose migrations are run."""

    def __init__(self, kubeconfig: Path, folder: Path, database: str, packages: Path) -> None:
        """`database` is postgres://user:password@host:port; `packages` where Django and psycopg are."""
        self._kubeconfig, self._folder, self._database, self._packages = kubeconfig, folder, database, packages
        self.undisturbed: dict[str, End] = {}
        for name, last in faultstory.LEAVES.items():
            project = folder / name
            files = {"blog/__init__.py": "", "blog/settings.py": SETTINGS, "posts/__init__.py": ""}
            fields = "".join(f"    {line}\n" for line in MODELS[name])
            models = f"from django.db import models\n\nclass Post(models.Model):\n{fields}"
            files |= {"posts/models.py": models, "posts/migrations/__init__.py": ""}
            files |= {f"posts/migrations/{one}.py": text for one, text in MIGRATIONS.items() if one <= last}
            for path, text in files.items():
                (project / path).parent.mkdir(parents=True, exist_ok=True)
                (project / path).write_text(text)

    async def tried(self, action: str, fault: Fault | None) -> End:
        """Do all that comes before, undisturbed, and then this command with its fault, until it succeeds."""
        namespace = f"faults-{uuid.uuid4().hex[:8]}"
        database = namespace.replace("-", "_")
        folder = self._folder / namespace
        folder.mkdir()
        await self._sql("postgres", f"CREATE DATABASE {database}")
        async with Cluster.connect(self._kubeconfig) as admin, Proxy(self._kubeconfig, folder) as proxy:
            await admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
            try:
                async with self._kubelet(admin, namespace, database):
                    for before in faultstory.BEFORE[action]:
                        await faultstory.act(before, self._kubeconfig, namespace, folder)
                    proxy.expect(fault)
                    attempts, said = await self._until_done(action, proxy, admin, namespace, folder)
                    expected = self.undisturbed[action].objects if action in self.undisturbed else None
                    objects = await _settled(admin, namespace, expected)
            finally:
                await admin.delete("Namespace", None, namespace)
        ledger = await self._sql(database, "SELECT name, count(*) FROM ledger GROUP BY name ORDER BY name")
        rows = await self._sql(database, "SELECT name FROM django_migrations WHERE app = 'posts' ORDER BY name")
        await self._sql("postgres", f"DROP DATABASE {database} WITH (FORCE)")
        applied = {name: int(count) for name, count in (line.split() for line in ledger.splitlines())}
        end = End(fault, proxy.hit, tuple(proxy.calls), attempts, said, objects, applied, tuple(rows.split()))
        if fault is None:
            self.undisturbed[action] = end
        return end

    def faults(self, action: str, kinds: Sequence[Kind]) -> list[Fault]:
        """Each call of the undisturbed command, in each of these ways."""
        calls = self.undisturbed[action].calls
        named = [(call, calls[:number].count(call)) for number, call in enumerate(calls)]
        return [Fault(kind, *one) for one in named for kind in kinds]

    def difference(self, action: str, end: End) -> str:
        """What the disturbed command left otherwise than the undisturbed one; empty where nothing is."""
        wanted = self.undisturbed[action]
        told = difference(wanted.objects, end.objects)
        if end.applied != wanted.applied or end.rows != wanted.rows:
            told += f"\nmigrated {end.applied} {end.rows}, undisturbed {wanted.applied} {wanted.rows}"
        return told

    async def _until_done(
        self, action: str, proxy: Proxy, admin: Cluster, namespace: str, folder: Path
    ) -> tuple[int, tuple[str, ...]]:
        """Run the command until its exit code is 0, or it was killed when its release was over already.

        Answers how often, and what it said before.
        """
        said = []
        program = Path(faultstory.__file__)
        for attempt in range(1, ATTEMPTS + 1):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, program, proxy.kubeconfig, namespace, folder, action),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )

            def kill(process: asyncio.subprocess.Process = process) -> None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()

            proxy.kill = kill
            try:
                async with asyncio.timeout(LONGEST):
                    output, _ = await process.communicate()
            except TimeoutError:
                kill()
                await process.wait()
                output = b"took too long"
            if process.returncode == 0:
                return attempt, tuple(said)
            latest, *_ = [*await records.history(admin, namespace, "blog", "local"), None]
            number = len(faultstory.BEFORE[action]) + 1
            if latest and latest.record.number == number and latest.record.outcome is Outcome.LIVE:
                return attempt, tuple(said)
            said.append(output.decode().strip() or f"exit code {process.returncode}")
        return ATTEMPTS + 1, tuple(said)

    @contextlib.asynccontextmanager
    async def _kubelet(self, admin: Cluster, namespace: str, database: str) -> AsyncIterator[None]:
        environ = {"DATABASE_URL": f"{self._database}/{database}", "NUAGES_OVERLAY": "databases"}
        projects = {faultstory.BUILDS[name].reference: self._folder / name for name in faultstory.LEAVES}
        player = RunningKubelet(admin, namespace, projects, self._packages, environ)
        task = asyncio.create_task(player.play())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _sql(self, database: str, *statements: str) -> str:
        return await asyncio.to_thread(asked, f"{self._database}/{database}", self._packages, *statements)


def asked(url: str, packages: Path, *statements: str) -> str:
    """What the database answers to the last of these statements."""
    argv = [sys.executable, "-c", ASKED, url, *statements]
    env: Mapping[str, str] = os.environ | {"PYTHONPATH": str(packages)}
    return subprocess.run(argv, env=env, check=True, capture_output=True, text=True).stdout


async def _settled(cluster: Cluster, namespace: str, expected: list[str] | None) -> list[str]:
    """The namespace's objects, once they are as expected or do not change any more."""
    loop = asyncio.get_running_loop()
    until, before, since = loop.time() + SETTLES, [""], 0.0
    while loop.time() < until:
        found = await snapshot(cluster, namespace)
        if found != before:
            before, since = found, loop.time()
        if found == expected or (expected is None and loop.time() - since > QUIET):
            return found
        await asyncio.sleep(0.5)
    return before


__all__ = ["End", "Fault", "Ground", "Kind"]
