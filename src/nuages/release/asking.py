"""A question to the project's own code, in the cluster: a short-lived Job that prints its answer as JSON and is gone.

It is made from a migrate Job's template, so it sees what a migration would see: the image, the environment, the
database. Nothing is left of it: it is removed when the answer is there, when it fails and after Ctrl-C; where whoever
asked was killed, it ends by itself after LIMIT and is removed KEPT seconds later.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import re
import secrets
import string
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from nuages.app.objects import Object
from nuages.errors import ClusterError, CommandFailed, Forbidden
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.release import redact
from nuages.release.world import utc
from nuages.rollout.diagnosis import failure
from nuages.rollout.kinds import Failed
from nuages.rollout.tracebacks import last_trace
from nuages.rollout.watcher import KINDS, judge

LIMIT = 300
"""Seconds that a question may take: an image to pull, the project to load, a schema to copy."""

KEPT = 60
"""Seconds until a Job that nobody removed is, once it has ended."""

GRACE = 5
"""Seconds from the order to stop to the end: there is nothing to finish."""

EVENT = "@nuages "
"""Before a line of JSON, where a program says more than its answer."""

ASKED = "nuages.dev/question"
"""The label by which one question's Job and pod are followed."""

SHOWN = 15  # the last lines of a log without a traceback that a person is shown

T = TypeVar("T")


class Key(NamedTuple):
    """One key of a Secret."""

    secret: str
    key: str


async def ask(
    job: Object,
    command: Sequence[str],
    cluster: Cluster,
    *,
    answer: type[T],
    title: str = "plan",
    say: Callable[[str], None] = lambda _: None,
) -> T:
    """Run a command in a Job like `job` and read the last JSON object that it prints, in the shape `answer`.

    Args:
        job: a migrate Job as rendered; only its template counts. See `standalone` for one of a release to come.
        command: what runs instead of the migration: `python -m nuages_runtime.migrations plan`.
        cluster: where.
        answer: the msgspec type of what it prints.
        title: becomes a part of the Job's name.
        say: told what it waits for.

    Raises:
        CommandFailed: it could not start, ended with an error or in LIMIT, or printed no such answer.
        ClusterError: the cluster said no (Forbidden: Jobs or logs), or nothing.
    """
    made = question(job, command, title)
    metadata = made["metadata"]
    async with _removed(made, cluster):
        await cluster.create(made)
        async with Mirror(cluster, metadata["namespace"], KINDS, {ASKED: metadata["name"]}) as mirror:
            try:
                async with asyncio.timeout(LIMIT + KEPT):
                    pod, code = await _ended(made, cluster, mirror, say)
            except TimeoutError:
                raise CommandFailed(f"{metadata['name']} gave no answer in {LIMIT + KEPT} s") from None
        log = await cluster.logs(metadata["namespace"], pod)
    return _read(log, code, metadata["name"], answer)


def question(job: Object, command: Sequence[str], title: str) -> Object:
    """The Job that asks: of a name of its own, tried once, ended after LIMIT."""
    letters = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(5))
    template = copy.deepcopy(job["spec"]["template"])
    about = job["metadata"]
    app = about["labels"]["app.kubernetes.io/name"]
    name = f"{app}-{title}-{letters}"
    template["metadata"]["labels"] |= {ASKED: name}
    spec = template["spec"]
    spec |= {"restartPolicy": "Never", "terminationGracePeriodSeconds": GRACE}
    spec["containers"][0]["command"] = list(command)
    spec["containers"][0].pop("args", None)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": about["namespace"], "labels": {**about["labels"], ASKED: name}},
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": LIMIT,
            "ttlSecondsAfterFinished": KEPT,
            "template": template,
        },
    }


