"""Which names are whose, and which certificates somebody else makes."""

from __future__ import annotations

import pytest

from nuages.release.claimed import below
from nuages.release.phases.exposure import issued

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("host", "wildcard", "several", "expected"),
    [
        ("a.example.com", "*.example.com", False, True),
        ("a.b.example.com", "*.example.com", False, False),
        ("a.b.example.com", "*.example.com", True, True),
        ("example.com", "*.example.com", True, False),
        ("*.example.com", "*.example.com", True, False),
        ("a.example.org", "*.example.com", True, False),
        ("a.example.com", "a.example.com", True, False),
        ("a.example.com", "*", True, False),
    ],
)
def test_a_name_is_one_of_a_wildcards(host: str, wildcard: str, several: bool, expected: bool) -> None:
    assert below(host, wildcard, several=several) is expected


def test_a_certificate_is_waited_for_where_an_issuer_was_asked() -> None:
    tls = {"tls": [{"hosts": ["a.example.com"], "secretName": "blog-tls"}]}
    asked = {"annotations": {"cert-manager.io/cluster-issuer": "letsencrypt"}}
    assert issued([{"kind": "Ingress", "metadata": asked, "spec": tls}]) == ["blog-tls"]
    assert issued([{"kind": "Ingress", "metadata": {}, "spec": tls}]) == []
    assert issued([{"kind": "Service", "metadata": asked, "spec": {}}]) == []
