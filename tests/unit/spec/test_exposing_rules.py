"""What an exposure may not say together."""

from __future__ import annotations

import pytest

from nuages.errors import SpecInvalid
from nuages.spec.load import parse

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("expose", "expected"),
    [
        ("hosts: [a.example.com], redirects: [www.example.com]", []),
        ("hosts: [a.example.com], redirects: [a.example.com]", ["spec.E242 among hosts"]),
        ("hosts: [a.example.com], redirects: [b.example.com, b.example.com]", ["spec.E242 there twice"]),
        ('hosts: ["*.example.com"], redirects: [b.example.org]', ["spec.E242 no single name"]),
        ("kind: loadBalancer, redirects: [b.example.org]", ["spec.E242 have no host to lead to"]),
        ("hosts: [a.example.com], hsts: 720h", ["spec.E243 nothing answers to https"]),
        ("hosts: [a.example.com], hsts: 720h, tls: {none: {}}", ["spec.E243 nothing answers to https"]),
        ("hosts: [a.example.com], hsts: 720h, tls: {secret: own}", []),
        ("kind: gateway, class: public, hosts: [a.example.com], hsts: 720h", []),
        ("kind: nodePort, dns: true", ["spec.E244 there are no names to make known"]),
        ("kind: nodePort, hosts: [a.example.com], dns: true", []),
    ],
)  # fmt: skip
def test_what_only_means_something_together(expose: str, expected: list[str]) -> None:
    spec = f"name: shop\nimage: registry.example.com/acme/shop\nexpose: {{{expose}}}\nenvironments: {{local: {{}}}}\n"
    found = []
    try:
        parse(spec.encode(), "nuages.yaml")
    except SpecInvalid as error:
        found = list(error.findings)
    assert len(found) == len(expected)
    for one, said in zip(found, expected, strict=True):
        number, _, words = said.partition(" ")
        assert one.id == number
        assert words in one.message
