"""What an exposure says that only means something together: names that lead to another, https, names made known."""

from __future__ import annotations

from collections.abc import Iterator

from nuages.spec.model import EnvironmentSpec, Expose
from nuages.spec.validate import Mistake


def broken(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """Every rule that the exposure breaks."""
    if spec.expose:
        yield from _redirects(spec.expose)
        yield from _https(spec.expose)
        yield from _names(spec.expose)


def encrypted(expose: Expose) -> bool:
    """Whether browsers come by https, as far as the spec says: a Gateway's listener may have a certificate unsaid."""
    if expose.tls is None:
        return expose.kind == "gateway"
    return expose.tls.none is None


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
