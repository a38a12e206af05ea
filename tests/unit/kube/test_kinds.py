"""Where kinds live."""

import pytest

from nuages.kube.kinds import KNOWN, discovered


@pytest.mark.parametrize(
    ("kind", "namespace", "name", "path"),
    [
        ("Pod", "blog", "a", "/api/v1/namespaces/blog/pods/a"),
        ("Deployment", "blog", None, "/apis/apps/v1/namespaces/blog/deployments"),
        ("Ingress", None, None, "/apis/networking.k8s.io/v1/ingresses"),
        ("Namespace", "blog", "blog", "/api/v1/namespaces/blog"),
    ],
)
def test_a_kind_has_its_path(kind, namespace, name, path):
    assert KNOWN[kind].path(namespace, name) == path


def test_discovery_tells_every_kind_in_every_version():
    def resource(kind, plural, scope):
        return {"responseKind": {"kind": kind}, "resource": plural, "scope": scope}

    document = {
        "items": [
            {
                "metadata": {"name": "postgresql.cnpg.io"},
                "versions": [{"version": "v1", "resources": [resource("Cluster", "clusters", "Namespaced")]}],
            },
            {"metadata": {}, "versions": [{"version": "v1", "resources": [resource("Node", "nodes", "Cluster")]}]},
        ]
    }
    assert [(one.path("blog", "db")) for one in discovered(document)] == [
        "/apis/postgresql.cnpg.io/v1/namespaces/blog/clusters/db",
        "/api/v1/nodes/db",
    ]


@pytest.mark.parametrize(
    "version",
    [
        {"version": "v1beta1", "freshness": "Stale"},
        {"version": "v1beta1", "freshness": "Current", "resources": None},
        {"version": "v1beta1", "freshness": "Current", "resources": []},
    ],
    ids=["its server does not answer", "nothing yet", "nothing"],
)
def test_a_version_may_have_nothing_at_the_moment(version):
    """https://pkg.go.dev/k8s.io/api/apidiscovery/v2#APIVersionDiscovery: the field is left out then."""
    scaled = {"responseKind": {"kind": "ScaledObject"}, "resource": "scaledobjects", "scope": "Namespaced"}
    document = {
        "items": [
            {"metadata": {"name": "external.metrics.k8s.io"}, "versions": [version]},
            {"metadata": {"name": "nothing.example.com"}},
            {"metadata": {"name": "keda.sh"}, "versions": [{"version": "v1alpha1", "resources": [scaled]}]},
        ]
    }
    assert [one.kind for one in discovered(document)] == ["ScaledObject"]
