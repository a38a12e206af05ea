"""Where pods are to go is asked of the cluster before anything is touched."""

from __future__ import annotations

import msgspec
import pytest

from nuages.app.components import resolve
from nuages.release.places import priority
from nuages.spec.load import parse

pytestmark = pytest.mark.api

SPEC = """\
name: blog
image: registry.example.com/blog
placement: {priorityClass: system-cluster-critica}
environments: {local: {}}
"""


async def test_a_priority_class_that_nobody_knows_is_refused_with_the_nearest(cluster):
    app = resolve(parse(SPEC.encode(), "nuages.yaml"), "local")
    (finding,) = await priority(app, cluster)
    assert (finding.id, finding.place.path) == ("app.E162", "placement.priorityClass")
    assert finding.hint == "did you mean system-cluster-critical?"
    known = msgspec.structs.replace(app.placement, priority_class="system-cluster-critical")
    assert not await priority(msgspec.structs.replace(app, placement=known), cluster)
