"""Causes that lie in how the program starts, what it touches, and how it ends."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import Cause, Evidence, container, last_line, tail
from nuages.rollout.exits import in_words
from nuages.rollout.pods import moment
from nuages.rollout.tracebacks import lines

_SERVERS = "gunicorn|uvicorn|granian|daphne|hypercorn|waitress|uwsgi"
_KILLED = r"Perhaps out of memory\?|signal 9 \(SIGKILL\)|killed by signal 9"
"""What gunicorn, Celery and uWSGI say of a process of theirs that somebody else ended."""

_REFUSED = r"^MemoryError\b|Errno 12\] Cannot allocate memory|std::bad_alloc|heap out of memory"
_NO_SERVER = (
    rf"nuages: (?P<name>{_SERVERS}) is not installed in this image",
    rf"No module named '?(?P<name>{_SERVERS})'?(?![.\w])",
    rf"exec: \"(?:[^\"]*/)?(?P<name>{_SERVERS})\": .*(?:not found|no such file)",
    rf"executable file `(?P<name>{_SERVERS})` not found",  # crun
    rf"(?P<name>{_SERVERS}): (?:command )?not found",
)
_IN_USE = (
    r"(?i)Address (?:already )?in use|Connection in use|port is already in use|only one usage of each socket address"
)
_PORTS = (r"\('[^']*', (\d+)", r"(?i)\bport[ =:]+(\d+)", r"(?:\d+(?:\.\d+){3}|localhost|\]|\*):(\d{2,5})\b")
_LOW = r"\('[^']*', (?P<port>\d+)\) failed: \[Errno 13\]|(?i:bind)\(\).*Permission denied"
_READ_ONLY = (
    r"(?:Read-only file system: '(?P<quoted>[^']+)'|(?P<plain>/[^\s'\u2019]+)['\u2019]?: Read-only file system)"
)
_DENIED = (
    r"(?:\[Errno 13\] Permission denied: '(?P<quoted>[^']+)'|(?P<plain>/[^\s'\u2019]+)['\u2019]?: Permission denied)"
)


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
    if "OOM-killed" in trouble.message:  # runc's and crun's word for a limit that its own start does not fit into
        return Cause("diag.D030", f"its memory ({limit}) is too little to start at all", hint, tail(trouble.message))
    if (said := evidence.nuages(_KILLED)) and not _timed_out(evidence, said.string):
        return Cause("diag.D030", f"one of its processes was killed; its limit is {limit}", hint, said.string.strip())
    if said := evidence.nuages(_REFUSED):
        return Cause("diag.D030", f"it got no more memory; its limit is {limit}", hint, said.string.strip())
    return None


def _timed_out(evidence: Evidence, said: str) -> bool:
    """Whether gunicorn itself had given this process up, whose word for it is the same."""
    process = re.search(r"\(pid:(\d+)\)", said)
    return bool(process and evidence.nuages(rf"WORKER TIMEOUT \(pid:{process[1]}\)"))


def command(evidence: Evidence) -> Cause | None:
    """The program could not be started at all: in the words of runc, crun, a shell and Python."""
    said, code = evidence.message, evidence.trouble.exit_code if evidence.trouble else None
    line = tail(said) or last_line(evidence.log)
    if re.search(r"(?i)exec format error", f"{said}\n{evidence.log}"):
        hint = "build it for the node's architecture: kubectl get nodes -L kubernetes.io/arch shows that"
        return Cause("diag.D007", "the image is made for another processor", hint, line)
    if folder := re.search(r"chdir to cwd \(\"([^\"]+)\"\)|chdir (?:to )?`?([^`\s:]+)`?: No such file", said):
        where = folder[1] or folder[2]
        return Cause("diag.D012", f"the working directory {where} is not in the image", "correct workingDir", line)
    if "no command specified" in said:
        return Cause(
            "diag.D031", "neither the image nor the spec says what to run", "say the component's command", line
        )
    if script := evidence.nuages(r"^\S*py\S*: can't open file '(?P<file>[^']+)'"):
        hint = "is it committed, not left out by .dockerignore, and is the command said from the project's root?"
        return Cause("diag.D031", f"there is no {script['file']} in the image", hint, script.string.strip())
    if ends := evidence.nuages(r"(?<![\w/.-])[\w/.-]+\\r['\u2019]?: No such file|exec \S+\.sh: no such file"):
        hint = "Windows line ends (CRLF) do that: * text=auto eol=lf in .gitattributes, and commit it anew"
        return Cause("diag.D031", "the script's first line names a program that is not in the image", hint, ends.string)
    if (re.search(r"(?i)permission denied", said) and code in {126, 127, 128, None}) or code == 126:
        hint = "it must be executable by the image's user (chmod +x)"
        return Cause("diag.D032", "the command may not be executed", hint, line)
    if unknown := evidence.nuages(r"^Unknown command: '(?P<name>[^']+)'"):
        hint = "is the app that has it installed, and in INSTALLED_APPS of these settings?"
        return Cause("diag.D031", f"manage.py knows no command {unknown['name']}", hint, unknown.string)
    if (
        re.search(r"(?i)executable file `?\S* ?not found|no such file or directory|no such command", said)
        or code == 127
    ):
        return Cause("diag.D031", "the command is not in the image", "check the component's command", line)
    return None


def server(evidence: Evidence) -> Cause | None:
    """The image has no such application server."""
    text = f"{evidence.message}\n{evidence.log}"
    for line in reversed(lines(text)):
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
    number = next((found[1] for pattern in _PORTS if (found := re.search(pattern, said.string))), "")
    which = f"port {number}" if number else "its port"
    hint = "does the command start two servers, or do two containers of the pod use one port?"
    return Cause("diag.D037", f"{which} is in use already, in the same pod", hint, said.string.strip())


def application(evidence: Evidence) -> Cause | None:
    """The server finds no application where it is told to look: each server has its own words for that."""
    for line in reversed(lines(evidence.log)):
        if found := next(filter(None, (re.search(pattern, line) for pattern in _NO_APPLICATION)), None):
            parts = found.groupdict()
            what = ":".join(filter(None, (parts.get("module"), parts.get("name")))) or "of that name"
            hint = "wsgi.py or asgi.py defines application; a command of your own names it as package.module:name"
            return Cause("diag.D093", f"there is no application {what} in the image", hint, line.strip())
    return None


_NO_APPLICATION = (
    r"Failed to find (?:attribute|application object) '(?P<name>\w+)' in '(?P<module>[\w.]+)'",  # gunicorn
    r'Attribute "(?P<name>[\w.]+)" not found in module "(?P<module>[\w.]+)"',  # uvicorn
    r'Import string "(?P<module>[^"]*)" must be in format',
    r"Cannot load application from '(?P<module>[\w.:]+)', application not found",  # hypercorn
    r"^AttributeError: module '(?P<module>[\w.]*(?:wsgi|asgi))' has no attribute '(?P<name>\w+)'",  # daphne, granian
    r'unable to find "(?P<name>\w+)" callable in file (?P<module>\S+)',  # uWSGI
)


def files(evidence: Evidence) -> Cause | None:
    """The program writes, or reads, where it may not."""
    if said := evidence.nuages(_READ_ONLY):
        path = said["quoted"] or said["plain"]
        hint = "write below /tmp, or to the media volume"
        return Cause(
            "diag.D028", f"the project writes to {path}, and the image is read-only", hint, said.string.strip()
        )
    if said := evidence.nuages(_LOW):
        hint = "only root may listen below 1024: take a port above it, the Service's port stays what it is"
        return Cause(
            "diag.D036", f"the project may not listen on port {said['port'] or '80'}", hint, said.string.strip()
        )
    if said := evidence.nuages(_DENIED):
        path = said["quoted"] or said["plain"]
        hint = "the image's user must own it; on a volume that another tool filled: does its fsGroup fit?"
        return Cause("diag.D036", f"the project may not use {path}", hint, said.string.strip())
    if said := evidence.nuages(r"(?i)no space left on device(?:: '(?P<path>[^']+)')?"):
        where = f" at {said['path']}" if said["path"] else ""
        hint = "a greater media volume, or less in /tmp; is a whole download kept in memory or on disk?"
        return Cause("diag.D098", f"no room is left{where}", hint, said.string.strip())
    return None


def crash(evidence: Evidence) -> Cause | None:
    """It ended, and nothing above says why."""
    code = evidence.trouble.exit_code if evidence.trouble else None
    words = in_words(code).replace("exit", "exit code", 1) if code is not None else "an exit code that nobody knows"
    fatal = evidence.nuages(r"^Fatal Python error: .*")  # above the frames of all threads
    line = fatal[0] if fatal else last_line(evidence.log)
    hint = "its log may say why" if not line else ""
    if code == 137:
        hint = "from outside, and not at its own limit: the node had no memory left, or it did not end in time"
    return Cause("diag.D033", f"the program ended with {words}", hint, line)


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
