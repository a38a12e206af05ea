"""What a namespace may hold and still be this environment's alone."""

from __future__ import annotations

import pytest

from nuages.app.components import resolve
from nuages.release.destroy import EXTENSIONS, REMOVED, _issued
from nuages.render.autoscale import KINDS
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

APP = resolve(parse(b"{name: blog, image: r.example.com/blog, environments: {local: {}}}", "nuages.yaml"), "local")


@pytest.mark.parametrize(
    ("name", "annotations", "expected"),
    [
        ("blog-tls", {"cert-manager.io/certificate-name": "blog-tls"}, True),
        ("blog-tls", {}, False),
        ("other-tls", {"cert-manager.io/certificate-name": "other-tls"}, False),
    ],
)
def test_the_certificate_that_was_issued_for_it_is_its_own(
    name: str, annotations: dict[str, str], expected: bool
) -> None:
    item = {"kind": "Secret", "metadata": {"name": name, "annotations": annotations}}
    assert _issued(APP, item) is expected


def test_all_that_scales_goes_with_it() -> None:
    assert set(REMOVED) >= KINDS
    assert EXTENSIONS | {"HorizontalPodAutoscaler"} >= KINDS
