"""What a Job that drives a release may touch."""

from __future__ import annotations

import pytest

from nuages.release.driver.detach import _resource

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("api_version", "kind", "expected"),
    [
        ("apps/v1", "Deployment", ("apps", "deployments")),
        ("networking.k8s.io/v1", "Ingress", ("networking.k8s.io", "ingresses")),
        ("keda.sh/v1alpha1", "TriggerAuthentication", ("keda.sh", "triggerauthentications")),
        ("external-secrets.io/v1", "ExternalSecret", ("external-secrets.io", "externalsecrets")),
        ("cilium.io/v2", "CiliumNetworkPolicy", ("cilium.io", "ciliumnetworkpolicies")),
    ],
)
def test_kinds_that_are_not_ours_are_among_it(api_version: str, kind: str, expected: tuple[str, str]) -> None:
    assert _resource({"apiVersion": api_version, "kind": kind}) == expected
