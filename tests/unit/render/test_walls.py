"""The walls as a cluster reads them are those that the topology says: every component, every other, every port."""

from __future__ import annotations

import ipaddress

import pytest

from nuages.app import topology
from nuages.app.topology import COMPONENTS, SERVERS, Addresses, opens
from nuages.render import labels
from nuages.render.environment import METRICS_PORT
from nuages.render.manifest import render
from nuages.render.network import openings
from nuages.render.postgres import PORT as POSTGRES_PORT
from nuages.render.redis import PORT as REDIS_PORT
from nuages.render.static import PORT as STATIC_PORT

from .blog import ENVIRONMENTS, EXAMPLE_ENVIRONMENTS, any_app, blog, release

pytestmark = pytest.mark.unit

PORTS = sorted({*SERVERS.values(), 8000, 8080, 9000, 9464, 15672})
OUTSIDE = {
    "1.1.1.1": True,
    "10.0.0.5": False,
    "169.254.169.254": False,
    "168.63.129.16": False,
    "2606:4700::1": True,
    "fd00::1": False,
}


class Walls:
    """The NetworkPolicies of a manifest, and what a cluster makes of them."""

    def __init__(self, objects):
        self.policies = [item["spec"] for item in objects if item["kind"] == "NetworkPolicy"]

    def lets_in(self, server, client, port):
        """Whether a pod takes what comes to it: from pods with labels, or (None) from another namespace."""
        return self._open("Ingress", "from", server, client, port)

    def lets_out(self, client, server, port):
        """Whether a pod may ask: pods with labels, or an address."""
        return self._open("Egress", "to", client, server, port)

    def _open(self, direction, end, pod, peer, port):
        mine = [one for one in self.policies if selects(one["podSelector"], pod) and direction in one["policyTypes"]]
        assert mine, "no pod is without walls"
        rules = [rule for one in mine for rule in one.get(direction.lower(), [])]
        return any(
            ("ports" not in rule or {"protocol": "TCP", "port": port} in rule["ports"])
            and (end not in rule or any(meant(one, peer) for one in rule[end]))
            for rule in rules
        )


def selects(selector, pod):
    return all(pod.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        pod.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", [])
    )


def meant(end, peer):
    match peer:
        case None:
            return end.get("namespaceSelector") == {}
        case str():
            block = end.get("ipBlock")
            return (
                bool(block)
                and within(block["cidr"], peer)
                and not any(within(one, peer) for one in block.get("except", []))
            )
        case _:
            return selects(end["podSelector"], peer) if "podSelector" in end else end.get("namespaceSelector") == {}


def within(block, address):
    block, address = ipaddress.ip_network(block), ipaddress.ip_address(address)
    return block.version == address.version and address in block


@pytest.mark.parametrize("named", [*ENVIRONMENTS, *EXAMPLE_ENVIRONMENTS])
def test_every_pair_on_every_port_is_open_exactly_where_the_topology_says(named):
    app = any_app(named)
    walls, known = Walls(render(app, release()).foundation), openings(app, release().build)
    pods = {one: labels.labels(app, one) for one in COMPONENTS}
    for server, at in pods.items():
        for port in PORTS:
            for client, of in pods.items():
                measured = walls.lets_out(of, at, port) and walls.lets_in(at, of, port)
                assert measured == opens(known, client, server, port), (client, server, port)
            assert walls.lets_in(at, None, port) == opens(known, "elsewhere", server, port), ("elsewhere", server, port)


@pytest.mark.parametrize("named", ENVIRONMENTS)
def test_the_project_reaches_the_world_but_no_neighbour_and_no_node_where_nothing_is_declared(named):
    app = any_app(named)
    walls = Walls(render(app, release()).foundation)
    for component in COMPONENTS:
        project = component in topology.PROJECT
        for address, world in OUTSIDE.items():
            assert walls.lets_out(labels.labels(app, component), address, 443) == (project and world), (
                component,
                address,
            )


DECLARED = """\
name: blog
image: registry.example.com/blog
services: {postgres: {external: {host: 10.0.0.5, secret: db}}}
media: {bucket: {url: s3://media, endpoint: "https://store.example.com:9443"}}
network: {egress: [{host: api.stripe.com}, {range: 203.0.113.7/24, port: 25}, {host: smtp.mail.svc, port: 587}]}
environments: {local: {}}
"""


