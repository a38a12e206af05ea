"""What stands and can't become what is wanted: fields that never change, and data stores, which no release changes.

https://kubernetes.io/docs/concepts/storage/persistent-volumes/: of a claim only the size can grow;
https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/: a StatefulSet's claims are as it was made.
Pure: what is wanted and what is live in, findings or words out.
"""

from __future__ import annotations

import re

from nuages.app.objects import Object
from nuages.app.parts import spoken
from nuages.findings import Finding, Level, Place
from nuages.render.access_roles import GRANTED
from nuages.render.labels import COMPONENT, ENVIRONMENT


def verdict(wanted: Object, live: Object) -> list[Finding]:
    """Why an object can't become what is wanted; nothing where it can, or may stay as it is."""
    match wanted["kind"]:
        case "PersistentVolumeClaim":
            return _claim(wanted, live)
        case "StatefulSet":
            return _store(wanted, live)
        case _:
            return []


def granted(wanted: Object, live: Object) -> bool:
    """Whether it is a right or a limit that is as wanted: who may deploy need not be allowed to give them."""
    said = ("spec", "rules", "roleRef", "subjects")
    return wanted["kind"] in GRANTED and all(wanted.get(field) == live.get(field) for field in said)


def kept(wanted: Object, live: Object) -> str:
    """What to say of a data store's StatefulSet that differs from what is wanted; empty where it does not."""
    differ = [field for field in ("image", "args") if _server(wanted).get(field) != _server(live).get(field)]
    if not differ:
        return ""
    return f"{live['metadata']['name']} stays as it was made, though its {' and '.join(differ)} would now be others"


def _claim(wanted: Object, live: Object) -> list[Finding]:
    place = Place(path=f"PersistentVolumeClaim/{live['metadata']['name']}")
    hint = "say in nuages.yaml what it has, or move the data to a volume of another name"
    found = []
    for field in ("accessModes", "storageClassName"):
        has, asked = live["spec"].get(field), wanted["spec"].get(field)
        if asked and has and asked != has:
            said = f"has {field} {_words(has)}, which can't become {_words(asked)}"
            found.append(Finding("release.E320", Level.ERROR, said, place, hint))
    return found


def _store(wanted: Object, live: Object) -> list[Finding]:
    """A cache forgets what is in it when memory is full, or its pod ends: no place for tasks."""
    about = wanted["metadata"]
    place = Place(path=f"StatefulSet/{about['name']}")
    where = spoken(about.get("labels", {}).get(ENVIRONMENT, "local"))
    anew = f"nuages services apply {about.get('labels', {}).get(COMPONENT, '')}{where}, and deploy again"
    if (has := _connections(live)) < (asked := _connections(wanted)):
        # All that was counted, pods and sets beside them, counts on what the spec's memory allows.
        said = f"was made for {has} connections, and {asked} are wanted; no release restarts a database"
        hint = f"{anew}: its data stays, and for some seconds there is no database; or the memory it had"
        return [Finding("release.E322", Level.ERROR, said, place, hint)]
    if live["spec"].get("volumeClaimTemplates") or not wanted["spec"].get("volumeClaimTemplates"):
        return []
    hint = f"{anew}: what it holds goes"
    return [
        Finding("release.E321", Level.ERROR, "has no volume, and would lose what is wanted to be kept", place, hint)
    ]


def _words(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _server(workload: Object) -> Object:
    container: Object = workload.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [{}])[0]
    return container


def _connections(workload: Object) -> int:
    """PostgreSQL's max_connections, as its arguments have it; 0 where they say nothing of it."""
    found = (re.fullmatch(r"max_connections=(\d+)", argument) for argument in _server(workload).get("args") or [])
    return next((int(one[1]) for one in found if one), 0)
