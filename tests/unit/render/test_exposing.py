"""The ways in: names that lead to another, paths to what answers them, what controllers and clouds are told."""

from __future__ import annotations

import pytest

from nuages.app.build import Build
from nuages.app.components import resolve
from nuages.checks.exposure import check
from nuages.render import outside, profiles
from nuages.render.exposure import exposure
from nuages.render.manifest import render
from nuages.render.release import Release
from nuages.render.storage import media
from nuages.render.switch import weighted
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

SPEC = """\
name: shop
image: registry.example.com/acme/shop
django: {settings: shop.settings}
web:
  main: {routes: [/, /api/]}
  live: {interface: asgi, routes: [/ws/], requestTimeout: 1h}
frontends:
  spa: {directory: web, command: [npm, run, build], output: dist, routes: [/app/]}
environments: {local: {}, production: {}}
"""
HOSTS = "hosts: [shop.example.com, shop.example.org], redirects: [www.shop.example.com]"
BUILD = Build(
    reference="registry.example.com/acme/shop@sha256:7", wsgi="shop.wsgi:application", settings="shop.settings"
)


def shop(expose: str, more: str = ""):
    return resolve(parse(f"{SPEC}expose: {{{expose}}}\n{more}".encode(), "nuages.yaml"), "production")


def only(expose: str, more: str = ""):
    (made,) = exposure(shop(expose, more), BUILD)
    return made


def marks(expose: str, more: str = "") -> dict[str, str]:
    return only(expose, more)["metadata"].get("annotations", {})


def test_an_ingress_leads_each_path_of_each_host_to_what_answers_it() -> None:
    rules = only(f"class: traefik, {HOSTS}")["spec"]["rules"]
    assert [rule["host"] for rule in rules] == ["shop.example.com", "shop.example.org", "www.shop.example.com"]
    led = [(one["path"], one["pathType"], one["backend"]["service"]["name"]) for one in rules[0]["http"]["paths"]]
    assert led == [
        ("/api/", "Prefix", "shop-web-main"),
        ("/api", "Exact", "shop-web-main"),
        ("/app/", "Prefix", "shop-frontend-spa"),
        ("/app", "Exact", "shop-frontend-spa"),
        ("/ws/", "Prefix", "shop-web-live"),
        ("/ws", "Exact", "shop-web-live"),
        ("/", "Prefix", "shop-web-main"),
    ]
    assert rules[1]["http"] == rules[0]["http"]
    (sent_on,) = rules[2]["http"]["paths"]
    assert (sent_on["path"], sent_on["backend"]["service"]["name"]) == ("/", "shop-web-main")


def test_a_certificate_is_for_the_names_that_are_sent_on_too() -> None:
    made = only(f"class: traefik, {HOSTS}, tls: {{issuer: letsencrypt}}")
    names = ["shop.example.com", "shop.example.org", "www.shop.example.com"]
    assert made["spec"]["tls"] == [{"hosts": names, "secretName": "shop-tls"}]
    assert made["metadata"]["annotations"] == {"cert-manager.io/cluster-issuer": "letsencrypt"}
    assert only(f"{HOSTS}, tls: {{secret: own}}")["spec"]["tls"] == [{"hosts": names, "secretName": "own"}]


@pytest.mark.parametrize(
    ("tls", "expected"),
    [
        ("", {"hostname": "shop.example.com", "statusCode": 301}),
        ("tls: {terminated: loadBalancer}", {"scheme": "https", "hostname": "shop.example.com", "statusCode": 301}),
        ("tls: {none: {}}", {"scheme": "http", "hostname": "shop.example.com", "statusCode": 301}),
    ],
)
def test_a_gateway_sends_names_on_by_itself(tls: str, expected: dict[str, object]) -> None:
    made, sent_on = exposure(shop(f"kind: gateway, class: gateways/public, {HOSTS}, {tls}"), BUILD)
    assert made["spec"]["hostnames"] == ["shop.example.com", "shop.example.org"]
    assert sent_on["spec"]["hostnames"] == ["www.shop.example.com"]
    assert sent_on["spec"]["rules"][0]["filters"] == [{"type": "RequestRedirect", "requestRedirect": expected}]
    assert weighted(sent_on, 10, "canary", frozenset({"shop-web-main"})) == sent_on, "no set is beside a redirect"