@pytest.mark.parametrize(
    ("address", "port", "expected"),
    [
        pytest.param("10.0.0.5", 5432, True, id="a data store by its address"),
        pytest.param("10.0.0.6", 5432, False, id="its neighbour"),
        pytest.param("10.0.0.5", 22, False, id="another port of it"),
        pytest.param("203.0.113.200", 25, True, id="a range"),
        pytest.param("203.0.114.1", 25, False, id="beside a range"),
        pytest.param("1.1.1.1", 443, True, id="a name may be any address"),
        pytest.param("1.1.1.1", 9443, True, id="an object store's port"),
        pytest.param("1.1.1.1", 80, False, id="what nobody declared"),
        pytest.param("169.254.169.254", 443, False, id="a node's own"),
        pytest.param("168.63.129.16", 443, False, id="a node's own at Azure"),
        pytest.param("fd00:ec2::254", 443, False, id="a node's own at AWS, by IPv6"),
        pytest.param("169.254.169.254", 80, True, id="where a pod has its identity, for its bucket"),
    ],
)
def test_what_is_declared_is_open_and_nothing_beside(address, port, expected):
    walls = Walls(render(blog(spec=DECLARED), release()).foundation)
    assert walls.lets_out(labels.labels(blog(spec=DECLARED), "web"), address, port) == expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("eks.amazonaws.com/role-arn", False),
        ("azure.workload.identity/client-id", False),
        ("iam.gke.io/gcp-service-account", True),
    ],
)
def test_whose_account_says_who_it_is_has_no_way_to_the_credentials_of_its_node(annotation, expected):
    app = blog(spec=DECLARED + f"serviceAccount: {{annotations: {{{annotation}: blog}}}}\n")
    walls = Walls(render(app, release()).foundation)
    assert walls.lets_out(labels.labels(app, "web"), "169.254.169.254", 80) == expected
    assert not walls.lets_out(labels.labels(app, "web"), "169.254.170.23", 80)


def test_who_scales_workers_by_their_queue_gets_to_the_broker_and_nobody_else_does():
    def opened(worker):
        spec = (
            "name: blog\nimage: registry.example.com/blog\nservices: {rabbitmq: {run: {}}}\n"
            f"workers: {{w: {{celery: {{app: blog}}{worker}}}}}\nenvironments: {{local: {{}}}}\n"
        )
        found = {item["metadata"]["name"]: item for item in render(blog(spec=spec), release()).foundation}
        return found.get("blog-rabbitmq-from-keda")

    assert opened("") is None
    policy = opened(", autoscale: {min: 1, max: 4, queueLength: 50}")
    (rule,) = policy["spec"]["ingress"]
    (key,) = rule["from"][0]["namespaceSelector"]["matchExpressions"]
    assert (key["values"], rule["ports"]) == (list(topology.KEDA), [{"protocol": "TCP", "port": 5672}])


@pytest.mark.parametrize(
    ("expose", "anybody"),
    [
        ("class: alb", True),
        ("class: gce-internal", True),
        ("profile: gke", True),
        ("kind: gateway, class: infra/external, profile: gke", True),
        ("kind: loadBalancer", True),
        ("class: nginx, profile: gke", False),
        ("kind: gateway, class: traefik, profile: gke", False),
        ("profile: gke, annotations: {kubernetes.io/ingress.class: nginx}", False),
        ("profile: gke, annotations: {kubernetes.io/ingress.class: gce-internal}", True),
        ("profile: eks, annotations: {kubernetes.io/ingress.class: alb}", True),
        ("kind: gateway, class: infra/public", False),
        ("class: traefik", False),
        ("profile: eks", False),
    ],
)
def test_a_balancer_of_the_cloud_reaches_the_pods_from_outside_and_a_controller_from_its_namespace(expose, anybody):
    spec = f"name: blog\nimage: a/b\nexpose: {{{expose}, hosts: [blog.example.com]}}\nenvironments: {{local: }}\n"
    (rule,) = [
        item["spec"]["ingress"][0]
        for item in render(blog(spec=spec), release()).foundation
        if item["kind"] == "NetworkPolicy" and item["metadata"]["name"].startswith("blog-web")
    ]
    assert ("from" not in rule) == anybody


def test_a_service_in_the_cluster_is_its_whole_namespace():
    (policy,) = [
        item["spec"]
        for item in render(blog(spec=DECLARED), release()).foundation
        if item["metadata"]["name"] == "blog-to-smtp.mail.svc-587"
    ]
    (rule,) = policy["egress"]
    assert rule == {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "mail"}}}]}


def test_what_is_taken_away_has_a_name_of_its_own_and_stays_until_it_is_pruned():
    def names(text):
        return {item["metadata"]["name"] for item in render(blog(spec=text), release()).foundation}

    less = DECLARED.replace("{host: api.stripe.com}, ", "").replace("10.0.0.5", "10.0.0.9")
    assert names(DECLARED) - names(less) == {"blog-to-api.stripe.com-443", "blog-to-postgres-10.0.0.5-5432"}


def test_the_ports_are_those_where_the_servers_listen():
    assert SERVERS["postgres"] == POSTGRES_PORT
    assert SERVERS["redis"] == REDIS_PORT
    assert (topology.STATIC, topology.METRICS) == (STATIC_PORT, METRICS_PORT)


def test_the_components_are_those_of_the_labels():
    for name in COMPONENTS:
        assert getattr(labels, name.upper()) == name


def test_no_way_to_an_address_is_to_a_node():
    for named in EXAMPLE_ENVIRONMENTS:
        for opening in openings(any_app(named), release().build):
            if isinstance(opening.server, Addresses) and opening.server.ranges == topology.EVERYWHERE:
                without = [ipaddress.ip_network(one) for one in opening.server.without]
                for own in map(ipaddress.ip_network, topology.NODES_OWN):
                    assert any(own.version == one.version and own.subnet_of(one) for one in without), own
