"""`nuages status` where all is well: asked and shown without anything that is slow to import.

What a command line leads to (which namespace of which cluster) follows from files; so it is kept in the cache beside
what tells that these files are the same (cli/recalled.py). The rest is one connection (kube/glance.py) and one screen.
Where that is not enough (an option it does not know, a file that changed, something not well), the command goes its
whole way.
"""

from __future__ import annotations

import sys

from nuages.cli.recalled import recall

TYPE_CHECKING = False  # typing costs 4 ms
if TYPE_CHECKING:
    from typing import Any

ASKED = ("Deployment", "StatefulSet", "Pod", "Service", "Job", "CronJob", "ConfigMap")
"""What is needed where nothing is wrong."""

_WORDS = {"-e": 1, "--environment": 1, "-f": 0, "--file": 0, "--context": 2}


def glimpse(arguments: list[str]) -> bool:
    """Show how an environment stands, where that is quickly told; False where nothing was shown."""
    as_json = "--json" in arguments
    words = _read([word for word in arguments if word != "--json"])
    kept = recall(*words) if words else None
    if kept is None:
        return False
    import gc

    gc.disable()  # what is imported stays: looking through it for garbage takes longer than all the rest is worth
    from nuages.errors import NuagesError
    from nuages.kube.glance import NotSeen

    try:
        text = _told(kept, as_json=as_json)
    except (NotSeen, NuagesError, KeyError, TypeError):  # the whole way says what is wrong
        return False
    finally:
        gc.enable()
    if text is not None:
        sys.stdout.write(text)
        sys.stdout.flush()
    return text is not None


def _told(kept: dict[str, Any], *, as_json: bool) -> str | None:
    """The screen; None where something is not well, and why is to be found out."""
    from pathlib import Path

    from nuages.kube.config import load
    from nuages.kube.glance import glance
    from nuages.kube.kinds import KNOWN
    from nuages.release.site import Site

    access = load(Path(kept["kubeconfig"]) if kept["kubeconfig"] else None, kept["context"])
    site = Site(**{**kept["site"], "hosts": tuple(kept["site"]["hosts"])})
    labels = {"labelSelector": ",".join(f"{name}={value}" for name, value in site.labels.items())}
    asked = [(KNOWN[kind].path(site.namespace), labels) for kind in ASKED]
    asked += [
        (KNOWN["Lease"].path(site.namespace, f"{site.name}-release"), {}),
        *([(KNOWN["Secret"].path(site.namespace, site.certificate), {})] if site.certificate else []),
        (KNOWN["PodMetrics"].path(site.namespace), labels),
    ]
    with glance(access, asked) as questions:
        # While the API server answers:
        from datetime import UTC, datetime

        from nuages.cli import screen
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
    status = picture.picture(site, found, now, access.context, port=kept["port"])
    if status.release is None or status.problems or not picture.still(found, now):
        return None
    return (
        f"{screen.document(status)}\n"
        if as_json
        else "".join(f"{line}\n" for line in screen.lines(status, now, screen.paint(sys.stdout)))
    )


def _read(arguments: list[str]) -> tuple[str, str, str] | None:
    """File, environment and context; None where a word is none of these."""
    found = ["nuages.yaml", "local", ""]
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if name not in _WORDS or (equals and not name.startswith("--")):
            return None
        value = value if equals else next(words, "")
        if not value:
            return None
        found[_WORDS[name]] = value
    return found[0], found[1], found[2]
