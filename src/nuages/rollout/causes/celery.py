"""Causes that lie in a worker or in beat, as Celery and its brokers' clients say them."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import Cause, Evidence, container

_REFUSES = r"(?i)invalid username-password|WRONGPASS|NOAUTH|authentication required|ACCESS_REFUSED|invalid password"


def application(evidence: Evidence) -> Cause | None:
    """The Celery app that the spec names is not in the image."""
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
    hint = "celery.app of the worker or of beat in nuages.yaml: as `celery -A` takes it"
    return Cause("diag.D090", f"there is no Celery app {named} in the image", hint)


def broker(evidence: Evidence) -> Cause | None:
    """The broker refuses or does not answer; a worker goes on trying, so its pod runs and is not ready."""
    said = evidence.nuages(r"Cannot connect to (?P<where>[\w+]+://\S+?): (?P<why>.*?)(?:\\n.*)?$")
    said = said or evidence.nuages(r"beat: Connection error: (?P<why>.*?) Trying again")
    if said is None:
        return None
    where = said.groupdict().get("where") or "the broker"
    line = f"{where}: {said['why'].strip().rstrip('.')}"
    if re.search(_REFUSES, said["why"]):
        hint = "a CELERY_BROKER_URL in nuages.yaml wins over the one that nuages makes"
        return Cause("diag.D091", "the broker refuses the user or the password", hint, line)
    hint = "nuages status shows whether its pod is ready; where CELERY_BROKER_URL is yours, does it lead there?"
    return Cause("diag.D092", "the broker does not answer", hint, line)
