"""Whether what answers is what was released."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from nuages.errors import Forbidden
from nuages.release import records
from nuages.release.record import Stored
from nuages.release.steps import Advanced, Failed, Finished, Step, Waiting
from nuages.release.world import World
from nuages.render.labels import RUNTIME

VERIFY = timedelta(seconds=10)
"""How long a web whose pods are ready may take to answer through its Service."""


async def verify(release: Stored, world: World) -> Step:
    """Each web answers through its Service, as this release."""
    record = release.record
    passed = record.phase("verify")
    notes = []
    for service in [item for item in release.manifest.web if item["kind"] == "Service"]:
        if service["metadata"].get("annotations", {}).get(RUNTIME) == "false":
            continue  # the project's own server has no /-/ready
        name, port = service["metadata"]["name"], service["spec"]["ports"][0]["name"]
        try:
            status, body = await world.cluster.service_get(record.namespace, name, port, "/-/ready")
        except Forbidden:
            notes.append(f"{name} not asked: no right to get services/proxy")
            continue
        said = msgspec.json.decode(body).get("release") if status == 200 else f"nothing but {status}"
        if said == str(record.template):
            notes.append(f"{name} answers as release {said}")
        elif passed is None:
            # Only now is it written down since when it is waited: most releases answer at once.
            return Advanced(await records.save(release, record.begun("verify", world.now(), []), world))
        elif world.now() - passed.started < VERIFY:
            return Waiting(f"{name} answers as {said}", 1.0)
        elif b'"Status"' in body:
            # The API server's own words: it could not reach the pod (a wall in between), which proves nothing.
            notes.append(f"{name} not asked: the API server does not reach it")
        else:
            wanted = f"{name} answers as {said}, not as release {record.template}"
            return Failed(wanted, hint=f"look at its log: kubectl -n {record.namespace} logs deploy/{name}")
    return Finished(", ".join(notes))
