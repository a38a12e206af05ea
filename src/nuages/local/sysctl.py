"""The machine's settings that a node needs raised; the last cluster that goes puts them back."""

from __future__ import annotations

import json
from pathlib import Path

from nuages.local.places import base

WANTED = {
    "net/ipv4/ip_forward": 1,  # between the node and the world
    "fs/inotify/max_user_instances": 8192,  # kubelet, containerd and every pod's log follower take some
    "fs/inotify/max_user_watches": 524288,
}


def raise_() -> None:
    """Raise what is too low, after noting down what it was."""
    kept = _kept()
    before: dict[str, int] = json.loads(kept.read_text()) if kept.exists() else {}
    for name, wanted in WANTED.items():
        path = Path("/proc/sys") / name
        value = int(path.read_text())
        if value < wanted:
            before.setdefault(name, value)
            kept.write_text(json.dumps(before))
            path.write_text(str(wanted))


def restore() -> None:
    """Put back what was raised, where nobody has changed it since."""
    kept = _kept()
    if not kept.exists():
        return
    for name, value in json.loads(kept.read_text()).items():
        path = Path("/proc/sys") / name
        if int(path.read_text()) == WANTED[name]:
            path.write_text(str(value))
    kept.unlink()


def _kept() -> Path:
    return base() / "sysctl.json"
