"""The guide's Cluster is what CloudNativePG's own definition allows, and the spec beside it leads the app there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from eventually import eventually
from test_render_is_accepted import missing

from nuages.app.components import resolve
from nuages.errors import Rejected
from nuages.host.command import run
from nuages.local.gotool import compiler
from nuages.local.toolchain import MODULE
from nuages.progress import silent
from nuages.spec.load import parse

pytestmark = pytest.mark.api

GUIDE = Path(__file__).parents[2] / "docs/guides/services.md"
VERSION = "v1.25.1"


def told() -> list[str]:
    """The two pieces of YAML of the guide's section: the Cluster, and the services."""
    section = GUIDE.read_text().partition("\n## CloudNativePG\n")[2].partition("\n## ")[0]
    return re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)


async def installed(cluster, folder: Path) -> None:
    (folder / "go.mod").write_text("module cloudnativepg\n\ngo 1.24\n")
    asked = [compiler(MODULE, silent), "mod", "download", "-json"]
    found = json.loads(run([*asked, f"github.com/cloudnative-pg/cloudnative-pg@{VERSION}"], cwd=folder))["Dir"]
    definition = yaml.safe_load((Path(found) / "config/crd/bases/postgresql.cnpg.io_clusters.yaml").read_text())
    definition["metadata"].pop("creationTimestamp", None)
    await cluster.apply(definition)

    async def there() -> bool:
        try:
            await cluster.list("Cluster", "default")
        except Rejected:
            return False
        return True

    await eventually(there)


async def test_the_cluster_of_the_guide_is_kept_as_it_was_sent_and_the_app_is_led_to_it(cluster, namespace, tmp_path):
    await installed(cluster, tmp_path)
    made, services = told()
    wanted = yaml.safe_load(made)
    wanted["metadata"]["namespace"] = namespace
    kept = await cluster.apply(wanted)
    assert missing(wanted["spec"], kept["spec"]) == []
    spec = f"name: blog\nimage: a/b\n{services}environments: {{local: {{}}}}\n"
    app = resolve(parse(spec.encode(), "nuages.yaml"), "local")
    store = app.external["postgres"]
    assert (store.host, store.secret) == (f"{wanted['metadata']['name']}-rw", f"{wanted['metadata']['name']}-app")
    assert store.name == wanted["spec"]["bootstrap"]["initdb"]["database"]
