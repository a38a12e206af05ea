"""A new release beside the one that serves, seen from outside: who gets which, and that nobody gets nothing."""

from __future__ import annotations

import http.client
import json

import pytest
from load import Load
from project import blog_in
from waiting import becomes, wait_for

pytestmark = pytest.mark.e2e
SOON = "canary: {steps: [10%, 50%], pause: 0s}\nexpose:"


def test_orange_and_maroon_answer_side_by_side_until_the_canary_is_promoted(blog, blog_address, kubectl):
    before = blog.spec.read_text()
    old, new = ("orange", "maroon") if "COLOR: orange" in before else ("maroon", "orange")
    blog.edit(**{f"COLOR: {old}": f"COLOR: {new}", "\nexpose:": f"\n{SOON}"})
    try:
        with Load(blog_address, "/", pattern="orange|maroon") as load:
            waits = blog.nuages("deploy", "--no-build", "--canary", "10%").stdout
            assert "waits in canary: about 25 % of the requests" in waits
            wait_for(lambda: load.answers[new])
            beside = load.answers[old]
            wait_for(lambda: load.answers[old] > beside)
            budget = ("-n", "blog-local", "get", "poddisruptionbudget", "blog-web-main", "-o", "json")
            # One budget holds the pods of both.
            becomes(4, lambda: json.loads(kubectl(*budget))["status"]["expectedPods"])
            assert "is live" in blog.nuages("promote", "--all").stdout
            promoted = load.answers[new]
            wait_for(lambda: load.answers[new] > promoted)
        assert load.lost == []
        wait_for(lambda: "canary" not in kubectl("-n", "blog-local", "get", "deployment", "-o", "name"))
    finally:
        blog.spec.write_text(before)
        blog.nuages("deploy", "--no-build")


def test_a_gateway_shares_by_weight_pins_testers_and_an_abort_loses_no_request(cluster, kubectl, namespace, tmp_path):
    project = blog_in(tmp_path / "blog", cluster, namespace)
    way = "kind: gateway, class: traefik/traefik, hosts: [canary.localhost]"
    plain = 'python: "3.13", checks: {ignore: [security.W012, security.W016]}}'  # cookies go over plain HTTP here
    project.edit(**{
        "kind: loadBalancer, hosts: [blog.localhost]": way, "replicas: 3": "replicas: 1", "\nexpose:": f"\n{SOON}",
        'python: "3.13"}': plain,
    })  # fmt: skip
    address = "127.0.0.1:" + project.nuages("deploy").stdout.split()[-1].rpartition(":")[2]

    def colour(**headers: str) -> str:
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.request("GET", "/", headers={"Host": "canary.localhost", **headers})
        page = connection.getresponse().read().decode()
        connection.close()
        return next((each for each in ("orange", "maroon") if f'data-color="{each}"' in page), "")

    wait_for(lambda: colour() == "orange")
    project.edit(orange="maroon")
    with Load(address, "/", clients=2, pattern="orange|maroon", host="canary.localhost") as load:
        project.nuages("deploy", "--no-build", "--canary", "20%")
        wait_for(lambda: colour(**{"X-Nuages-Track": "canary"}) == "maroon")
        for pin, wanted in (("canary", "maroon"), ("stable", "orange")):
            becomes({wanted}, lambda pin=pin: {colour(**{"X-Nuages-Track": pin}) for _ in range(5)})
            becomes({wanted}, lambda pin=pin: {colour(Cookie=f"a=b; nuages-track={pin}") for _ in range(5)})
        # A fifth of all that is asked while nobody is pinned, wherever in its round the gateway was.
        before = load.so_far()
        since = wait_for(lambda: (now := load.so_far() - before).total() >= 200 and now)
        assert 0.1 <= since["maroon"] / since.total() <= 0.3, since
        project.nuages("abort")
        wait_for(lambda: {colour() for _ in range(5)} == {"orange"})
    assert load.lost == []
    project.nuages("destroy", "--yes", "--data")
