"""What a project's Python stands on: the base image, with Debian packages added where the spec names some."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from nuages.errors import BuildFailed, CommandFailed, MissingTool
from nuages.host.lock import locked
from nuages.host.places import cache
from nuages.image import base, cures, engines, layout, oci
from nuages.progress import Sink, Step, step

# Counted up when the way of adding packages changes, so that nothing old is taken for new.
RECIPE = 1
DAY = 24 * 3600.0
# A working container is made again in seconds, so it is not kept for long.
UNUSED = 3 * DAY
# What an environment with its layer may take, so that a full disk is said before minutes are spent.
NEEDED = 2 << 30


class System(NamedTuple):
    """A system image: its content, its archive (or folder), and its name in an engine's storage, where it may have to
    be put first.
    """

    image: oci.Image
    archive: Path
    reference: str


def home() -> Path:
    """Where builds are kept: $XDG_CACHE_HOME/nuages/builds."""
    return cache() / "builds"


def ensure(python: str, packages: list[str], sink: Sink) -> System:
    """The system image with a Python version ("3.13") and these Debian packages, made where it is not at hand.

    Raises:
        BuildFailed: a package could not be installed.
    """
    ground = base.ensure(f"python:{python}-slim", sink)
    if not packages:
        return System(layout.read(ground.archive), ground.archive, ground.reference)
    key = short_hash([ground.digest, sorted(packages), RECIPE])
    kept, reference = home() / f"system-{key}.tar", f"localhost/nuages/system:{key}"
    with locked(home() / f"system-{key}.lock", sink, "the same system packages"):
        if not kept.is_file():
            with step(sink, "system packages", expected=30) as told:
                _add(ground, packages, reference, kept, told)
                told.note = ", ".join(packages)
    return System(layout.read(kept), kept, reference)


def need_space() -> None:
    """See to it that there is room for what is built.

    Raises:
        MissingTool: there is not.
    """
    home().mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(home()).free
    if free < NEEDED:
        raise MissingTool(
            f"only {free >> 20} MiB are free where builds are kept ({home()}), {NEEDED >> 20} MiB are needed",
            hint="free some space, or name another place by XDG_CACHE_HOME",
        )


def python(system: System) -> str:
    """The exact version of its Python, as its image says: "3.13.5"; "" where it does not."""
    said = dict(pair.partition("=")[::2] for pair in system.image.settings.get("Env") or ())
    return str(said.get("PYTHON_VERSION", ""))


def working(system: System, sink: Sink) -> str:
    """The working container of a system image, kept between builds: a new one costs more than all else of a small
    change.
    """
    engine = engines.chosen(sink)
    name = f"{engine.prefix}{system.image.digest.removeprefix('sha256:')[:16]}"
    with locked(home() / f"{name}.lock", sink, "another build"):
        (home() / f"{name}.lock").touch()
        if not engine.known(name):
            with step(sink, "unpack the system image", expected=5) as told:
                engine.make(name, system.archive, system.reference, told.say)
    return name


def builder(system: System, packages: Iterable[str], sink: Sink) -> str:
    """The working container of a system image where Debian packages are installed that only building needs; kept, too.

    What is in it is in no image, so whatever is missing from the image shows while the project is loaded.

    Raises:
        BuildFailed: a package could not be installed.
    """
    wanted = sorted(set(packages))
    if not wanted:
        return working(system, sink)
    engine = engines.chosen(sink)
    name = f"{engine.prefix}{short_hash([system.image.digest, wanted, RECIPE])}"
    with locked(home() / f"{name}.lock", sink, "the same build packages"):
        (home() / f"{name}.lock").touch()
        if engine.known(name):
            return name
        script = ["set -eu", "apt-get update -q >&2", apt(wanted), "rm -rf /var/lib/apt/lists/*"]
        with step(sink, "build packages", expected=30) as told:
            try:
                engine.make(name, system.archive, system.reference, told.say, "\n".join(script))
            except CommandFailed as failed:
                raise _not_installed(wanted, failed) from None
            told.note = ", ".join(wanted)
    return name


def prune(now: float | None = None) -> None:
    """Remove working containers that nobody built with for days, and system images that then stand below none; once a
    day, since asking takes as long as a change of code. Whatever is removed is made again when it is asked for.
    """
    now = time.time() if now is None else now
    asked = home() / ".pruned"
    if asked.exists() and now - asked.stat().st_mtime < DAY:
        return
    asked.touch()
    engine = engines.chosen()
    for lock in home().glob(f"{engine.prefix}*.lock"):
        if now - lock.stat().st_mtime > UNUSED:
            with suppress(CommandFailed):  # it is gone already
                engine.remove(lock.stem)
            lock.unlink(missing_ok=True)
    engine.tidy()


def apt(packages: list[str]) -> str:
    """The shell command that installs Debian packages and nothing they merely recommend."""
    chosen = shlex.join(packages)
    return f"DEBIAN_FRONTEND=noninteractive apt-get install -q --yes --no-install-recommends {chosen} >&2"


def short_hash(parts: list[object]) -> str:
    """A short name for exactly these inputs."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _add(below: base.BaseImage, packages: list[str], reference: str, to: Path, told: Step) -> None:
    engine = engines.chosen()
    script = [
        "set -eu",
        "apt-get update -q >&2",
        apt(packages),
        # What differs from run to run, and what nobody reads in an image.
        "rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/cache/ldconfig/aux-cache",
        "find /var/log -type f -delete",
    ]
    name = f"{engine.prefix}adding-{short_hash([reference, os.getpid()])}"
    fresh = to.with_suffix(".new")  # a build that is killed leaves no half archive under its name
    fresh.unlink(missing_ok=True)
    try:
        engine.make(name, below.archive, below.reference, told.say, "\n".join(script))
        engine.save(name, below.archive, reference, fresh)
        fresh.replace(to)
    except CommandFailed as failed:
        raise _not_installed(packages, failed) from None
    finally:
        fresh.unlink(missing_ok=True)
        with suppress(CommandFailed):  # it was not made
            engine.remove(name)


def _not_installed(packages: list[str], failed: CommandFailed) -> BuildFailed:
    unknown = re.findall(
        r"Unable to locate package (\S+)|Package '?(\S+?)'? has no installation candidate", failed.detail
    )
    names = [first or second for first, second in unknown]
    if names:
        return BuildFailed(
            f"Debian has no package {', '.join(names)}",
            hint="packages.debian.org has all names of build.packages and buildPackages; some change with a release",
        )
    if "No space left on device" in failed.detail:
        return BuildFailed("the disk is full", hint="free some space and build again; nothing half-made was kept")
    if re.search(r"Could not resolve|Failed to fetch|Temporary failure resolving", failed.detail):
        host = re.search(r"https?://([^/\s]+)", failed.detail)
        return BuildFailed(
            f"the Debian mirror{f' {host[1]}' if host else ''} does not answer", hint="Debian packages are needed once"
        )
    return BuildFailed(
        f"Debian packages could not be installed: {', '.join(packages)}", detail=cures.reason(failed.detail)
    )