@pytest.mark.parametrize(
    ("expose", "expected"),
    [
        ("kind: ingress, hosts: [a.example.com]", {}),
        (
            "hosts: [a.example.com], redirects: [b.example.com]",
            {"NUAGES_REDIRECTS": "b.example.com", "NUAGES_REDIRECT_TO": "//a.example.com"},
        ),
        (
            "hosts: [a.example.com], redirects: [b.example.com], tls: {secret: own}, hsts: 720h",
            {
                "NUAGES_REDIRECTS": "b.example.com",
                "NUAGES_REDIRECT_TO": "https://a.example.com",
                "NUAGES_HTTPS": "1",
            },
        ),
        # A balancer's word on the scheme is not always true: a redirect might never end.
        ("kind: loadBalancer, hosts: [a.example.com], tls: {terminated: loadBalancer}, hsts: 720h", {}),
        ("kind: gateway, class: public, hosts: [a.example.com], redirects: [b.example.com]", {}),
    ],
)
def test_the_runtime_is_told_what_it_has_to_answer(expose: str, expected: dict[str, str]) -> None:
    assert outside.front(shop(expose)) == expected


def test_nginx_is_told_of_the_size_and_waits_as_long_as_the_slowest_web() -> None:
    assert marks("class: nginx, hosts: [a.example.com], bodySize: 25Mi") == {
        "nginx.ingress.kubernetes.io/proxy-body-size": "26214400",
        "nginx.ingress.kubernetes.io/proxy-read-timeout": "3602",
        "nginx.ingress.kubernetes.io/proxy-send-timeout": "3602",
    }
    assert marks("class: traefik, hosts: [a.example.com], bodySize: 25Mi") == {}


def test_names_are_made_known_whichever_prefix_external_dns_reads() -> None:
    for kind in ("kind: loadBalancer", "kind: nodePort", "kind: ingress"):
        known = marks(f"{kind}, hosts: [a.example.com, b.example.com], dns: true")
        assert known == {
            "external-dns.kubernetes.io/hostname": "a.example.com,b.example.com",
            "external-dns.alpha.kubernetes.io/hostname": "a.example.com,b.example.com",
        }


def test_what_the_spec_says_itself_comes_last() -> None:
    own = "annotations: {service.beta.kubernetes.io/aws-load-balancer-scheme: internal, example.com/team: shop}"
    said = marks(f"kind: loadBalancer, profile: eks, {own}")
    assert said["service.beta.kubernetes.io/aws-load-balancer-scheme"] == "internal"
    assert said["service.beta.kubernetes.io/aws-load-balancer-type"] == "external"
    assert said["example.com/team"] == "shop"


@pytest.mark.parametrize(
    ("profile", "seconds", "expected"),
    [
        (None, 31, {}),
        ("k3s", 31, {}),
        ("minikube", 31, {}),
        ("gke", 31, {"cloud.google.com/l4-rbs": "enabled"}),
        ("aks", 31, {}),
        ("aks", 3601, {"service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout": "61"}),
        (
            "kops",
            31,
            {
                "service.beta.kubernetes.io/aws-load-balancer-connection-idle-timeout": "60",
                "service.beta.kubernetes.io/aws-load-balancer-connection-draining-enabled": "true",
            },
        ),
    ],
)
def test_a_load_balancer_waits_as_long_as_a_request_may_take(profile, seconds: int, expected) -> None:
    assert profiles.balancer(profile, seconds) == expected


