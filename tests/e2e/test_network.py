"""Policies hold, load balancers have an address, ports answer on 127.0.0.1: what the node's agent is for."""

from __future__ import annotations

import http.client
import json
import socket
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from load import Load
from waiting import new_namespace, steady, wait_for

from nuages.image import base
from nuages.local.cluster import load

pytestmark = pytest.mark.e2e

IMAGE = "docker.io/library/python:3.13-slim"
OBJECTS = (Path(__file__).parent / "network.yaml").read_text()
PATIENCE = 120  # seconds until the kernel has what the API server was told; one is usual


class Site:
    """Two servers behind three Services, and a client pod, in a namespace of their own (network.yaml)."""

    def __init__(self, kubectl, name: str) -> None:
        self.kubectl = lambda *arguments, **options: kubectl("--namespace", name, *arguments, **options)

    def get(self, kind: str, name: str):
        return json.loads(self.kubectl("get", kind, name, "--output", "json"))

    def server(self) -> str:
        """The address of one of the servers."""
        return self.kubectl("get", "pods", "--selector", "app=server", "--output", "jsonpath={.items[0].status.podIP}")

    def reaches(self, host: str, port: int = 8000, *, client: str = "client") -> bool:
        """Whether a new connection from the client pod gets through; that nobody could be asked is no answer."""
        code = f"""
import socket
try:
    socket.create_connection(("{host}", {port}), timeout=3)
except OSError:
    print("no")
else:
    print("yes")
"""
        return self.kubectl("exec", client, "--", "python3", "-c", code).strip() == "yes"

    def apply(self, name: str, **fields: object) -> None:
        """Apply one NetworkPolicy: its name, and the fields of its spec."""
        policy = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name},
            "spec": fields,
        }
        self.kubectl("apply", "--filename", "-", text=json.dumps(policy))

    def run_once(self, code: str) -> str:
        """What a new pod, labelled app=early, prints when it runs this Python."""
        self.kubectl(
            "run", "early", f"--image={IMAGE}", "--image-pull-policy=Never", "--restart=Never", "--labels=app=early",
            "--command", "--", "python3", "-c", code,
        )  # fmt: skip
        try:
            self.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/early", "--timeout=300s")
            return self.kubectl("logs", "early")
        finally:
            self.kubectl("delete", "pod", "early", "--now")


@pytest.fixture(scope="module")
def site(cluster, kubectl) -> Iterator[Site]:
    """The site, ready; its image is at hand on every machine, pulled or made."""
    load(cluster.name, [base.archive("python:3.13-slim")])
    name = f"network-{uuid.uuid4().hex[:8]}"
    new_namespace(kubectl, name)
    site = Site(kubectl, name)
    try:
        site.kubectl("apply", "--filename", "-", text=OBJECTS.replace("IMAGE", IMAGE))
        site.kubectl("rollout", "status", "deployment/server", "--timeout=300s")
        site.kubectl("wait", "--for=condition=Ready", "pod/client", "--timeout=300s")
        yield site
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(autouse=True)
def no_policies(site: Site) -> Iterator[None]:
    """Each test finds a site without policies."""
    yield
    site.kubectl("delete", "networkpolicies", "--all")


def soon(question: Callable[[], bool]) -> bool:
    """Ask until the answer is yes. The kernel's rules can be asked for their effect only, there is nothing to watch."""
    try:
        return wait_for(question, PATIENCE)
    except AssertionError:
        return False


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError, http.client.HTTPException):
        return False


