"""The ways in: each is tried from this machine, as a browser would come."""

from __future__ import annotations

import http.client
import json

import pytest
from project import blog_in
from waiting import becomes

pytestmark = pytest.mark.e2e


def answer(address: str, host: str) -> int:
    """The status of the blog's page at host:port, asked for under a host name; 0 where nobody answers yet."""
    connection = http.client.HTTPConnection(address, timeout=60)
    try:
        connection.request("GET", "/", headers={"Host": host})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def test_the_load_balancer_answers_by_its_address_and_on_this_machine(blog, blog_address, kubectl):
    becomes(200, lambda: answer(blog_address, blog_address))
    (service,) = (
        item
        for item in json.loads(kubectl("-n", "blog-local", "get", "service", "-o", "json"))["items"]
        if item["spec"]["type"] == "LoadBalancer"
    )
    becomes(200, lambda: answer(f"127.0.0.1:{service['spec']['ports'][0]['nodePort']}", "localhost"))


def test_the_ingress_answers_by_host_name_and_only_what_it_leads_to_may_reach_the_pods(
    cluster, kubectl, namespace, tmp_path
):
    project = blog_in(tmp_path / "blog", cluster, namespace)
    project.edit(
        **{"kind: loadBalancer, hosts: [blog.localhost]": "kind: ingress, class: traefik, hosts: [shop.localhost]"}
    )
    project.edit(**{"replicas: 3": "replicas: 1"})
    said = project.nuages("deploy")
    url = said.stdout.split()[-1]
    assert url.startswith("http://shop.localhost:")
    address = "127.0.0.1:" + url.rpartition(":")[2]
    becomes(200, lambda: answer(address, "shop.localhost"))
    becomes(404, lambda: answer(address, "nobody.localhost"))
    # Below 30086: Kubernetes gives these to no Service that has not asked for one.
    project.edit(**{"kind: ingress, class: traefik": "kind: nodePort, nodePort: 30005"})
    project.nuages("deploy", "--no-build")
    becomes(200, lambda: answer("127.0.0.1:30005", "localhost"))
    becomes("", lambda: kubectl("-n", namespace, "get", "ingress", "-o", "name"))  # the old way in is pruned
    project.nuages("destroy", "--yes", "--data")
