"""What a project's Python stands on: the base image, with Debian packages added where the spec names some."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from nuages.errors import BuildFailed, CommandFailed, MissingTool
from nuages.host import programs
from nuages.host.command import run
from nuages.host.lock import locked
from nuages.host.places import cache
from nuages.image import base, container, cures, oci
from nuages.progress import Sink, Step, step

# Counted up when the way of adding packages changes, so that nothing old is taken for new.
RECIPE = 1
DAY = 24 * 3600.0
# A working container is made again in seconds, so it is not kept for long.
UNUSED = 3 * DAY
# What an environment with its layer may take, so that a full disk is said before minutes are spent.
NEEDED = 2 << 30


class System(NamedTuple):
    """A system image: its content, its archive, and its name in buildah's storage (where it may have to be put
    first).
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
        return System(oci.read_layout(ground.archive), ground.archive, ground.reference)
    key = short_hash([ground.digest, sorted(packages), RECIPE])
    kept, reference = home() / f"system-{key}.tar", f"localhost/nuages/system:{key}"
    with locked(home() / f"system-{key}.lock", sink, "the same system packages"):
        if not kept.is_file():
            with step(sink, "system packages", expected=30) as told:
                _add(base.in_storage(ground.reference, sink), packages, reference, kept, told)
                told.note = ", ".join(packages)
    return System(oci.read_layout(kept), kept, reference)


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
    programs.ensure({"buildah": "buildah"}, sink)
    name = f"nuages-{system.image.digest.removeprefix('sha256:')[:16]}"
    with locked(home() / f"{name}.lock", sink, "another build"):
        (home() / f"{name}.lock").touch()
        if _known("container", name):
            return name
        _to_storage(system, sink)
        run(["buildah", "from", "--pull-never", f"--name={name}", system.reference])
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
    programs.ensure({"buildah": "buildah"}, sink)
    name = f"nuages-{short_hash([system.image.digest, wanted, RECIPE])}"
    with locked(home() / f"{name}.lock", sink, "the same build packages"):
        (home() / f"{name}.lock").touch()
        if _known("container", name):
            return name
        _to_storage(system, sink)
        with step(sink, "build packages", expected=30) as told:
            run(["buildah", "from", "--pull-never", f"--name={name}", system.reference])
            try:
                script = ["set -eu", "apt-get update -q >&2", apt(wanted), "rm -rf /var/lib/apt/lists/*"]
                container.inside(name, ["sh", "-c", "\n".join(script)], told.say)
            except BaseException as error:
                run(["buildah", "rm", name])
                if isinstance(error, CommandFailed):
                    raise _not_installed(wanted, error) from None
                raise
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
    for lock in home().glob("nuages-*.lock"):
        if now - lock.stat().st_mtime > UNUSED:
            with suppress(CommandFailed):  # it is gone already
                run(["buildah", "rm", lock.stem])
            lock.unlink(missing_ok=True)
    known = run(
        ["buildah", "images", "--format", "{{.Name}}:{{.Tag}}", "--filter", "reference=localhost/nuages/system"]
    )
    for name in known.split():
        with suppress(CommandFailed):  # a container stands on it
            run(["buildah", "rmi", name])


def apt(packages: list[str]) -> str:
    """The shell command that installs Debian packages and nothing they merely recommend."""
    chosen = shlex.join(packages)
    return f"DEBIAN_FRONTEND=noninteractive apt-get install -q --yes --no-install-recommends {chosen} >&2"


def short_hash(parts: list[object]) -> str:
    """A short name for exactly these inputs."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _to_storage(system: System, sink: Sink) -> None:
    """See to it that buildah's own storage has a system image."""
    if not system.reference.startswith("localhost/"):
        base.in_storage(system.reference, sink)
    elif not _known("image", system.reference):
        run(["buildah", "pull", "--quiet", f"oci-archive:{system.archive}:{system.reference}"])


def _known(kind: str, name: str) -> bool:
    with suppress(CommandFailed):
        run(["buildah", "inspect", "--type", kind, name])
        return True
    return False


def _add(below: str, packages: list[str], reference: str, to: Path, told: Step) -> None:
    script = [
        "set -eu",
        "apt-get update -q >&2",
        apt(packages),
        # What differs from run to run, and what nobody reads in an image.
        "rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/cache/ldconfig/aux-cache",
        "find /var/log -type f -delete",
    ]
    name = run(["buildah", "from", "--pull-never", below]).strip()
    try:
        container.inside(name, ["sh", "-c", "\n".join(script)], told.say)
        run(["buildah", "commit", "--quiet", "--format=oci", "--timestamp=0", name, reference], told.say)
        run(["buildah", "push", "--quiet", reference, f"oci-archive:{to}:{reference}"], told.say)
    except CommandFailed as failed:
        to.unlink(missing_ok=True)
        raise _not_installed(packages, failed) from None
    finally:
        run(["buildah", "rm", name])


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
