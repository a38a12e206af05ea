"""The faults of published Django manifests, each found."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from nuages.app.objects import Object
from nuages.checks.objects import check

pytestmark = pytest.mark.unit

CONTAINER: Object = {
    "name": "web",
    "image": "registry.example.com/blog:1.0",
    "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}},
    "readinessProbe": {},
    "livenessProbe": {},
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    },
}
POD: Object = {
    "automountServiceAccountToken": False,
    "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
}


def deployment(**changes: Any) -> Object:
    """A sound Deployment, its container changed: a field that is None is left out."""
    container = {key: value for key, value in (copy.deepcopy(CONTAINER) | changes).items() if value is not None}
    return workload("Deployment", POD | {"containers": [container]})


def workload(kind: str, pod: Object, **spec: Any) -> Object:
    return {"kind": kind, "metadata": {"name": "x"}, "spec": {**spec, "template": {"spec": pod}}}


def with_pod(**changes: Any) -> Object:
    return workload("Deployment", POD | {"containers": [CONTAINER]} | changes)


def with_security(**changes: Any) -> Object:
    return deployment(securityContext=CONTAINER["securityContext"] | changes)


def database(**changes: Any) -> Object:
    pod = POD | {"containers": [CONTAINER | {"image": "docker.io/library/postgres:17"} | changes]}
    return workload("StatefulSet", pod)


def test_a_sound_deployment_has_no_finding() -> None:
    assert check([deployment()]) == []


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (with_pod(hostNetwork=True), "objects.E101"),
        (with_pod(volumes=[{"name": "sock", "hostPath": {"path": "/run"}}]), "objects.E102"),
        (with_pod(automountServiceAccountToken=True), "objects.E103"),
        (with_security(privileged=True), "objects.E104"),
        (with_security(allowPrivilegeEscalation=True), "objects.E105"),
        (with_security(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}), "objects.E106"),
        (with_security(runAsUser=0), "objects.E107"),
        (with_security(seccompProfile={"type": "Unconfined"}), "objects.E108"),
        (with_security(readOnlyRootFilesystem=False), "objects.E109"),
        (deployment(image="blog"), "objects.E110"),
        (deployment(image="registry.example.com:5000/blog:latest"), "objects.E110"),
        (deployment(resources={"requests": {"cpu": "1", "memory": "1Gi"}}), "objects.E111"),
        (deployment(resources={"limits": {"memory": "1Gi"}}), "objects.E112"),
        (deployment(readinessProbe=None), "objects.E113"),
        (deployment(livenessProbe=None), "objects.E113"),
        (deployment(command=["python", "manage.py", "runserver", "0.0.0.0:8000"]), "objects.E114"),
        (workload("Job", POD | {"containers": [CONTAINER]}, backoffLimit=15, activeDeadlineSeconds=60), "objects.E115"),
        (database(volumeMounts=[{"name": "data", "mountPath": "/var/lib/postgres/data"}]), "objects.E120"),
        (database(), "objects.E120"),
        ({"kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"POSTGRES_PASSWORD": "hunter2"}}, "objects.E121"),
        (deployment(env=[{"name": "DB_PASSWORD", "value": "hunter2"}]), "objects.E122"),
        (
            {"kind": "Service", "metadata": {"name": "x"}, "spec": {"type": "NodePort", "ports": [{"port": 5432}]}},
            "objects.E123",
        ),
    ],
)
def test_a_fault_is_found_and_nothing_else(item: Object, code: str) -> None:
    findings = check([item])
    assert [finding.id for finding in findings] == [code]
    assert "hunter2" not in str(findings)


def test_components_in_several_versions_of_one_image_are_found() -> None:
    images = ["registry.example.com/blog:1", "registry.example.com/blog:2", "registry.example.com/blog:2"]
    assert [finding.id for finding in check([deployment(image=image) for image in images])] == ["objects.E116"]


def test_data_on_a_volume_above_pgdata_is_kept() -> None:
    mounts = [{"name": "data", "mountPath": "/var/lib/postgresql/data"}]
    env = [{"name": "PGDATA", "value": "/var/lib/postgresql/data/pgdata"}]
    assert check([database(volumeMounts=mounts, env=env)]) == []


def test_data_on_a_passing_volume_is_not() -> None:
    item = database(volumeMounts=[{"name": "data", "mountPath": "/var/lib/postgresql/data"}])
    item["spec"]["template"]["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}]
    assert [finding.id for finding in check([item])] == ["objects.E120"]
