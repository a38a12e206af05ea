"""The spec's part about how the outside reaches the app."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from nuages.spec.forms import ClassName, Duration, Host, LabelName, Memory, ObjectName, Part


class Tls(Part, frozen=True, kw_only=True):
    """Where TLS ends; exactly one of them."""

    issuer: Annotated[
        ObjectName | None, Meta(description="A cert-manager ClusterIssuer.", examples=["letsencrypt"])
    ] = None
    secret: Annotated[
        ObjectName | None, Meta(description="A Secret of type kubernetes.io/tls.", examples=["blog-tls"])
    ] = None
    terminated: Annotated[Literal["loadBalancer"] | None, Meta(description="Before the cluster.")] = None
    none: Annotated[
        dict[str, str] | None, Meta(description="Plain HTTP, on purpose: write `none: {}`.", examples=[{}])
    ] = None


class Expose(Part, frozen=True, kw_only=True):
    """How the outside reaches the app."""

    kind: Annotated[
        Literal["ingress", "gateway", "loadBalancer", "nodePort"],
        Meta(description="What lets requests in."),
    ] = "ingress"
    hosts: Annotated[list[Host], Meta(description="The names it answers to.", examples=[["blog.example.com"]])] = field(
        default_factory=list
    )
    redirects: Annotated[
        list[Host],
        Meta(
            description="Names whose requests are sent on to the first of hosts, path and all.",
            examples=[["www.blog.example.com"]],
        ),
    ] = field(default_factory=list)
    class_: Annotated[
        ClassName | None,
        Meta(
            description="The ingress class, left out the cluster's default; or the Gateway, as name or namespace/name.",
            examples=["traefik"],
        ),
    ] = field(default=None, name="class")
    node_port: Annotated[
        Annotated[int, Meta(ge=30000, le=32767)] | None,
        Meta(
            description="With kind nodePort: the port on every node; the cluster's choice, left out.", examples=[30005]
        ),
    ] = None
    tls: Annotated[Tls | None, Meta(description="Where TLS ends.")] = None
    hsts: Annotated[
        Duration | None,
        Meta(
            description="How long browsers shall ask for https only; plain requests are sent on to it. "
            "Left out, what the project and the controller say.",
            examples=["8760h"],
        ),
    ] = None
    body_size: Annotated[
        Memory | None,
        Meta(
            description="The largest request that is let in; left out, what the controller and the project say.",
            examples=["25Mi"],
        ),
    ] = None
    profile: Annotated[
        Literal["eks", "gke", "aks", "kops", "k3s", "minikube"] | None,
        Meta(description="Whose cluster it is: what its load balancers, volumes and identities want said."),
    ] = None
    dns: Annotated[bool, Meta(description="Whether ExternalDNS shall make the names known.")] = False
    annotations: Annotated[
        dict[LabelName, str],
        Meta(
            description="On whatever lets requests in, beside ours; where both say the same one, these.",
            examples=[{"example.com/team": "web"}],
        ),
    ] = field(default_factory=dict)
