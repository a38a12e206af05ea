"""Which kinds there are and under which path each lives.

The kinds nuages renders or reads are in a table, so that nothing is asked for them; all others are found by discovery.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Resource(NamedTuple):
    """A kind as the API serves it."""

    kind: str
    api_version: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group, empty for the core group."""
        return self.api_version.rpartition("/")[0]

    def path(self, namespace: str | None, name: str | None = None) -> str:
        """The URL path of the collection or, with a name, of the object; in the namespace, where the kind has one."""
        parts = ["apis" if "/" in self.api_version else "api", self.api_version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        if name:
            parts.append(name)
        return "/" + "/".join(parts)


def _table(api_version: str, *kinds: tuple[str, str], namespaced: bool = True) -> dict[str, Resource]:
    return {kind: Resource(kind, api_version, plural, namespaced) for kind, plural in kinds}


KNOWN: dict[str, Resource] = {
    **_table(
        "v1",
        ("Namespace", "namespaces"),
        ("Node", "nodes"),
        ("PersistentVolume", "persistentvolumes"),
        namespaced=False,
    ),
    **_table(
        "v1",
        ("ConfigMap", "configmaps"),
        ("Event", "events"),
        ("LimitRange", "limitranges"),
        ("PersistentVolumeClaim", "persistentvolumeclaims"),
        ("Pod", "pods"),
        ("ResourceQuota", "resourcequotas"),
        ("Secret", "secrets"),
        ("Service", "services"),
        ("ServiceAccount", "serviceaccounts"),
    ),
    **_table(
        "apps/v1",
        ("DaemonSet", "daemonsets"),
        ("Deployment", "deployments"),
        ("ReplicaSet", "replicasets"),
        ("StatefulSet", "statefulsets"),
    ),
    # What answers about who asks, and is kept nowhere.
    **_table("authentication.k8s.io/v1", ("SelfSubjectReview", "selfsubjectreviews"), namespaced=False),
    **_table("authorization.k8s.io/v1", ("SelfSubjectAccessReview", "selfsubjectaccessreviews"), namespaced=False),
    **_table("batch/v1", ("CronJob", "cronjobs"), ("Job", "jobs")),
    **_table("autoscaling/v2", ("HorizontalPodAutoscaler", "horizontalpodautoscalers")),
    **_table("coordination.k8s.io/v1", ("Lease", "leases")),
    **_table("discovery.k8s.io/v1", ("EndpointSlice", "endpointslices")),
    **_table("gateway.networking.k8s.io/v1", ("Gateway", "gateways"), ("HTTPRoute", "httproutes")),
    **_table("gateway.networking.k8s.io/v1", ("GatewayClass", "gatewayclasses"), namespaced=False),
    **_table("metrics.k8s.io/v1beta1", ("PodMetrics", "pods")),
    **_table("networking.k8s.io/v1", ("Ingress", "ingresses"), ("NetworkPolicy", "networkpolicies")),
    **_table("networking.k8s.io/v1", ("IngressClass", "ingressclasses"), namespaced=False),
    **_table("policy/v1", ("PodDisruptionBudget", "poddisruptionbudgets")),
    # CloudNativePG's: there are others that are called Cluster.
    **_table("postgresql.cnpg.io/v1", ("Cluster", "clusters"), ("ScheduledBackup", "scheduledbackups")),
    **_table("rbac.authorization.k8s.io/v1", ("Role", "roles"), ("RoleBinding", "rolebindings")),
    **_table(
        "rbac.authorization.k8s.io/v1",
        ("ClusterRole", "clusterroles"),
        ("ClusterRoleBinding", "clusterrolebindings"),
        namespaced=False,
    ),
    **_table("scheduling.k8s.io/v1", ("PriorityClass", "priorityclasses"), namespaced=False),
    **_table("storage.k8s.io/v1", ("StorageClass", "storageclasses"), namespaced=False),
}

# One request for every group: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery
DISCOVERY_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def discovered(document: dict[str, Any]) -> list[Resource]:
    """Read an aggregated discovery document: every kind in every served version, the preferred version first.

    A version has none where a server beside the API server answers for it, and does not at the moment, or has nothing
    yet: external metrics before the first, which KEDA brings.
    """
    return [
        Resource(
            resource["responseKind"]["kind"],
            "/".join(filter(None, (group["metadata"].get("name"), version["version"]))),
            resource["resource"],
            resource["scope"] == "Namespaced",
        )
        for group in document["items"]
        for version in group.get("versions", ())
        for resource in version.get("resources") or ()
        if resource.get("responseKind", {}).get("kind")
    ]
