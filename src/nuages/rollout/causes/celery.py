"""Causes that lie in a worker or in beat, as Celery and its brokers' clients say them."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import Cause, Evidence, container
from nuages.rollout.causes.stores import ENCRYPTED, REFUSES, SILENT
from nuages.rollout.pods import Symptom

_APP = "celery.app of the worker or of beat in nuages.yaml: as `celery -A` takes it"
_RAISED = r"^(?:kombu|amqp)\."
"""What publishing a task raises where its broker is not there."""


def application(evidence: Evidence) -> Cause | None:
    """The Celery app that the spec names is not in the image."""
    if said := evidence.nuages(r"Unable to load celery application"):
        # Celery's own words, which stand in the lines behind: celery/bin/celery.py
        behind = evidence.log.partition(said.string)[2].strip().partition("\n")[0].strip()
        if lacks := re.match(r"The module (\S+?)\.? was not found", behind):
            return Cause("diag.D090", f"there is no Celery app {lacks[1]} in the image", _APP, behind)
        if "has no attribute" in behind:
            return Cause("diag.D090", "the module that is named has no Celery app in it", _APP, behind)
    trace = evidence.trace
    variables = {one["name"]: one.get("value", "") for one in container(evidence.trouble).get("env", [])}
    named = variables.get("NUAGES_CELERY_APP", "")
    if trace is None or not named or not any("celery/app/utils" in frame.file for frame in trace.frames):
        return None
    module = named.partition(":")[0]
    lacks = re.search(r"No module named '([^']+)'", trace.message)
    # An app whose own imports fail is another matter: the line says which module it lacks.
    is_it = bool(lacks and f"{module}.".startswith(f"{lacks[1]}."))
    if not is_it and not (trace.name == "AttributeError" and "has no attribute" in trace.message):
        return None
    return Cause("diag.D090", f"there is no Celery app {named} in the image", _APP)


def broker(evidence: Evidence) -> Cause | None:
    """The broker refuses or does not answer; a worker goes on trying, so its pod runs and is not ready."""
    trace = evidence.trace
    raised = re.search(_RAISED, trace.type) if trace else None
    ended = evidence.trouble is not None and evidence.trouble.symptom is Symptom.CRASH
    if final := evidence.nuages(r"Unrecoverable error: (?P<why>.*)"):
        raised = raised or re.search(f"{REFUSES}|{SILENT}", final["why"])
    if trace and ended and not raised:
        return None  # whatever it said before of its broker, something else ended it
    said = evidence.nuages(r"Cannot connect to (?P<where>[\w+]+://\S+?): (?P<why>.*?)(?:\\n.*)?$")
    said = said or evidence.nuages(r"beat: Connection error: (?P<why>.*?) Trying again")
    if said is None and trace and raised and re.search(f"{REFUSES}|{SILENT}|{ENCRYPTED}", trace.message):
        said = re.search(r"(?P<why>.*)", trace.message)
    if said is None:
        return None
    where = said.groupdict().get("where") or "the broker"
    line = f"{where}: {said['why'].strip().rstrip('.')}"
    if re.search(REFUSES, said["why"]):
        hint = "a CELERY_BROKER_URL in nuages.yaml wins over the one that nuages makes"
        return Cause("diag.D091", "the broker refuses the user or the password", hint, line)
    if re.search(ENCRYPTED, said["why"]):
        hint = "redis:// and amqp:// are plain, rediss:// and amqps:// encrypted: which does it speak?"
        return Cause("diag.D094", "the broker's connection is not encrypted as one side wants it", hint, line)
    hint = "nuages status shows whether its pod is ready; where CELERY_BROKER_URL is yours, does it lead there?"
    return Cause("diag.D092", "the broker does not answer", hint, line)
