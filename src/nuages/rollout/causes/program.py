"""Causes that lie in the program: how it starts, what it asks for, how it ends, and how it answers probes."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import Cause, Evidence, container, last_line, tail

_VARIABLE = (
    r"Set the (\w+) environment variable",  # django-environ
    r'Environment variable "(\w+)" not set',  # environs
    r"(\w+) not found\. Declare it as envvar",  # python-decouple
    r"(?i:environment variable) [\"']?([A-Z][A-Z0-9_]+)[\"']? (?:is )?(?:not set|missing|required)",  # by hand
)


def memory(evidence: Evidence) -> Cause | None:
    """The kernel ended it at its memory limit."""
    if evidence.trouble is None or not evidence.trouble.killed_for_memory:
        return None
    limit = container(evidence.trouble).get("resources", {}).get("limits", {}).get("memory", "its limit")
    return Cause("diag.D030", f"it needed more memory than {limit}", "raise resources.memory of the component")


def command(evidence: Evidence) -> Cause | None:
    """The program could not be started at all."""
    said, code = evidence.message, evidence.trouble.exit_code if evidence.trouble else None
    wrong_format = "exec format error" in said or "exec format error" in evidence.log
    if wrong_format:
        return Cause(
            "diag.D032", "the image is made for another processor", "build it for the node's architecture", said
        )
    if re.search(r"executable file not found|no such file or directory", said) or code == 127:
        line = tail(said) or last_line(evidence.log)
        return Cause("diag.D031", "the command is not in the image", "check the component's command", line)
    if ("permission denied" in said and code in {126, 128, None}) or code == 126:
        hint = "it must be executable by the image's user (chmod +x)"
        return Cause("diag.D032", "the command may not be executed", hint, tail(said) or last_line(evidence.log))
    return None


def environment(evidence: Evidence) -> Cause | None:
    """The project asks for a variable that is not set: by os.environ, django-environ, environs or decouple."""
    trace = evidence.trace
    if trace is None:
        return None
    name = next((found[1] for pattern in _VARIABLE if (found := re.search(pattern, trace.line))), "")
    from_environ = trace.name == "KeyError" and any("os" in frame.file and frame.library for frame in trace.frames[-1:])
    if from_environ:
        name = trace.message.strip("'\"")
    if not name:
        return None
    declared = {one["name"] for one in container(evidence.trouble).get("env", [])}
    if name in declared:
        return Cause("diag.D021", f"the image does not take the value of {name}", f"correct {name} in nuages.yaml")
    return Cause(
        "diag.D020",
        f"the image reads {name}, and the spec does not declare it",
        f"add {name} to env in nuages.yaml, or to secrets where its value is one",
    )


def exception(evidence: Evidence) -> Cause | None:
    """Any other exception that ended the program."""
    trace = evidence.trace
    if trace is None:
        return None
    if trace.name == "ModuleNotFoundError":
        module = trace.message.partition("named ")[2].strip("'\"")
        hint = "add it to the project's dependencies and lock file" if module else ""
        return Cause("diag.D022", f"the image has no module {module}", hint)
    if trace.name == "ImproperlyConfigured":
        return Cause("diag.D023", "the project's settings are not complete", "the line above says which one")
    if "Read-only file system" in trace.message:
        hint = "write below /tmp, or to the media volume"
        return Cause("diag.D028", "the project writes to the image, which is read-only", hint)
    return Cause("diag.D024", "the program ended with an exception")


def unmigrated(evidence: Evidence) -> Cause | None:
    """The runtime in the image says that its pod waits for migrations."""
    waits = evidence.nuages(r"start-up waits for migrations: (?P<names>.*)")
    if waits is None:
        return None
    hint = "deploy again: a release migrates before its pods start"
    return Cause("diag.D040", f"the database lacks {waits['names']}, which this image expects", hint, waits[0])


def probe(evidence: Evidence) -> Cause | None:
    """The kubelet asks, and does not get the answer it wants."""
    said = evidence.said("Unhealthy")
    which = said.partition(" ")[0].lower() or "probe"
    if "connection refused" in said:
        return Cause(
            "diag.D041", f"nothing listens where the {which} probe asks", "does the server listen on port 8000?", said
        )
    if code := re.search(r"statuscode: (\d+)", said):
        return Cause("diag.D042", f"the {which} probe is answered with {code[1]}", "", said)
    if re.search(r"Timeout|deadline exceeded|timed out", said):
        hint = "more CPU (resources.cpu) or fewer workers; the log says what it was doing"
        return Cause("diag.D043", f"the {which} probe gets no answer in time", hint, said)
    return Cause("diag.D044", f"the {which} probe fails", "", said) if said else None


def crash(evidence: Evidence) -> Cause | None:
    """It ended, and nothing above says why."""
    code = evidence.trouble.exit_code if evidence.trouble else None
    return Cause(
        "diag.D033", f"the program ended with exit code {code}", "its log may say why", last_line(evidence.log)
    )
