"""What an exposure says that only means something together: names that lead to another, https, names made known."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from nuages.spec.model import EnvironmentSpec, Expose
from nuages.spec.validate import Mistake


def broken(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """Every rule that the exposure breaks."""
    if spec.expose:
        yield from _hosts(spec.expose)
        yield from _routes(spec, spec.expose)
        yield from _redirects(spec.expose)
        yield from _https(spec.expose)
        yield from _names(spec.expose)


# https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec: so many hostnames, and so many rules.
LARGEST_ROUTE = 16


def encrypted(expose: Expose) -> bool:
    """Whether browsers come by https, as far as the spec says: a Gateway's listener may have a certificate unsaid."""
    if expose.tls is None:
        return expose.kind == "gateway"
    return expose.tls.none is None


def _hosts(expose: Expose) -> Iterator[Mistake]:
    """What an Ingress and an HTTPRoute take: names, each once."""
    if expose.class_ and "/" in expose.class_ and expose.kind == "ingress":
        hint = "the name alone: traefik; or kind: gateway"
        yield Mistake("spec.E205", ("expose", "class"), "an ingress class is in no namespace", hint)
    for field, hosts in (("hosts", expose.hosts), ("redirects", expose.redirects)):
        for index, host in enumerate(hosts):
            at = ("expose", field, index)
            if field == "hosts" and host in hosts[:index]:
                yield Mistake("spec.E267", at, f"{host} is there twice", "once is enough")
            elif expose.kind in ("ingress", "gateway") and _is_address(host):
                hint = f"a name that leads to it: {host.replace('.', '-')}.example.com"
                yield Mistake("spec.E268", at, f"{host} is an address, and {expose.kind} goes by names", hint)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _routes(spec: EnvironmentSpec, expose: Expose) -> Iterator[Mistake]:
    """A Gateway's route has an end."""
    if expose.kind != "gateway":
        return
    for field, hosts in (("hosts", expose.hosts), ("redirects", expose.redirects)):
        if len(hosts) > LARGEST_ROUTE:
            message = f"{len(hosts)} names, and the route of a Gateway takes {LARGEST_ROUTE}"
            hint = '"*.example.com" stands for many; or kind: ingress'
            yield Mistake("spec.E269", ("expose", field), message, hint, at_key=True)
    # Of webs that say nothing, one takes "/" (app/components.py).
    paths = {route for web in spec.web.values() for route in (["/"] if web.routes is None else web.routes)}
    paths |= {route for front in spec.frontends.values() for route in front.routes}
    several = len(paths) + (1 if spec.static.nginx else 0)
    if several > LARGEST_ROUTE:
        whose = "webs, front ends and static files" if spec.static.nginx else "webs and front ends"
        message = f"{several} routes of {whose}, and the route of a Gateway takes {LARGEST_ROUTE}"
        yield Mistake(
            "spec.E269", ("expose", "kind"), message, "fewer routes, each with all below it; or kind: ingress"
        )


def _redirects(expose: Expose) -> Iterator[Mistake]:
    """They lead to the first of the hosts, so there is one, and it is a name that a browser can be sent to."""
    for index, host in enumerate(expose.redirects):
        at = ("expose", "redirects", index)
        if host in expose.hosts:
            yield Mistake("spec.E242", at, f"{host} is among hosts, which answer themselves", "leave it out of one")
        elif host in expose.redirects[:index]:
            yield Mistake("spec.E242", at, f"{host} is there twice", "once is enough")
    if expose.redirects and (not expose.hosts or expose.hosts[0].startswith("*")):
        message = "lead to the first of hosts, which is no single name" if expose.hosts else "have no host to lead to"
        hint = "hosts: [blog.example.com], the name that answers, first"
        yield Mistake("spec.E242", ("expose", "redirects"), message, hint, at_key=True)


def _https(expose: Expose) -> Iterator[Mistake]:
    """A browser that was told to ask for https only finds nobody there for that long, whatever is done about it."""
    if expose.hsts and not encrypted(expose):
        hint = "tls: {issuer: letsencrypt}, or leave it out"
        yield Mistake("spec.E243", ("expose", "hsts"), "nothing answers to https", hint, at_key=True)


def _names(expose: Expose) -> Iterator[Mistake]:
    if expose.dns and not expose.hosts:
        hint = "hosts: [blog.example.com], or leave it out"
        yield Mistake("spec.E244", ("expose", "dns"), "there are no names to make known", hint, at_key=True)
