"""What a cause is, and what it is found from. Pure."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from nuages.app.objects import Object
from nuages.rollout.pods import Trouble
from nuages.rollout.tracebacks import Trace, last_trace, lines, shortened

KINDS = {"secret": "Secret", "configmap": "ConfigMap"}
"""As the kubelet writes what a pod names, and as everybody else does."""

EVENT = "@nuages "
"""What a line begins with that the migrating Job writes for machines."""


class Cause(NamedTuple):
    """Why it failed, and what to do; `line` is the one line that matters, where no traceback has it."""

    id: str
    cause: str
    hint: str = ""
    line: str = ""


class Evidence(NamedTuple):
    """What is known of a failure: the workload, the pod's trouble, its log, and what the cluster said about both."""

    workload: Object
    trouble: Trouble | None = None
    log: str = ""
    events: tuple[Object, ...] = ()
    usual: str = ""
    """What its like use of memory now ("143Mi"), where the cluster measures that and a container was killed for it."""

    @property
    def trace(self) -> Trace | None:
        """The exception that ended the program."""
        return last_trace(self.log)

    @property
    def message(self) -> str:
        """What the kubelet says of the container."""
        return self.trouble.message if self.trouble else ""

    def said(self, *reasons: str, but: str = "") -> str:
        """The newest event with one of these reasons; `but` what says less than another. Empty where there is none."""
        found = [event.get("message") or "" for event in self.events if event.get("reason") in reasons]
        telling = [said for said in found if not (but and re.search(but, said))]
        return (telling or found or [""])[-1]

    def nuages(self, pattern: str) -> re.Match[str] | None:
        """The newest line of the log in which the runtime in the image says this."""
        return next(filter(None, (re.search(pattern, line) for line in reversed(lines(self.log)))), None)

    def told(self, event: str) -> dict[str, Any]:
        """The newest event of that name that the migrating Job wrote for machines; empty where there is none."""
        for line in reversed(self.log.splitlines()):
            if line.startswith(EVENT):
                try:
                    found = json.loads(line.removeprefix(EVENT))
                except (ValueError, RecursionError):
                    continue  # cut off, where the process was killed
                if isinstance(found, dict) and found.get("event") == event:
                    return found
        return {}


def container(trouble: Trouble | None) -> Object:
    """The spec of the container in trouble; empty where there is none."""
    if trouble is None:
        return {}
    spec = trouble.pod["spec"]
    every = (*spec.get("initContainers", ()), *spec.get("containers", ()))
    found: Object = next((one for one in every if one["name"] == trouble.container), {})
    return found


def tail(said: str) -> str:
    """The end of a chain of wrapped errors ("a: b: c") says most; long chains are cut at the front."""
    return said if len(said) <= 200 else "..." + said[-197:]


def last_line(log: str) -> str:
    """What a log ends with."""
    return next((shortened(line.strip()) for line in reversed(log.splitlines()) if line.strip()), "")


def lacks(cause: str, kind: str, said: str) -> Cause:
    """What a pod names is not there, or lacks a key."""
    number = {"Secret": "diag.D010", "ConfigMap": "diag.D011"}[kind]
    return Cause(
        number, cause, "deploy again makes what nuages makes; what you named yourself has to be there before", said
    )
