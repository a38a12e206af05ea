"""Where requests go while two sets of pods stand beside each other: by a route's weights, or by a Service's selector.

Each function takes an object as a release rendered it, and gives the one that is applied for a time.
"""

from __future__ import annotations

from nuages.app.objects import Object
from nuages.render.canary import WHOLE, keyed
from nuages.render.labels import COMPONENT, KEY, WEB

HEADER = "X-Nuages-Track"
COOKIE = "nuages-track"
STABLE = "stable"
RULES = 16
"""A route has no more: https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec"""


def weighted(route: Object, percent: int, suffix: str, webs: frozenset[str]) -> Object:
    """A route that gives a share of the requests to the set; a header or a cookie pins a tester to either.

    Args:
        route: the HTTPRoute of the release that serves.
        percent: how many of a hundred requests the set gets.
        suffix: of the set's names; it is also what a tester writes.
        webs: the Services that have one of the set beside them.
    """
    rules = route["spec"]["rules"]
    pinned = sum(3 if _leads(rule) in webs else 1 for rule in rules) <= RULES
    return _with_rules(route, [made for rule in rules for made in _shared(rule, percent, suffix, webs, pinned=pinned)])


def switched(service: Object, suffix: str, keys: frozenset[str]) -> Object:
    """A Service that leads to the set, for the webs (`keys`) that the set has; any other object as it is."""
    if service["kind"] != "Service" or service["spec"]["selector"].get(KEY) not in keys:
        return service
    return _selecting(service, keyed(service["spec"]["selector"][KEY], suffix))


def to_page(service: Object, page: str) -> Object:
    """A Service that leads to the page that stands in for the app; any other object as it is."""
    if service["kind"] != "Service" or service["spec"]["selector"].get(COMPONENT) != WEB:
        return service
    return _selecting(service, page)


def _selecting(service: Object, key: str) -> Object:
    spec = service["spec"]
    return {**service, "spec": {**spec, "selector": {**spec["selector"], KEY: key}}}


def _with_rules(route: Object, rules: list[Object]) -> Object:
    return {**route, "spec": {**route["spec"], "rules": rules}}


def _leads(rule: Object) -> str:
    """The Service of a rule; "" of one that answers itself, as a redirect does."""
    name: str = rule["backendRefs"][0]["name"] if "backendRefs" in rule else ""
    return name


def _shared(rule: Object, percent: int, suffix: str, webs: frozenset[str], *, pinned: bool) -> list[Object]:
    """The rules of one path: those who are pinned to either, then all others by weight."""
    if _leads(rule) not in webs:
        return [rule]
    stable = rule["backendRefs"][0]
    beside = {**stable, "name": f"{stable['name']}-{suffix}"}
    both = [{**stable, "weight": WHOLE - percent}, {**beside, "weight": percent}]
    pins = [(suffix, beside), (STABLE, stable)] if pinned else []
    return [
        *({**rule, "matches": _pins(rule, value), "backendRefs": [{**to, "weight": 1}]} for value, to in pins),
        {**rule, "backendRefs": both},
    ]


def _pins(rule: Object, value: str) -> list[Object]:
    """Matches of the same paths for whoever sends the header, or the cookie.

    More headers that match go first (https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule), so these win over
    the rule by weight. A cookie is a part of a header; a regular expression is every gateway's own, RE2 in most.
    """
    header = {"type": "Exact", "name": HEADER, "value": value}
    cookie = {"type": "RegularExpression", "name": "Cookie", "value": f"(^|.*; ?){COOKIE}={value}($|;.*)"}
    return [{**match, "headers": [one]} for match in rule["matches"] for one in (header, cookie)]