def standalone(job: Object, plain: Mapping[str, str], kept: Mapping[str, Key | None]) -> Object:
    """A migrate Job of a release that is not there yet, for `ask`: without the objects that the release would make.

    Args:
        job: the migrate Job as rendered for that release.
        plain: its ConfigMap's values; the pod says them itself.
        kept: for each secret variable the key where its value lies; None where it is to be generated, and a value made
            up for this one question does.
    """
    made = copy.deepcopy(job)
    container = made["spec"]["template"]["spec"]["containers"][0]
    container["envFrom"] = []
    # Of two variables of one name the later counts, as env does over envFrom.
    container["env"] = [
        # What a ConfigMap holds is taken as it is; in a pod $(NAME) is replaced, unless its dollar is doubled.
        *({"name": name, "value": value.replace("$", "$$")} for name, value in sorted(plain.items())),
        *(_secret(name, key) for name, key in sorted(kept.items())),
        *container.get("env", []),
    ]
    return made


async def answerable(job: Object, cluster: Cluster) -> bool:
    """Whether what the Job's pod needs before it can start is there: its identity and its volumes.

    What nobody may look at is taken for there: the Job itself will tell.
    """
    metadata, spec = job["metadata"], job["spec"]["template"]["spec"]
    claims = [
        volume["persistentVolumeClaim"]["claimName"] for volume in spec["volumes"] if "persistentVolumeClaim" in volume
    ]
    needed = [("ServiceAccount", spec["serviceAccountName"]), *(("PersistentVolumeClaim", name) for name in claims)]

    async def there(kind: str, name: str) -> bool:
        try:
            return await cluster.get(kind, metadata["namespace"], name) is not None
        except Forbidden:
            return True

    return all(await asyncio.gather(*(there(kind, name) for kind, name in needed)))


@contextlib.asynccontextmanager
async def _removed(made: Object, cluster: Cluster) -> AsyncIterator[None]:
    """Remove a Job and its pod however the body ends; its own time does it where even that fails."""
    try:
        yield
    finally:
        await asyncio.shield(_remove(made["metadata"], cluster))


async def _remove(metadata: Object, cluster: Cluster) -> None:
    with contextlib.suppress(ClusterError):
        await cluster.delete("Job", metadata["namespace"], metadata["name"])


async def _ended(made: Object, cluster: Cluster, mirror: Mirror, say: Callable[[str], None]) -> tuple[str, int]:
    """Wait until its program has ended; answers the pod's name and the exit code.

    Its pod says so a second before the Job's controller does.
    """
    name = made["metadata"]["name"]
    while True:
        seen = mirror.version
        for pod in mirror.items("Pod"):
            statuses = pod.get("status", {}).get("containerStatuses") or [{}]
            state = statuses[0].get("state") or {}
            if (ended := state.get("terminated")) and ended.get("reason") != "OOMKilled":
                return pod["metadata"]["name"], ended["exitCode"]
            say(state.get("waiting", {}).get("reason") or ("runs" if "running" in state else "waits for a node"))
        verdict = judge(made, mirror, utc())
        if isinstance(verdict, Failed):
            raise await failure(cluster, mirror, made, f"{name}: {verdict.reason}")
        await mirror.changed(1.0, since=seen)


def _read(log: str, code: int, name: str, answer: type[T]) -> T:
    """The answer in what was printed: a project may print as well while it loads, before and after."""
    lines = log.splitlines()
    for line in reversed(lines):
        # A project's own log may be JSON too; an answer says of which shape it is.
        if (text := line.removeprefix(EVENT)).startswith("{") and '"schema"' in text:
            with contextlib.suppress(msgspec.DecodeError):
                return msgspec.json.decode(text, type=answer)
    trace = last_trace(log)
    said = [line for line in lines if line.strip()][-SHOWN:]
    why = f"ended with exit code {code}" if code else "gave no answer"
    older = re.search(r"No module named '?nuages_runtime\b", log)
    raise CommandFailed(
        f"{name} {why}",
        detail=redact.text("\n".join(filter(None, [trace.line, trace.place("/app")] if trace else said))),
        hint="an older nuages built the image: build it again" if older else "",
    )


def _secret(name: str, key: Key | None) -> Object:
    if key is None:
        return {"name": name, "value": secrets.token_urlsafe(48)}
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": key.secret, "key": key.key}}}
