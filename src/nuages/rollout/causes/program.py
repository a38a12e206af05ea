"""Causes that lie in how the program starts, what it touches, and how it ends."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import Cause, Evidence, container, last_line, tail
from nuages.rollout.exits import in_words
from nuages.rollout.pods import moment

_SERVERS = "gunicorn|uvicorn|granian|daphne|hypercorn|waitress|uwsgi"
_NO_SERVER = (
    rf"nuages: (?P<name>{_SERVERS}) is not installed in this image",
    rf"No module named '?(?P<name>{_SERVERS})'?",
    rf'exec: "(?:[^"]*/)?(?P<name>{_SERVERS})": .*(?:not found|no such file)',
    rf"(?P<name>{_SERVERS}): (?:command )?not found",
)
_IN_USE = r"Address (?:already )?in use|Connection in use|only one usage of each socket address"
_PORT = r"\('[^']*', (\d+)|port (\d+)|:(\d{2,5})\b"
_READ_ONLY = r"(?:Read-only file system: '(?P<quoted>[^']+)'|(?P<plain>/\S+?)'?: Read-only file system)"
_DENIED = r"(?:\[Errno 13\] Permission denied: '(?P<quoted>[^']+)'|(?P<plain>/\S+?)'?: Permission denied)"


def memory(evidence: Evidence) -> Cause | None:
    """The kernel ended it at its memory limit: all of it, or one of its processes, of which the server tells."""
    trouble = evidence.trouble
    if trouble is None:
        return None
    limit = container(trouble).get("resources", {}).get("limits", {}).get("memory", "its limit")
    others = f"; its like use {evidence.usual} now" if evidence.usual else ""
    hint = f"raise resources.memory of the component{others}"
    if trouble.killed_for_memory:
        return Cause("diag.D030", f"it used all of its memory ({limit}){_within(evidence)}, and needed more", hint)
    if said := evidence.nuages(r"Perhaps out of memory\?"):
        return Cause("diag.D030", f"one of its processes was killed; its limit is {limit}", hint, said.string.strip())
    return None


def command(evidence: Evidence) -> Cause | None:
    """The program could not be started at all."""
    said, code = evidence.message, evidence.trouble.exit_code if evidence.trouble else None
    if "exec format error" in said or "exec format error" in evidence.log:
        hint = "build it for the node's architecture: kubectl get nodes -L kubernetes.io/arch shows that"
        return Cause(
            "diag.D007", "the image is made for another processor", hint, tail(said) or last_line(evidence.log)
        )
    if re.search(r"executable file not found|no such file or directory", said) or code == 127:
        line = tail(said) or last_line(evidence.log)
        return Cause("diag.D031", "the command is not in the image", "check the component's command", line)
    if ("permission denied" in said and code in {126, 128, None}) or code == 126:
        hint = "it must be executable by the image's user (chmod +x)"
        return Cause("diag.D032", "the command may not be executed", hint, tail(said) or last_line(evidence.log))
    return None


def server(evidence: Evidence) -> Cause | None:
    """The image has no such application server."""
    text = f"{evidence.message}\n{evidence.log}"
    for line in reversed(text.splitlines()):
        found = next(filter(None, (re.search(pattern, line) for pattern in _NO_SERVER)), None)
        if found:
            name = found["name"]
            hint = f"add {name} to the project's dependencies and lock file, or name another one as web.*.server"
            return Cause("diag.D035", f"the image has no {name} to serve it with", hint, tail(line.strip()))
    return None


def port(evidence: Evidence) -> Cause | None:
    """Another process of the pod listens already."""
    said = evidence.nuages(_IN_USE)
    if said is None:
        return None
    named = re.search(_PORT, said.string)
    number = next(filter(None, named.groups()), "") if named else ""
    which = f"port {number}" if number else "its port"
    hint = "does the command start two servers, or do two containers of the pod use one port?"
    return Cause("diag.D037", f"{which} is in use already, in the same pod", hint, said.string.strip())


def files(evidence: Evidence) -> Cause | None:
    """The program writes, or reads, where it may not."""
    if said := evidence.nuages(_READ_ONLY):
        path = said["quoted"] or said["plain"]
        hint = "write below /tmp, or to the media volume"
        return Cause(
            "diag.D028", f"the project writes to {path}, and the image is read-only", hint, said.string.strip()
        )
    if said := evidence.nuages(_DENIED):
        path = said["quoted"] or said["plain"]
        hint = "the image's user must own it; on a volume that another tool filled: does its fsGroup fit?"
        return Cause("diag.D036", f"the project may not use {path}", hint, said.string.strip())
    return None


def crash(evidence: Evidence) -> Cause | None:
    """It ended, and nothing above says why."""
    code = evidence.trouble.exit_code if evidence.trouble else None
    words = in_words(code).replace("exit", "exit code", 1) if code is not None else "an exit code that nobody knows"
    line = last_line(evidence.log)
    return Cause("diag.D033", f"the program ended with {words}", "its log may say why" if not line else "", line)


def _within(evidence: Evidence) -> str:
    """How soon after its start it ended; empty where the status does not say it."""
    statuses = evidence.trouble.pod.get("status", {}).get("containerStatuses", ()) if evidence.trouble else ()
    for one in statuses:
        if evidence.trouble and one["name"] == evidence.trouble.container:
            ended = one.get("state", {}).get("terminated") or one.get("lastState", {}).get("terminated") or {}
            if ended.get("startedAt") and ended.get("finishedAt"):
                seconds = int((moment(ended["finishedAt"]) - moment(ended["startedAt"])).total_seconds())
                return f" {seconds // 60} min after its start" if seconds >= 120 else f" within {seconds + 1} s"
    return ""