def free_port(port: int) -> bool:
    """Whether nothing listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_denied_pod_is_closed_directly_and_through_a_service_until_a_policy_opens_it(site: Site) -> None:
    assert soon(lambda: site.reaches(site.server()))
    assert soon(lambda: site.reaches("inside"))

    site.apply("deny", podSelector={}, policyTypes=["Ingress"])
    assert soon(lambda: not site.reaches(site.server()))
    assert soon(lambda: not site.reaches("inside"))
    # The kubelet's probes come from the node itself: a denied pod stays ready.
    assert soon(lambda: site.get("deployment", "server")["status"].get("readyReplicas") == 2)

    only_the_client = {"from": [{"podSelector": {"matchLabels": {"app": "client"}}}], "ports": [{"port": "http"}]}
    site.apply("allow", podSelector={"matchLabels": {"app": "server"}}, ingress=[only_the_client])
    assert soon(lambda: site.reaches(site.server()))
    assert soon(lambda: site.reaches("inside"))
    assert soon(lambda: not site.reaches(site.server(), 8001))
    assert soon(lambda: not site.reaches(site.server(), client="stranger"))


def test_a_pod_without_egress_reaches_what_a_policy_names_and_nothing_else(site: Site) -> None:
    dns = {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}]}
    server = {"to": [{"podSelector": {"matchLabels": {"app": "server"}}}], "ports": [{"port": 8000}]}
    client = {"matchLabels": {"app": "client"}}
    site.apply("deny", podSelector=client, policyTypes=["Egress"])
    assert soon(lambda: not site.reaches(site.server()))

    site.apply("allow", podSelector=client, policyTypes=["Egress"], egress=[dns, server])
    assert soon(lambda: site.reaches("inside"))
    assert soon(lambda: not site.reaches(site.server(), 8001))
    assert soon(lambda: site.reaches(site.server(), 8001, client="stranger"))


def test_a_pod_is_isolated_before_it_starts(site: Site) -> None:
    known = [{"key": "app", "operator": "In", "values": ["early", "stranger"]}]
    site.apply("deny", podSelector={"matchExpressions": known}, policyTypes=["Egress"])
    assert soon(lambda: not site.reaches(site.server(), client="stranger")), "the node knows the policy"
    # Tries from its first moment on, and says which try got through.
    said = site.run_once(
        f"""
import socket
for number in range(30):
    try:
        socket.create_connection(("{site.server()}", 8000), timeout=0.1)
        print("through at try", number)
    except OSError:
        pass
"""
    )
    assert said == ""


def test_a_pods_first_question_to_dns_is_not_lost(site: Site) -> None:
    dns = {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}]}
    site.apply("dns", podSelector={"matchLabels": {"app": "early"}}, policyTypes=["Egress"], egress=[dns])
    # Two questions at once from one port, as the C library asks; but never again: it would after five seconds.
    said = site.run_once(
        """
import socket
server = next(line.split()[1] for line in open("/etc/resolv.conf") if line.startswith("nameserver"))
name = b"".join(bytes([len(part)]) + part for part in b"kubernetes.default.svc.cluster.local".split(b"."))
asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asked.settimeout(60)
for number, kind in ((1, 1), (2, 28)):
    head = number.to_bytes(2, "big") + bytes([1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
    asked.sendto(head + name + bytes([0, 0, kind, 0, 1]), (server, 53))
print(sorted(asked.recv(512)[1] for _ in range(2)))
"""
    )
    assert said.strip() == "[1, 2]"


def test_a_load_balancer_has_an_address_that_answers_from_this_machine(site: Site) -> None:
    site.kubectl("wait", "--for=jsonpath={.status.loadBalancer.ingress[0].ip}", "service/balanced", "--timeout=300s")
    ingress = site.get("service", "balanced")["status"]["loadBalancer"]["ingress"][0]
    assert ingress["ipMode"] == "VIP"
    assert soon(lambda: answers(f"http://{ingress['ip']}:8093/"))


def test_a_node_port_answers_on_this_machine_and_closes_with_its_service(site: Site) -> None:
    port = site.get("service", "noded")["spec"]["ports"][0]["nodePort"]
    assert soon(lambda: answers(f"http://127.0.0.1:{port}/"))
    site.kubectl("patch", "service", "noded", "--patch", '{"spec": {"type": "ClusterIP"}}')
    assert soon(lambda: free_port(port))


def test_a_load_balancers_port_and_an_annotated_port_answer_on_this_machine(site: Site) -> None:
    assert soon(lambda: answers("http://127.0.0.1:8093/"))
    assert soon(lambda: answers("http://127.0.0.1:8094/"))


def test_a_rolling_update_behind_a_port_of_this_machine_loses_no_request(site: Site) -> None:
    steady(lambda: answers("http://127.0.0.1:8093/"))
    old = site.kubectl("get", "pods", "--selector", "app=server", "--output", "name").split()
    with Load("127.0.0.1:8093", "/", pattern="server-[a-z0-9-]+") as traffic:
        site.kubectl("rollout", "restart", "deployment/server")
        site.kubectl("rollout", "status", "deployment/server", "--timeout=300s")
        site.kubectl("wait", "--for=delete", *old, "--timeout=300s")
    assert traffic.lost == []
    assert len(traffic.answers) == 4, traffic.answers  # two old pods, two new ones
