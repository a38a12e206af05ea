"""Who talks to whom, on which port: the one place from which walls are made, and against which they are measured.

Components are named as their label says (render/labels.py). An opening is only ever added to a running app: one that a
release takes away is a policy of its own name, which stays until the old pods are gone.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import msgspec

from nuages.app import brokers, buckets
from nuages.app.components import App
from nuages.app.connections import POOLER_PORT
from nuages.app.stores import EXPORTERS, PORTS, TLS_PORTS, exported
from nuages.spec.model import Bucket, Expose

PROJECT = ("web", "worker", "beat", "migrate", "run", "schedule", "job")
"""The components that run the project's own code. All of them, whether or not the app has them now: workers that a
release removes finish their tasks, for which they need their data stores, long after its own walls stand."""

POOLER = "pgbouncer"
"""What stands before PostgreSQL; only webs and workers go by it, and in a rollout some of either still go straight."""

SERVERS = PORTS
"""Where what the project asks listens. RabbitMQ's management is not opened."""

WEB, METRICS, STATIC, NGINX = 8000, 9464, 8000, 8080
"""Where a web listens that says nothing, its metrics, who keeps static files, and an nginx."""

COMPONENTS = (*PROJECT, "static", "frontend", "backup", POOLER, "exporter", *SERVERS)
"""Every component there may be."""

# Where ingress controllers live, by their class, as their own installers put them (k3s: kube-system,
# MicroK8s: ingress). The class of another one does not tell its namespace, so any namespace is let in then; never
# anything outside the cluster, but for the clouds' own balancers, below.
CONTROLLERS = {
    "traefik": ("traefik", "traefik-system", "kube-system"),
    "nginx": ("ingress-nginx", "nginx-ingress", "ingress", "kube-system"),
}

# Classes whose load balancer is the cloud's own, and asks the pods themselves: it comes from no pod, so no namespace
# would let it in. https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#target-type,
# https://cloud.google.com/kubernetes-engine/docs/concepts/container-native-load-balancing,
# https://learn.microsoft.com/en-us/azure/application-gateway/for-containers/overview
BALANCERS = frozenset(
    {"alb", "gce", "gce-internal", "azure-application-gateway", "azure/application-gateway", "azure-alb-external"}
)
# The older way to name a class, and the only one for Google's own:
# https://cloud.google.com/kubernetes-engine/docs/concepts/ingress
OLDER_CLASS = "kubernetes.io/ingress.class"

# By its own installer, as AKS's add-on, by OpenShift's operator.
KEDA = ("keda", "kube-system", "openshift-keda")

# CloudNativePG's, by its own manifest and chart, by its Operator Lifecycle Manager's bundle, on OpenShift.
CLOUDNATIVEPG = ("cnpg-system", "operators", "openshift-operators")
# What its operator and its instances ask each other (https://cloudnative-pg.io/docs/current/networking).
MANAGED = 8000
# Where API servers listen behind their Service: clouds, kubeadm and k3s, minikube, MicroK8s.
API_SERVERS = (443, 6443, 8443, 16443)

