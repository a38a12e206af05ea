"""A working container without buildah's own start: its file system, a mount namespace, chroot. For root only.

`buildah run` takes about 0.4 s before the program begins, which is a third of a build after a change of one line. This
takes 0.05 s, and is otherwise the same as chroot isolation: the mounts of this call, its variables and nothing else's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from nuages.errors import CommandFailed
from nuages.host import programs
from nuages.host.command import run
from nuages.image import container
from nuages.image.container import Volume

# Arguments: the root, then source, target and mode of each mount, "--", the program. All mounts end with the namespace.
_ENTER = """
set -eu
root=$1
shift
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
while [ "$1" != -- ]; do
    at=$root$2
    if [ -d "$1" ]; then mkdir -p "$at"; else mkdir -p "${at%/*}"; [ -e "$at" ] || : > "$at"; fi
    mount --bind "$1" "$at"
    [ "$3" = rw ] || mount -o remount,bind,ro "$at"
    shift 3
done
shift
exec chroot "$root" "$@"
"""
_NAMESPACES = ("unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child")


def inside(
    name: str,
    program: Sequence[str],
    say: Callable[[str], None],
    *,
    volumes: Sequence[Volume] = (),
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a program as root in a working container; see `container.inside`, which does it where this can't be done.

    Raises:
        CommandFailed: it ended with an error; `detail` has its last lines.
    """
    root = _mounted(name)
    if not root:
        return container.inside(name, program, say, volumes=volumes, env=env)
    mounts = [
        part for volume in volumes for part in (str(volume.source), volume.target, "rw" if volume.writable else "ro")
    ]
    variables = [f"{key}={value}" for key, value in (env or {}).items()]
    chosen = [*_NAMESPACES, "sh", "-c", _ENTER, "sh", root, *mounts, "--"]
    return run([*chosen, "env", "-i", *variables, *program], lambda line: say(line.strip()), keep=container.KEPT)


def _mounted(name: str) -> str:
    """Where a working container's file system is; "" where it can't be entered by ourselves."""
    if os.geteuid() != 0 or programs.missing({"unshare": "util-linux", "chroot": "coreutils"}):
        return ""
    try:
        return run(["buildah", "mount", name]).strip()
    except CommandFailed:
        return ""
