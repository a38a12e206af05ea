"""Whether what answers is what was released."""

from __future__ import annotations

from datetime import timedelta

from nuages.release import records
from nuages.release.answering import UNREACHED, Unasked, answers
from nuages.release.record import Stored
from nuages.release.steps import Advanced, Failed, Finished, Step, Waiting
from nuages.release.world import World

VERIFY = timedelta(seconds=10)
"""How long a web whose pods are ready may take to be reached through its Service: walls may keep the API server out."""

OTHERWISE = 6
"""How many times that, where something answers, and not as it should: a busy cluster learns late who is gone."""


async def verify(release: Stored, world: World) -> Step:
    """Each web answers through its Service, as this release."""
    record = release.record
    passed = record.phase("verify")
    notes = []
    for service in [item for item in release.manifest.web if item["kind"] == "Service"]:
        name, said = service["metadata"]["name"], await answers(service, world)
        if isinstance(said, Unasked):
            notes += [f"{name} not asked: {said.why}"] if said.why else []
        elif said == str(record.template):
            same = record.template == record.number
            notes.append(f"{name} answers as release {said}" if same else f"{name} answers, with release {said}'s code")
        elif passed is None:
            # Only now is it written down since when it is waited: most releases answer at once.
            return Advanced(await records.save(release, record.begun("verify", world.now(), []), world))
        elif world.now() - passed.started < (VERIFY if said == UNREACHED else OTHERWISE * VERIFY):
            return Waiting(f"{name} answers as {said}", 1.0)
        elif said == UNREACHED:
            notes.append(f"{name} not asked: {UNREACHED}")
        else:
            wanted = f"{name} answers as {said}, not as release {record.template}"
            return Failed(wanted, hint=f"look at its log: kubectl -n {record.namespace} logs deploy/{name}")
    return Finished(", ".join(notes))