EVERYWHERE = ("0.0.0.0/0", "::/0")
# Azure's has an address of the public ones: https://learn.microsoft.com/en-us/azure/virtual-network/what-is-ip-address-168-63-129-16
_AZURE = "168.63.129.16/32"
# https://www.iana.org/assignments/iana-ipv4-special-registry: what clusters and the networks around them are made of.
PRIVATE = (
    *("10.0.0.0/8", "100.64.0.0/10", _AZURE, "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
    *("fc00::/7", "fe80::/10"),
)
# A node's own: whoever reaches it may have the node's credentials. By IPv6 at AWS and Google, and by IPv4 at Alibaba,
# they are had at an address of the private ones.
NODES_OWN = (
    *("100.100.100.200/32", _AZURE, "169.254.0.0/16"),
    *("fd00:ec2::254/128", "fd20:ce::254/128", "fe80::/10"),
)
# Where a pod's identity is had. EKS: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html;
# GKE: https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity#understanding_the_gke_metadata_server
_GOOGLES = ("169.254.169.254/32", "169.254.169.252/32")
IDENTITY = ("169.254.169.254/32", "169.254.170.23/32", "169.254.169.252/32", "fd00:ec2::23/128")
# Whose account says who its pods are has it by a token in a file, or from one of them: no way to the node's own then.
# https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html
ACCOUNTS: dict[str, tuple[str, ...]] = {
    "eks.amazonaws.com/role-arn": (),
    "azure.workload.identity/client-id": (),
    "iam.gke.io/gcp-service-account": _GOOGLES,
}
IDENTITY_PORTS = (80, 988)


class Components(msgspec.Struct, frozen=True):
    """Pods of the app's own."""

    names: tuple[str, ...]


class Operated(msgspec.Struct, frozen=True):
    """Pods that CloudNativePG makes for the app, which have its labels and none of the app's."""

    cluster: str


class Namespaces(msgspec.Struct, frozen=True):
    """Pods in other namespaces; any namespace where none is named."""

    names: tuple[str, ...] = ()


class Addresses(msgspec.Struct, frozen=True):
    """Whatever has one of these addresses."""

    ranges: tuple[str, ...]
    without: tuple[str, ...] = ()


class Anybody(msgspec.Struct, frozen=True):
    """Inside and outside: a client's address is its own or a node's, so no rule by address would hold."""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """One way that is open, from a client to a server."""

    name: str
    """What its policy is called after the app's name."""
    client: Components | Operated | Namespaces | Anybody
    server: Components | Operated | Namespaces | Addresses
    ports: tuple[int, ...]
    """The ports of the server's pods; all of them where none is known."""


def topology(app: App, *, bridged: bool, measured: bool) -> list[Opening]:
    """Every opening of an app but that to the names' server, which all have.

    Args:
        app: whose.
        bridged: whether webs ask for static files of other releases (render/static.py).
        measured: whether a web answers for metrics (render/environment.py).
    """
    inside = [*_collected(app), *_between(app, bridged=bridged), *_operated(app)]
    return [*_inwards(app, measured=measured), *inside, *_outwards(app)]


def _inwards(app: App, *, measured: bool) -> Iterator[Opening]:
    """Requests come from wherever the exposure lets them in; an app without one is reached by port-forward only.

    Each way in, and each port, has a policy of its own name: where the exposure or a port changes, the old one holds
    until the old pods are gone. The kubelet's probes need no opening: a pod's own node may always reach it.
    """
    if app.expose is not None:
        anybody = app.expose.kind in ("loadBalancer", "nodePort")
        class_ = app.expose.class_
        outside = anybody or _balanced(app.expose)
        client = Anybody() if outside else Namespaces(CONTROLLERS.get(class_ or "", ()))
        behind = "" if anybody else f"-from-{class_.replace('/', '-') if class_ else 'any'}"
        for port in sorted({web.port for web in app.web.values() if web.routes}):
            name = f"web{behind}" + ("" if port == WEB else f"-{port}")
            yield Opening(name=name, client=client, server=Components(("web",)), ports=(port,))
        if app.frontends:
            yield Opening(name=f"frontend{behind}", client=client, server=Components(("frontend",)), ports=(NGINX,))
        if app.static.nginx is not None:
            yield Opening(name=f"nginx{behind}", client=client, server=Components(("static",)), ports=(NGINX,))
    if measured:
        # Whoever collects metrics is in the cluster, in a namespace that the spec does not know.
        yield Opening(name="metrics", client=Namespaces(), server=Components(("web",)), ports=(METRICS,))


def _balanced(expose: Expose) -> bool:
    """Whether requests come to the pods from a load balancer of the cloud's: of Google's without a class, and of its
    Gateways, whose class their own objects say.
    """
    if expose.kind == "ingress":
        class_ = expose.class_ or expose.annotations.get(OLDER_CLASS)
        return class_ in BALANCERS or (class_ is None and expose.profile == "gke")
    return expose.kind == "gateway" and expose.profile == "gke" and expose.class_ not in CONTROLLERS


def _collected(app: App) -> Iterator[Opening]:
    """Data stores' metrics, for whoever collects them."""
    if ports := tuple(EXPORTERS[service] for service in exported(app)):
        yield Opening(name="exporter", client=Namespaces(), server=Components(("exporter",)), ports=ports)


def _between(app: App, *, bridged: bool) -> Iterator[Opening]:
    """The project to its data stores, and whoever else asks one of them."""
    run = {"postgres": app.postgres, "redis": app.redis, "rabbitmq": app.rabbitmq, "memcached": app.memcached}
    for service, store in run.items():
        if store is None:
            continue
        more = ("backup",) if service == "postgres" else ()
        more = (*more, *(["exporter"] if service in exported(app) else []))
        yield Opening(
            name=service,
            client=Components((*PROJECT, *more)),
            server=Components((service,)),
            ports=(SERVERS[service],),
        )
    if app.pgbouncer:
        yield Opening(
            name=POOLER, client=Components(("web", "worker")), server=Components((POOLER,)), ports=(POOLER_PORT,)
        )
        # An opening of its own: a release without it leaves this one until nobody goes by it any more.
        server = Components(("postgres",))
        yield Opening(
            name=f"postgres-from-{POOLER}", client=Components((POOLER,)), server=server, ports=(SERVERS["postgres"],)
        )
    broker = brokers.broker(app)
    scaled = any(one.autoscale and one.autoscale.queue_length for one in app.workers.values())
    if broker and scaled and not broker.external:
        # Who scales workers by their queue asks the broker how long it is.
        where, port = broker.service, SERVERS[broker.service]
        yield Opening(name=f"{where}-from-keda", client=Namespaces(KEDA), server=Components((where,)), ports=(port,))
    if bridged:
        # Webs ask for static files of other releases; those who keep them ask nobody.
        port = STATIC if app.static.nginx is None else NGINX
        yield Opening(name="static", client=Components(("web",)), server=Components(("static",)), ports=(port,))
    if app.frontends:
        # While a release rolls, pods of the old one ask those of the new for files that they don't have.
        peers = Components(("frontend",))
        yield Opening(name="frontend-peers", client=peers, server=peers, ports=(NGINX,))


def _operated(app: App) -> Iterator[Opening]:
    """A PostgreSQL that an operator runs: the project asks it, its instances each other, the operator all of them.

    Its instances ask the API server who is to be written to, and bring their backups away by themselves.
    """
    if (store := app.cloudnativepg) is None:
        return
    pods, port = Operated(store.name), SERVERS["postgres"]
    yield Opening(name="cloudnativepg", client=Components(PROJECT), server=pods, ports=(port,))
    yield Opening(name="cloudnativepg-peers", client=pods, server=pods, ports=(port, MANAGED))
    operator = Namespaces(CLOUDNATIVEPG)
    yield Opening(name="cloudnativepg-from-operator", client=operator, server=pods, ports=(port, MANAGED))
    anywhere = Addresses(EVERYWHERE, NODES_OWN)
    yield Opening(name="cloudnativepg-to-api", client=pods, server=anywhere, ports=API_SERVERS)
    if (backup := store.run.backup) is None:
        return
    host, port = buckets.reached(backup.bucket)
    yield _to(f"cloudnativepg-to-{host}-{port}", pods, host, port)
    if backup.bucket.secret is None and (identity := _identity(app)):
        server = Addresses(identity)
        yield Opening(name="cloudnativepg-to-identity", client=pods, server=server, ports=IDENTITY_PORTS)


def _identity(app: App) -> tuple[str, ...]:
    """Where pods are told who they are, so that a bucket lets them in."""
    known = [ranges for annotation, ranges in ACCOUNTS.items() if annotation in app.account.annotations]
    return known[0] if known else IDENTITY


def _outwards(app: App) -> Iterator[Opening]:
    """What is declared to be elsewhere, and beside it the outside: all of it, or what the spec names."""
    for service, external in app.external.items():
        port = external.port or (PORTS if external.tls == "disable" else TLS_PORTS)[service]
        more = ("backup",) if service == "postgres" else ()
        yield _to(f"to-{service}-{external.host}-{port}", (*PROJECT, *more), external.host, port)
    backup = app.postgres.run.backup if app.postgres else None
    stores: list[tuple[str, Bucket | None, tuple[str, ...]]] = [
        ("media", app.bucket, PROJECT),
        ("files", app.static.bucket, (*PROJECT, "static")),
        ("backups", backup.to.bucket if backup else None, ("backup",)),
    ]
    for name, bucket, clients in stores:
        if bucket is None:
            continue
        host, port = buckets.reached(bucket)
        yield _to(f"to-{name}-{host}-{port}", clients, host, port)
        if bucket.secret is None and (identity := _identity(app)):
            yield Opening(
                name=f"to-{name}-identity",
                client=Components(clients),
                server=Addresses(identity),
                ports=IDENTITY_PORTS,
            )
    if app.network.egress is None:
        yield Opening(name="outside", client=Components(PROJECT), server=Addresses(EVERYWHERE, PRIVATE), ports=())
    for one in app.network.egress or []:
        if one.range:
            name = f"to-{one.range.replace('/', '-').replace(':', '-')}-{one.port}"
            yield Opening(
                name=name, client=Components(PROJECT), server=Addresses((network(one.range),)), ports=(one.port,)
            )
        elif one.host:
            yield _to(f"to-{one.host}-{one.port}", PROJECT, one.host, one.port)


def _to(name: str, clients: tuple[str, ...] | Operated, host: str, port: int) -> Opening:
    """The way to a host. Policies know no names: one that is outside opens its port to all addresses but a node's own.

    Of a Service in the cluster only its own port is known, not that of its pods, so its namespace is opened whole.
    """
    called = name.lower().replace(":", "-")
    client = clients if isinstance(clients, Operated) else Components(clients)
    if namespace := _of_cluster(host):
        return Opening(name=called, client=client, server=Namespaces((namespace,)), ports=())
    try:
        server = Addresses((network(host),))
    except ValueError:
        server = Addresses(EVERYWHERE, NODES_OWN)
    return Opening(name=called, client=client, server=server, ports=(port,))


def _of_cluster(host: str) -> str | None:
    """The namespace of a Service's name; None where it is not one: `smtp.mail.svc`, `smtp.mail.svc.cluster.local`."""
    parts = host.lower().split(".")
    return parts[1] if len(parts) >= 3 and parts[2] == "svc" else None


def network(written: str) -> str:
    """An address or a range as policies take it: 203.0.113.7/24 is written 203.0.113.0/24.

    Raises:
        ValueError: it is a name.
    """
    return str(ipaddress.ip_network(written, strict=False))


def opens(openings: list[Opening], client: str, server: str, port: int) -> bool:
    """Whether a pod of one component gets through to a port of a pod of another, `elsewhere` being any other namespace
    of the cluster, which no opening inwards names.
    """
    return any(
        server in one.server.names and (not one.ports or port in one.ports) and _is(one.client, client)
        for one in openings
        if isinstance(one.server, Components)
    )


def _is(end: Components | Operated | Namespaces | Anybody, client: str) -> bool:
    match end:
        case Operated():
            return False
        case Anybody():
            return client == "elsewhere"
        case Components(names):
            return client in names
        case Namespaces(names):
            return client == "elsewhere" and not names
