"""KEDA's own definitions of its kinds, from its Go module: what is rendered for it is held against them."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path

import yaml

from nuages.errors import Gone, Rejected
from nuages.host.command import run
from nuages.local.gotool import compiler
from nuages.local.toolchain import MODULE
from nuages.progress import silent

VERSION = "v2.21.0"
KINDS = ("scaledobjects", "triggerauthentications")


@cache
def definitions() -> list[dict]:
    """The CustomResourceDefinitions, as that version of KEDA installs them."""
    go = compiler(MODULE, silent)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "go.mod").write_text("module keda\n\ngo 1.24\n")
        asked = [go, "mod", "download", "-json", f"github.com/kedacore/keda/v2@{VERSION}"]
        found = Path(json.loads(run(asked, cwd=Path(folder)))["Dir"]) / "config/crd/bases"
    return [yaml.safe_load((found / f"keda.sh_{kind}.yaml").read_text()) for kind in KINDS]


async def installed(cluster) -> None:
    """Have the API server know them; they stay, for tests that run beside."""
    for definition in definitions():
        definition["metadata"].pop("creationTimestamp", None)
        definition.pop("status", None)
        await cluster.apply(definition)
    for kind in ("ScaledObject", "TriggerAuthentication"):
        await known(cluster, kind)


async def known(cluster, kind: str) -> None:
    """Ask until the kind is served."""
    from eventually import eventually

    async def there() -> bool:
        try:
            await cluster.list(kind, "default")
        except (Gone, Rejected):
            return False
        return True

    await eventually(there)
