"""What scales a component: a HorizontalPodAutoscaler, or for the length of queues a ScaledObject of KEDA's.

The Deployment then names no replicas: server-side apply would take the number back with each release
(https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#migrating-deployments-and-statefulsets-to-horizontal-autoscaling).
An annotation says by what it is scaled and how far, for whoever wonders, and for what reads how many pods it means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nuages.app import brokers
from nuages.app.components import App, Web, Worker
from nuages.app.objects import Object
from nuages.app.stores import Reached
from nuages.render.labels import WEB, WORKER, metadata
from nuages.spec.model import Autoscale

HPA, SCALED_OBJECT = "HorizontalPodAutoscaler", "ScaledObject"
KINDS = frozenset({HPA, SCALED_OBJECT, "TriggerAuthentication"})

SCALED = "nuages.dev/scaled"
"""On a Deployment without replicas: `HorizontalPodAutoscaler 3-10, 3 at first`."""

PAUSED = "autoscaling.keda.sh/paused-replicas"
"""https://keda.sh/docs/latest/concepts/scaling-deployments/#pausing-autoscaling"""

TRANSFER = "scaledobject.keda.sh/transfer-hpa-ownership"
"""https://keda.sh/docs/latest/concepts/scaling-deployments/#transfer-ownership-of-an-existing-hpa"""

REQUESTS = "nuages_http_requests_per_second"
"""What a web's pods answer, as an adapter serves it: the rate of the runtime's counter `nuages_http_requests_total`."""

QUEUE = "celery"
"""The queue of a Celery app that names none."""

_SAID = re.compile(r"^(\w+) (\d+)-(\d+), (\d+) at first$")


def fixed(component: Web | Worker) -> Object:
    """`replicas`, where nothing scales it."""
    return {"replicas": component.replicas} if component.autoscale is None else {}


def told(about: Object, component: Web | Worker) -> Object:
    """A Deployment's metadata, with what is said of its scaling."""
    if (scale := component.autoscale) is None:
        return about
    said = f"{_kind(scale)} {scale.min}-{scale.max}, {component.replicas} at first"
    return {**about, "annotations": {**about.get("annotations", {}), SCALED: said}}


def scaler(item: Object) -> str:
    """The kind of what scales a Deployment, rendered or live; "" where nothing does."""
    found = _SAID.match(item["metadata"].get("annotations", {}).get(SCALED, ""))
    return found[1] if found else ""


def pods(item: Object) -> int:
    """How many pods a Deployment means: its replicas, or what it begins with where something scales it."""
    if "replicas" in item["spec"]:
        return int(item["spec"]["replicas"])
    found = _SAID.match(item["metadata"].get("annotations", {}).get(SCALED, ""))
    return int(found[4]) if found else 1


def most(item: Object) -> int:
    """How many it may have."""
    found = _SAID.match(item["metadata"].get("annotations", {}).get(SCALED, ""))
    return int(found[3]) if found else pods(item)


def bounds(item: Object) -> tuple[int, int] | None:
    """From how many to how many something scales it; None where nothing does."""
    found = _SAID.match(item["metadata"].get("annotations", {}).get(SCALED, ""))
    return (int(found[2]), int(found[3])) if found else None


def paused(item: Object) -> Object:
    """A ScaledObject that leaves its Deployment at none, for the time being."""
    about = item["metadata"]
    return {**item, "metadata": {**about, "annotations": {**about.get("annotations", {}), PAUSED: "0"}}}


def succeeding(item: Object) -> Object:
    """A ScaledObject as KEDA takes it while the HorizontalPodAutoscaler that it comes after is still there."""
    about, spec = item["metadata"], item["spec"]
    annotations = {**about.get("annotations", {}), TRANSFER: "true"}
    advanced = {"horizontalPodAutoscalerConfig": {"name": about["name"]}}
    return {**item, "metadata": {**about, "annotations": annotations}, "spec": {**spec, "advanced": advanced}}


def autoscaler(app: App, component: Web | Worker) -> list[Object]:
    """What scales a component; none where it has a fixed number of pods."""
    if (scale := component.autoscale) is None:
        return []
    what = WEB if isinstance(component, Web) else WORKER
    about = metadata(app, component.name, what, component.key)
    if scale.queue_length is None:
        return [_hpa(about, component, scale, container=what)]
    return _scaled_object(app, about, component, scale, container=what)


def _kind(scale: Autoscale) -> str:
    return HPA if scale.queue_length is None else SCALED_OBJECT


def _target(component: Web | Worker) -> Object:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": component.name}