def test_amazons_balancer_is_reached_from_outside_and_asks_the_pods_for_their_readiness() -> None:
    said = profiles.balancer("eks", 3601)
    assert said["service.beta.kubernetes.io/aws-load-balancer-scheme"] == "internet-facing"
    assert said["service.beta.kubernetes.io/aws-load-balancer-healthcheck-path"] == "/-/ready"
    assert said["service.beta.kubernetes.io/aws-load-balancer-listener-attributes.TCP-80"] == (
        "tcp.idle_timeout.seconds=3601"
    )
    alb = marks("class: alb, hosts: [a.example.com], tls: {terminated: loadBalancer}")
    assert alb["alb.ingress.kubernetes.io/ssl-redirect"] == "443"
    assert alb["alb.ingress.kubernetes.io/load-balancer-attributes"] == "idle_timeout.timeout_seconds=3602"


def test_pods_say_that_they_use_an_identity_of_azures() -> None:
    account = "serviceAccount: {annotations: {azure.workload.identity/client-id: 1-2-3}}\n"
    release = Release(number=1, template=1, build=BUILD)
    for more, expected in ((account, "true"), ("", None)):
        made = render(shop("profile: aks, hosts: [a.example.com]", more), release)
        (web,) = (
            item for item in made.web if item["metadata"]["name"] == "shop-web-main" and "template" in item["spec"]
        )
        assert web["spec"]["template"]["metadata"]["labels"].get("azure.workload.identity/use") == expected
        assert "azure.workload.identity/use" not in web["spec"]["selector"]["matchLabels"]


@pytest.mark.parametrize(("profile", "named"), [("gke", "standard-rwx"), ("aks", "azurefile-csi"), ("eks", None)])
def test_volumes_of_all_nodes_get_the_class_that_the_cloud_has_for_them(profile: str, named: str | None) -> None:
    shared = "{size: 1Gi, accessMode: ReadWriteMany"
    for written, expected in ((f"{shared}}}", named), (f"{shared}, storageClass: own}}", "own")):
        (claim,) = media(shop(f"profile: {profile}, hosts: [a.example.com]", f"media: {{volume: {written}}}\n"))
        assert claim["spec"].get("storageClassName") == expected


@pytest.mark.parametrize(
    ("expose", "more", "expected"),
    [
        (HOSTS, "", []),
        (HOSTS, "web: {main: {command: [serve]}, live: {command: [serve]}}\n", ["app.E150"]),
        (f"kind: gateway, class: public, {HOSTS}", "web: {main: {command: [serve]}}\n", []),
        (HOSTS, "web: {main: {command: [serve]}, api: {routes: [/api/]}}\n", []),
        # The name leads to the command, whatever else there is.
        (
            f"kind: nodePort, {HOSTS}",
            "web: {main: {command: [serve]}, api: {routes: [/api/]}}\n",
            ["app.E150"],
        ),
        ("hosts: [a.example.com], bodySize: 1Mi", "web: {main: {command: [serve]}}\n", ["app.W151"]),
        ("class: nginx, hosts: [a.example.com], bodySize: 1Mi", "web: {main: {command: [serve]}}\n", []),
        ('hosts: ["*.example.com"], tls: {issuer: letsencrypt}', "", ["app.W152"]),
        ('hosts: ["*.example.com"], tls: {secret: own}', "", []),
        (
            "hosts: [a.example.com], profile: gke",
            "serviceAccount: {annotations: {eks.amazonaws.com/role-arn: x}}\n",
            ["app.W153"],
        ),
        ("hosts: [a.example.com], profile: k3s", "media: {volume: {size: 1Gi}}\n", ["app.W153"]),
        ("hosts: [a.example.com], profile: k3s", "media: {volume: {size: 1Gi, storageClass: nfs}}\n", []),
        ("hosts: [a.example.com], profile: gke", "media: {volume: {size: 1Gi}}\n", []),
        ("kind: loadBalancer", "", []),
    ],
)
def test_what_nobody_would_answer_or_give_is_found(expose: str, more: str, expected: list[str]) -> None:
    spec = SPEC
    if more.startswith("web:"):
        spec = spec[: spec.index("web:")] + more + spec[spec.index("frontends:") :]
        more = ""
    app = resolve(parse(f"{spec}expose: {{{expose}}}\n{more}".encode(), "nuages.yaml"), "production")
    assert [one.id for one in check(app)] == expected
