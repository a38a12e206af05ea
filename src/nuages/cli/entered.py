"""`nuages exec` by the quick way: one connection finds the pod, writes down who enters it, and becomes the program's.

What it does is what release/entering.py does, by the same pure parts (release/entrance.py, release/ran.py), without
asyncio. Until it is written down that something begins, whatever is in the way leaves it to that.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from select import select
from typing import TYPE_CHECKING, Any, NamedTuple

from nuages.cli.glimpsed import place, selector
from nuages.errors import ClusterError, CommandFailed, NuagesError, Unreachable
from nuages.kube.glance import Glance, NotSeen, glance
from nuages.kube.kinds import KNOWN
from nuages.release import entrance, ran

if TYPE_CHECKING:
    from nuages.cli.glimpse import Words
    from nuages.kube.config import Access
    from nuages.kube.failures import Asked
    from nuages.release.site import Site

MANAGER = {"fieldManager": "nuages"}
GONE = 5.0
"""Seconds in which what was left behind is to be ended."""

TRIES = 3
PERHAPS = "its pod may have ended: nuages status"


class Begun(NamedTuple):
    """A command that is written down, and begins."""

    access: Access
    site: Site
    where: entrance.Place
    mark: str
    tty: bool
    entry: ran.Entry
    beyond: list[str]
    """The keys of older entries that go."""
    questions: Glance


def entered(kept: dict[str, Any], words: Words) -> int | None:
    """Run the command; answers its exit code, or None where nothing was begun: then the whole way explains."""
    if not words.names or sys.stdin is None or sys.stdout is None:
        return None
    with ExitStack() as held:
        try:
            begun = _begun(held, kept, words)
        except (NotSeen, NuagesError, AttributeError, LookupError, TypeError, ValueError):
            return None
        gc.freeze()
        gc.enable()  # it may go on for days
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        from nuages.release.leaving import Detached

        try:
            return _ran(begun, _command(words), held)
        except Detached:
            print("\nleft, and what ran has ended")  # noqa: T201 - the console is slow to import
            return 0
        except BrokenPipeError:
            raise
        except Exception as error:
            from nuages.cli.console import console

            if not isinstance(error, NuagesError):  # what words mistakes imports click: the cluster's no goes without
                from nuages.cli.misuse import failed

                error = failed(error)
            return console.error(error)


def _command(words: Words) -> list[str]:
    """What stands behind the name."""
    return words.names[2:] if words.names[1:2] == ["--"] else words.names[1:]


def _begun(held: ExitStack, kept: dict[str, Any], words: Words) -> Begun:
    """Find the pod, and write down who enters it."""
    access, site = place(kept)
    asked = [(KNOWN["Pod"].path(site.namespace), selector(site.labels))]
    questions = held.enter_context(glance(access, asked))
    # While the API server answers:
    import nuages.cli.conversed  # noqa: F401 - it is needed soon
    from nuages.cli import near
    from nuages.release import named
    from nuages.release.locks.holder import user

    (pods,) = questions.answers()
    known = [named.Part(component, key) for component, key in kept["parts"]]
    pod = named.choosing_one(site.name, site.namespace, known, words.names[0], pods["items"] or [])
    where = entrance.place(pod, words.given.get("container", ""))
    told = entrance.noted(_command(words))
    entry = ran.begun(site.name, told, pod=where.pod, release=where.release, by=user())
    questions.merge(_entries(site), MANAGER, {"data": {entry.id: entry.text}})
    (entries,) = questions.answers()
    sys.stderr.write(f"{where.told}\n")
    sys.stderr.flush()
    beyond = ran.beyond(entries["data"])
    return Begun(access, site, where, entrance.mark(), near.terminal(), entry, beyond, questions)


def _ran(begun: Begun, command: Sequence[str], held: ExitStack) -> int:
    """Be connected to the command to its end, and write down how it ended."""
    from nuages.cli.conversed import conversed
    from nuages.kube.wire import opened

    terminal = os.environ.get("TERM", "") if begun.tty else ""
    told = entrance.marked(command, begun.mark, terminal)
    try:
        path, parameters, asked = _way(begun, told, stdin=True, tty=begun.tty)
        code = conversed(opened(begun.questions, path, parameters, asked), tty=begun.tty)
    except BaseException as error:
        held.close()
        if not isinstance(error, ClusterError) or isinstance(error, Unreachable):  # it may go on
            _end(begun)
        with suppress(ClusterError):
            _write(begun, note=error.message if isinstance(error, ClusterError) else "interrupted")
        if isinstance(error, Unreachable):
            raise Unreachable(error.message, hint=PERHAPS) from error
        raise
    if code is None:
        unknown = CommandFailed(f"{begun.where.pod} did not say how it ended", hint=PERHAPS)
        _write(begun, note=unknown.message)
        raise unknown
    _write(begun, exit_code=code)
    return code


def _end(begun: Begun) -> None:
    """End what was left behind; a container that is gone has taken it along."""
    from nuages.kube.wire import opened

    until = time.monotonic() + GONE
    with suppress(ClusterError, NotSeen):
        for sign in entrance.SIGNS:
            path, parameters, asked = _way(begun, entrance.ending(begun.mark, sign), stdin=False, tty=False)
            with glance(begun.access, []) as questions:
                wire = opened(questions, path, parameters, asked, max(until - time.monotonic(), 0.1))
                while not wire.ended and (left := until - time.monotonic()) > 0:
                    wire.flush()
                    select([wire], [], [], 0 if wire.came else left)
                    for _ in wire.heard():
                        pass
            time.sleep(entrance.BETWEEN)


def _way(begun: Begun, command: Sequence[str], *, stdin: bool, tty: bool) -> tuple[str, list[tuple[str, str]], Asked]:
    """What is asked of the API server to run a command there, and how an error names it."""
    from nuages.kube.channels import wanted
    from nuages.kube.failures import Asked

    pod, namespace = begun.where.pod, begun.site.namespace
    path = KNOWN["Pod"].path(namespace, pod) + "/exec"
    parameters = wanted(begun.where.container, stdin=stdin, tty=tty, command=command)
    return path, parameters, Asked("run a command in", "Pod", pod, namespace)


def _write(begun: Begun, *, exit_code: int | None = None, note: str = "") -> None:
    """Write down how it ended.

    Raises:
        ClusterError: it could not be.
    """
    from nuages.kube.failures import Asked, Later, failure
    from nuages.release import redact

    entry = begun.entry._replace(ended=ran.now(), exit_code=exit_code, note=redact.text(note))
    change = {"data": {entry.id: entry.text, **dict.fromkeys(begun.beyond)}}
    asked = Asked("patch", "ConfigMap", f"{begun.site.name}-{ran.KIND}", begun.site.namespace)
    for attempt in range(1, TRIES + 1):
        try:
            with glance(begun.access, []) as questions:
                questions.merge(_entries(begun.site), MANAGER, change)
                status, body = questions.answer()
            if status in (200, 404):  # its environment may be gone meanwhile, and what was written of it
                return
            raise failure(status, body, asked)
        except (NotSeen, Later) as error:
            if attempt == TRIES:
                raise Unreachable(f"cannot {asked}: {error.__cause__ or error}") from error
            time.sleep(attempt)


def _entries(site: Site) -> str:
    """Where it is written down, as release/entries.py has it."""
    return KNOWN["ConfigMap"].path(site.namespace, f"{site.name}-{ran.KIND}")
