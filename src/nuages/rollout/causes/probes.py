"""Causes that lie in how a pod answers its probes: the kubelet's words, beside what the program says meanwhile."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import Cause, Evidence, container
from nuages.rollout.pods import Symptom
from nuages.spec.units import millicores

_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_NO_ANSWER = r"Timeout|deadline exceeded|timed out"
_LITTLE = 1000
"""Thousandths of a processor: a start is one thread's work, so a limit of one processor and more slows none down."""


def unmigrated(evidence: Evidence) -> Cause | None:
    """The runtime in the image says that its pod waits for migrations."""
    waits = evidence.nuages(r"start-up waits for migrations: (?P<names>.*)")
    if waits is None:
        return None
    hint = "deploy again: a release migrates before its pods start"
    return Cause("diag.D040", f"the database lacks {waits['names']}, which this image expects", hint, waits[0])


def answer(evidence: Evidence) -> Cause | None:
    """The program answers, and always will answer so: a refused Host, a redirect, an error of its own."""
    said, which = _said(evidence)
    host = evidence.nuages(r"Invalid HTTP_HOST header: '(?P<host>[^']+)'")
    if host and "statuscode: 400" in said:
        hint = "let the probe send a Host that ALLOWED_HOSTS has (httpHeaders), or keep nuages' own probe paths"
        name = host["host"].rpartition(":")[0] or host["host"]
        return Cause(
            "diag.D045", f"Django refuses the {which} probe's Host, {name}: ALLOWED_HOSTS lacks it", hint, host[0]
        )
    if "statuscode: 400" in said:
        hint = "Django answers so where ALLOWED_HOSTS lacks the Host of a probe, which is the pod's address"
        return Cause("diag.D045", f"the {which} probe is answered with 400, as a Host that is refused", hint, said)
    if ('Get "https://' in said and "HTTP" in _schemes(evidence)) or "stopped after 10 redirects" in said:
        hint = "SECURE_SSL_REDIRECT, most often: leave the path out with SECURE_REDIRECT_EXEMPT, or keep nuages' own"
        return Cause("diag.D046", f"the {which} probe is redirected", hint, said)
    if code := re.search(r"statuscode: (30\d)", said):
        return Cause("diag.D046", f"the {which} probe is redirected ({code[1]})", "", said)
    if "statuscode: 500" in said:
        hint = "correct the project, and deploy again; its log has the exception"
        return Cause("diag.D047", f"the {which} probe is answered with 500: an error in the project", hint, said)
    return None


def throttled(evidence: Evidence) -> Cause | None:
    """Its start gets less processor than it needs: what the runtime measured, else a limit too low for any start."""
    if told := evidence.nuages(r"processor was withheld for (?P<lost>\S+) of (?P<all>\S+) s"):
        limit = _limit(evidence)
        return Cause(
            "diag.D048",
            f"its start got no processor for {told['lost']} of {told['all']} s: limits.cpu is {limit or 'too low'}",
            "raise or leave out the component's limits.cpu",
            told[0],
        )
    said, which = _said(evidence)
    limit = _limit(evidence)
    if not limit or millicores(limit) >= _LITTLE or evidence.trace or which == "liveness":
        return None
    if "connection refused" in said or re.search(_NO_ANSWER, said):
        cause = (
            f"nothing answers the {which} probe in time, and limits.cpu is {limit}: most likely its start is throttled"
        )
        return Cause("diag.D048", cause, "raise or leave out the component's limits.cpu", said)
    return None


def probe(evidence: Evidence) -> Cause | None:
    """The kubelet asks, and does not get the answer it wants."""
    said, which = _said(evidence)
    if "connection refused" in said:
        number = re.search(r":(\d+): connect", said)
        hint = f"does the server listen on port {number[1] if number else 8000}, and on 0.0.0.0?"
        return Cause("diag.D041", f"nothing listens where the {which} probe asks", hint, said)
    if code := re.search(r"statuscode: (\d+)", said):
        hint = "the pod's log says what it answers; does the probe ask for the right path?"
        return Cause("diag.D042", f"the {which} probe is answered with {code[1]}", hint, said)
    if re.search(_NO_ANSWER, said):
        hint = "more CPU (resources.cpu) or fewer workers; the log says what it was doing"
        return Cause("diag.D043", f"the {which} probe gets no answer in time", hint, said)
    return Cause("diag.D044", f"the {which} probe fails", "", said) if said else None


def killed(evidence: Evidence) -> bool:
    """Whether the kubelet ended the container because of a probe."""
    return bool(re.search(r"failed (?:startup|liveness) probe", evidence.said("Killing")))


def _said(evidence: Evidence) -> tuple[str, str]:
    """The kubelet's newest words about a probe, and which one it is.

    Of a container that ended they matter only where the kubelet ended it for them.
    """
    ended = evidence.trouble is not None and evidence.trouble.symptom is Symptom.CRASH
    said = "" if ended and not killed(evidence) else evidence.said("Unhealthy")
    return said, said.partition(" ")[0].lower() or "probe"


def _schemes(evidence: Evidence) -> set[str]:
    spec = container(evidence.trouble)
    return {spec[one]["httpGet"].get("scheme", "HTTP") for one in _PROBES if "httpGet" in spec.get(one, {})}


def _limit(evidence: Evidence) -> str:
    return str(container(evidence.trouble).get("resources", {}).get("limits", {}).get("cpu", ""))