def _hpa(about: Object, component: Web | Worker, scale: Autoscale, *, container: str) -> Object:
    """Slow to take away: five minutes of the most that was wanted, which is Kubernetes' own default."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": HPA,
        "metadata": about,
        "spec": {
            "scaleTargetRef": _target(component),
            "minReplicas": scale.min,
            "maxReplicas": scale.max,
            "metrics": list(_metrics(scale, container)),
        },
    }


def _metrics(scale: Autoscale, container: str) -> Iterator[Object]:
    """Of the component's own container: what runs beside it (a mesh's proxy) may request nothing, or idle."""
    for name, percent in (("cpu", scale.cpu), ("memory", scale.memory)):
        if percent is not None:
            target = {"type": "Utilization", "averageUtilization": percent}
            resource = {"name": name, "container": container, "target": target}
            yield {"type": "ContainerResource", "containerResource": resource}
    if scale.requests_per_second is not None:
        target = {"type": "AverageValue", "averageValue": str(scale.requests_per_second)}
        yield {"type": "Pods", "pods": {"metric": {"name": REQUESTS}, "target": target}}


def _scaled_object(
    app: App, about: Object, component: Web | Worker, scale: Autoscale, *, container: str
) -> list[Object]:
    """https://keda.sh/docs/latest/reference/scaledobject-spec/. KEDA makes a HorizontalPodAutoscaler of it, so CPU and
    memory are triggers of the same one: two would pull at one Deployment.
    """
    store = brokers.broker(app)
    authentication = _authentication(about, store) if store else []
    triggers = [
        *(
            _waiting(store, about, queue, component, length=str(scale.queue_length), authentication=authentication)
            for queue in _queues(component)
            if store
        ),
        *_shares(scale, container),
    ]
    return [
        *authentication,
        {
            "apiVersion": "keda.sh/v1alpha1",
            "kind": SCALED_OBJECT,
            "metadata": about,
            "spec": {
                "scaleTargetRef": _target(component),
                "minReplicaCount": scale.min,
                "maxReplicaCount": scale.max,
                # Where the broker does not answer KEDA: as many as a release begins with.
                "fallback": {"failureThreshold": 3, "replicas": component.replicas},
                "triggers": triggers,
            },
        },
    ]


def _queues(component: Web | Worker) -> list[str]:
    celery = component.celery if isinstance(component, Worker) else None
    return (celery.queues if celery else []) or [QUEUE]


def _waiting(
    store: Reached, about: Object, queue: str, component: Web | Worker, *, length: str, authentication: list[Object]
) -> Object:
    """One queue. KEDA asks from its own namespace, so a host of this one gets its whole name."""
    host = store.host if "." in store.host or store.external else f"{store.host}.{about['namespace']}.svc"
    if store.service == "redis":
        asked = {"address": f"{host}:{store.port}", "listName": queue, "listLength": length}
        asked |= {"databaseIndex": brokers.database(store)}
        asked |= (
            {} if store.tls == "disable" else {"enableTLS": "true", "unsafeSsl": str(store.tls == "require").lower()}
        )
        kind = "redis"
    else:
        scheme = "amqp" if store.tls == "disable" else "amqps"
        asked = {"host": f"{scheme}://{host}:{store.port}/{store.name or ''}", "queueName": queue}
        asked |= {"protocol": "amqp", "mode": "QueueLength", "value": length}
        kind = "rabbitmq"
    reference = {"authenticationRef": {"name": authentication[0]["metadata"]["name"]}} if authentication else {}
    return {"type": kind, "name": f"queue-{_queues(component).index(queue)}", "metadata": asked, **reference}


def _shares(scale: Autoscale, container: str) -> Iterator[Object]:
    for name, percent in (("cpu", scale.cpu), ("memory", scale.memory)):
        if percent is not None:
            asked = {"value": str(percent), "containerName": container}
            yield {"type": name, "metricType": "Utilization", "metadata": asked}


def _authentication(about: Object, store: Reached) -> list[Object]:
    """Which keys of the broker's Secret KEDA asks with: https://keda.sh/docs/latest/concepts/authentication/"""
    if store.secret is None:
        return []
    keys = {"user": "username", "password": "password"}
    given = [
        {"parameter": parameter, "name": store.secret, "key": store.keys[what]}
        for what, parameter in keys.items()
        if what in store.keys
    ]
    spec: Object = {"secretTargetRef": given}
    if store.authority and store.tls == "verify-full":
        spec["configMapTargetRef"] = [{"parameter": "ca", "name": store.authority, "key": "ca.crt"}]
    return [{"apiVersion": "keda.sh/v1alpha1", "kind": "TriggerAuthentication", "metadata": about, "spec": spec}]
