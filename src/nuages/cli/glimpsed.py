"""What the quick way of a command tells: the same as the whole way, by the same pure functions, where all is well."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nuages.kube.config import Access, load
from nuages.kube.glance import Glance, NotSeen, glance
from nuages.kube.kinds import KNOWN
from nuages.release.site import Site

if TYPE_CHECKING:
    from nuages.cli.glimpse import Words
    from nuages.release.printed import Line, Source

FEW = 16
"""Logs that are read one behind the other; more are read side by side, by `Cluster`."""

FEW_LINES = 2000
"""Lines that are decoded by the standard library, before another one is worth its import."""

ASKED = ("Deployment", "StatefulSet", "Pod", "Service", "Job", "CronJob", "ConfigMap")
"""What `status` needs where nothing is wrong."""


class Told(NamedTuple):
    """What is written where."""

    out: str
    err: str = ""


def status(kept: dict[str, Any], words: Words) -> Told | None:
    """The screen; None where something is not well, and why is to be found out."""
    if words.names:
        return None
    access, site = place(kept)
    labels = selector(site.labels)
    asked = [(KNOWN[kind].path(site.namespace), labels) for kind in ASKED]
    asked += [
        (KNOWN["Lease"].path(site.namespace, f"{site.name}-release"), {}),
        *([(KNOWN["Secret"].path(site.namespace, site.certificate), {})] if site.certificate else []),
        (KNOWN["PodMetrics"].path(site.namespace), labels),
    ]
    with glance(access, asked) as questions:
        # While the API server answers:
        from datetime import UTC, datetime

        from nuages.cli import screen, wording
        from nuages.release import picture, seen, usage

        lists = questions.answers(spared=range(len(ASKED), len(asked)))
    lists, lease, secret, metrics = lists[: len(ASKED)], lists[len(ASKED)], lists[-2], lists[-1]
    if lease and lease["spec"].get("holderIdentity"):
        return None
    objects = {
        kind: [{"kind": kind, **item} for item in listed["items"]] for kind, listed in zip(ASKED, lists, strict=True)
    }
    found = seen.Seen(
        objects, None, usage.measured(metrics["items"] or ()) if metrics else None, secret if site.certificate else None
    )
    now = datetime.now(UTC)
    told = picture.picture(site, found, now, access.context, port=kept["port"])
    if told.release is None or told.problems or not picture.still(found, now):
        return None
    if words.flags:
        return Told(f"{wording.document(told)}\n")
    return Told("".join(f"{line}\n" for line in screen.lines(told, now, wording.paint(sys.stdout))))


def releases(kept: dict[str, Any], words: Words) -> Told | None:
    """The list of all releases."""
    if words.names not in ([], ["list"]):
        return None
    access, site = place(kept)
    from nuages.release.brief import brief, labels, records

    wanted = selector(labels(site.name, site.environment))
    with glance(access, [(KNOWN["ConfigMap"].path(site.namespace), wanted)]) as questions:
        from nuages.cli.listed import listed
        from nuages.cli.narrow import room

        (maps,) = questions.answers()
    told = brief(site.name, site.environment, site.namespace, records(maps["items"]))
    return Told(f"{listed(told, room(sys.stdout), as_json=bool(words.flags))}\n")


def logs(kept: dict[str, Any], words: Words) -> Told | None:
    """What the pods that are there printed."""
    access, site = place(kept)
    given = words.given
    with glance(access, [(KNOWN["Pod"].path(site.namespace), selector(site.labels))]) as questions:
        from nuages.cli.loglines import Filter, Shown, most, nothing
        from nuages.release import printed
        from nuages.release.named import choosing

        names = {name: [(component, key) for component, key in meant] for name, meant in kept["names"].items()}
        wanted = printed.of_release(
            choosing(site.name, names, words.names), int(given["--release"]) if "--release" in given else None
        )
        pattern = re.compile(given["--grep"]) if "--grep" in given else None
        passes = Filter(pattern, given.get("--request")).passes
        since = given.get("--since")
        form = "json" if "--json" in words.flags else "raw" if "--raw" in words.flags else "text"
        tail = most(given.get("--tail"), since)
        (pods,) = questions.answers()
        sources = printed.sources(pods["items"] or [], wanted)
        if not 0 < len(sources) <= FEW:
            return None
        asked = printed.parameters(tail=tail, since=since, previous="--previous" in words.flags)
        path = KNOWN["Pod"].path(site.namespace)
        questions.ask(
            [(f"{path}/{one.pod}/log", {"container": one.container, "timestamps": "true", **asked}) for one in sources]
        )
        read = [_printed(questions, source) for source in sources]
    lines = [line for line in printed.merged(read, tail) if passes(line.text)]
    told = Shown(sys.stdout, form, few=len(lines) <= FEW_LINES).text(lines)
    return Told(told, "" if lines else f"{nothing(since, sought=bool(given.keys() & {'--grep', '--request'}))}\n")


def _printed(questions: Glance, source: Source) -> list[Line]:
    """One container's log; nothing where it has not started yet, was not started before, or is gone."""
    status, body = questions.answer()
    if status not in (200, 204, 400, 404):
        raise NotSeen
    if status != 200:
        return []
    from nuages.release.printed import lines_of

    return lines_of(source, body)


def place(kept: dict[str, Any]) -> tuple[Access, Site]:
    """Which app, in which cluster."""
    access = load(Path(kept["kubeconfig"]) if kept["kubeconfig"] else None, kept["context"])
    return access, Site(**{**kept["site"], "hosts": tuple(kept["site"]["hosts"])})


def selector(labels: dict[str, str]) -> dict[str, str]:
    """What asks for all that carries these labels."""
    return {"labelSelector": ",".join(f"{name}={value}" for name, value in labels.items())}
