"""The spec's parts about walls, places, and what is written beside what nuages would write."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from nuages.spec.forms import (
    Address,
    AddressRange,
    Command,
    Cpu,
    Crowd,
    DataKey,
    Image,
    LabelName,
    LabelValue,
    Memory,
    ObjectName,
    Part,
    ProjectPath,
    Variable,
)
from nuages.spec.processes import Resources


class Egress(Part, frozen=True, kw_only=True):
    """Somebody outside whom the project talks to; a host, or a range of addresses."""

    host: Annotated[Address | None, Meta(description="Its name.", examples=["api.stripe.com"])] = None
    range: Annotated[AddressRange | None, Meta(description="Its addresses.", examples=["203.0.113.0/24"])] = None
    port: Annotated[Annotated[int, Meta(ge=1, le=65535)], Meta(description="The port.", examples=[443])] = 443


class NameServer(Part, frozen=True, kw_only=True):
    """Who answers names in the cluster; the namespace of its pods, or a range of addresses."""

    namespace: Annotated[ObjectName | None, Meta(description="Where its pods are.", examples=["openshift-dns"])] = None
    range: Annotated[AddressRange | None, Meta(description="Its addresses.", examples=["169.254.20.10/32"])] = None
    port: Annotated[
        Annotated[int, Meta(ge=1, le=65535)],
        Meta(description="Where it listens itself, behind its Service.", examples=[5353]),
    ] = 53


class Network(Part, frozen=True, kw_only=True):
    """Whom the project's own processes may talk to, beside its services; and whom all pods ask for names."""

    egress: Annotated[
        list[Egress] | None,
        Meta(description="Who; left out, anybody outside the cluster.", examples=[[{"host": "api.stripe.com"}]]),
    ] = None
    dns: Annotated[
        Annotated[list[NameServer], Meta(min_length=1)] | None,
        Meta(
            description="Who answers names; left out, pods in kube-system.",
            examples=[[{"namespace": "openshift-dns", "port": 5353}]],
        ),
    ] = None


class Toleration(Part, frozen=True, kw_only=True):
    """A taint of nodes that pods bear."""

    key: Annotated[LabelName | None, Meta(description="The taint's key; any, left out.", examples=["dedicated"])] = None
    value: Annotated[LabelValue | None, Meta(description="Its value; any, left out.", examples=["web"])] = None
    effect: Annotated[
        Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None, Meta(description="Its effect; any, left out.")
    ] = None


class Placement(Part, frozen=True, kw_only=True):
    """On which nodes the pods go."""

    spread: Annotated[
        Literal["node", "zone", "none"],
        Meta(description="Over what pods are spread first; with zone they must be, where there are several."),
    ] = "node"
    node_selector: Annotated[
        dict[LabelName, LabelValue], Meta(description="Labels the nodes have.", examples=[{"disk": "ssd"}])
    ] = field(default_factory=dict)
    tolerations: Annotated[
        list[Toleration],
        Meta(
            description="Taints the pods bear.",
            examples=[[{"key": "dedicated", "value": "web", "effect": "NoSchedule"}]],
        ),
    ] = field(default_factory=list)
    priority_class: Annotated[
        ObjectName | None, Meta(description="Who goes first where room is short.", examples=["important"])
    ] = None


class ServiceAccount(Part, frozen=True, kw_only=True):
    """The account of the project's own pods; they get no token of the cluster's."""

    annotations: Annotated[
        dict[LabelName, str],
        Meta(
            description="By which a cloud knows it.",
            examples=[{"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/blog"}],
        ),
    ] = field(default_factory=dict)


class FileSource(Part, frozen=True, kw_only=True):
    """A file that is put into the containers; exactly one of file, configMap and secret."""

    file: Annotated[
        ProjectPath | None, Meta(description="A file beside nuages.yaml.", examples=["deploy/newrelic.ini"])
    ] = None
    config_map: Annotated[
        ObjectName | None, Meta(description="A ConfigMap in the app's namespace.", examples=["newrelic"])
    ] = None
    secret: Annotated[
        ObjectName | None, Meta(description="A Secret in the app's namespace.", examples=["newrelic"])
    ] = None
    key: Annotated[
        DataKey | None, Meta(description="The key in that ConfigMap or Secret.", examples=["newrelic.ini"])
    ] = None


class Extra(Part, frozen=True, kw_only=True):
    """A container beside the project's, or before it."""

    image: Annotated[Image, Meta(description="Its image, by a digest or a tag.", examples=["registry.example.com/a:1"])]
    command: Annotated[
        Command | None,
        Meta(description="What it runs; what its image says, left out.", examples=[["/agent", "--port=8125"]]),
    ] = None
    env: Annotated[
        dict[Variable, str], Meta(description="Its variables; nothing secret.", examples=[{"LEVEL": "info"}])
    ] = field(default_factory=dict)
    components: Annotated[
        list[Literal["web", "worker", "beat"]],
        Meta(description="Beside which components.", examples=[["web"]], extra_json_schema={"default": ["web"]}),
    ] = field(default_factory=lambda: ["web"])
    resources: Annotated[Resources, Meta(description="CPU and memory.")] = Resources(cpu="50m", memory="64Mi")


class Limits(Part, frozen=True, kw_only=True):
    """What a whole environment may take (ResourceQuota), and what a container may (LimitRange)."""

    cpu: Annotated[Cpu | None, Meta(description="All requests of CPU together.", examples=["8"])] = None
    memory: Annotated[Memory | None, Meta(description="All memory limits together.", examples=["16Gi"])] = None
    storage: Annotated[Memory | None, Meta(description="All volumes together.", examples=["100Gi"])] = None
    pods: Annotated[Annotated[int, Meta(ge=1)] | None, Meta(description="How many pods.", examples=[50])] = None


class Access(Part, frozen=True, kw_only=True):
    """Who of the cluster's groups may do what in the environment's namespace."""

    viewers: Annotated[
        list[Crowd], Meta(description="Groups that may look, and read no secret.", examples=[["support"]])
    ] = field(default_factory=list)
    developers: Annotated[
        list[Crowd], Meta(description="Groups that may deploy, read logs and run commands.", examples=[["web-team"]])
    ] = field(default_factory=list)
    operators: Annotated[
        list[Crowd], Meta(description="Groups that may do all, secrets and data too.", examples=[["platform"]])
    ] = field(default_factory=list)


class Target(Part, frozen=True, kw_only=True):
    """An object that nuages renders."""

    kind: Annotated[str, Meta(description="Its kind.", examples=["Deployment"])]
    name: Annotated[ObjectName, Meta(description="Its name.", examples=["blog-web-main"])]


class Patch(Part, frozen=True, kw_only=True):
    """What is to be otherwise on one object."""

    target: Annotated[Target, Meta(description="Which object.", examples=[{"kind": "Deployment", "name": "blog"}])]
    patch: Annotated[
        dict[str, Any],
        Meta(
            description="A merge patch (RFC 7396); lists of Kubernetes' with a merge key are merged by it.",
            examples=[{"spec": {"template": {"spec": {"priorityClassName": "high"}}}}],
        ),
    ]
