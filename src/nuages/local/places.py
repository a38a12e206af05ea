"""Where a cluster's things are on this machine."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

from nuages.errors import UsageError

# It is part of a cgroup's, an nft table's and a context's name.
NAME = re.compile(r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?")


class Places(NamedTuple):
    """The folders and files of one cluster. `lib` is what the node sees as /var/lib, `log` as /var/log."""

    root: Path

    @property
    def info(self) -> Path:
        """What is known of the cluster, as JSON."""
        return self.root / "cluster.json"

    @property
    def kubeconfig(self) -> Path:
        """Its administrator's kubeconfig, with one context."""
        return self.root / "kubeconfig"

    @property
    def lib(self) -> Path:
        """All data of the node."""
        return self.root / "lib"

    @property
    def log(self) -> Path:
        """Logs of pods."""
        return self.root / "log"

    @property
    def etc(self) -> Path:
        """Configuration and PKI; the node sees it as /var/lib/nuages."""
        return self.lib / "nuages"

    @property
    def logs(self) -> Path:
        """Logs of the components."""
        return self.root / "logs"

    @property
    def components(self) -> Path:
        """What the supervisor says of its components, as JSON."""
        return self.root / "components.json"

    def forget(self) -> None:
        """Remove all of it, what says that there is a cluster last: who was interrupted can say it again."""
        for found in self.root.iterdir():
            if found.is_dir():
                shutil.rmtree(found)
        shutil.rmtree(self.root)


def base() -> Path:
    """The folder of all clusters: the machine's for root, the user's own otherwise."""
    if os.geteuid() == 0:
        return Path("/var/lib/nuages")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "nuages"


def places(name: str) -> Places:
    """The places of the cluster of this name, whether it exists or not.

    Raises:
        UsageError: it cannot be a cluster's name.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a cluster's name", hint="up to 30 lower-case letters, digits and -, a letter first"
        )
    return Places(base() / "clusters" / name)


def names() -> list[str]:
    """The clusters that exist, running or not."""
    return sorted(path.parent.name for path in (base() / "clusters").glob("*/cluster.json"))
