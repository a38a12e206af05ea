"""What a template must say so that its environments don't meet, what only a template may say, and whose data is copied.

Read off the document as it was written: an environment's name still stands there as {environment}.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from nuages.spec.document import Value
from nuages.spec.environments import PLACEHOLDER, is_template
from nuages.spec.validate import Mistake

_SHARED = {
    "postgres": "migrate the same database",
    "redis": "read what the others keep there, and take their tasks",
    "rabbitmq": "take the tasks of the others",
    "memcached": "read what the others keep there",
}
"""What environments do to each other by a data store outside the cluster that all of them have."""
_NAMED = ("postgres", "rabbitmq")
"""Where a name keeps them apart."""
_ONLY = (("ttl",), ("seed",))


def broken(name: str, whole: dict[str, Value], patches: Mapping[str, Value]) -> Iterator[Mistake]:
    """Every rule that an environment breaks beside the others; `whole` is the base with its patch, as written."""
    yield from _data(name, whole, patches)
    if not is_template(whole):
        for path in _ONLY:
            if at(whole, *path) is not None:
                message = "means nothing here: it is of environments that are made from a template"
                yield Mistake("spec.E250", path, message, "template: true beside it", at_key=True)
        return
    yield from _apart(whole)
    seed, jobs = whole.get("seed"), whole.get("jobs")
    if isinstance(seed, str) and (not isinstance(jobs, dict) or seed not in jobs):
        known = ", ".join(jobs) if isinstance(jobs, dict) else ""
        hint = f"one of {known}" if known else "jobs: {seed: {manage: [loaddata, demo]}}"
        yield Mistake("spec.E253", ("seed",), f'no job "{seed}"', hint)


def _apart(whole: dict[str, Value]) -> Iterator[Mistake]:
    """What two environments can't both have has the environment's name in it."""
    for path in (("expose", "hosts"), ("expose", "redirects")):
        hosts = at(whole, *path)
        for index, host in enumerate(hosts if isinstance(hosts, list) else []):
            if PLACEHOLDER not in str(host):
                message = f"{host} would be the name of each environment that is made from it"
                yield Mistake("spec.E251", (*path, index), message, 'hosts: ["{environment}.preview.example.com"]')
    if at(whole, "expose", "nodePort"):
        yield Mistake(
            "spec.E251", ("expose", "nodePort"), "can be one environment's only", "leave the choice to the cluster"
        )
    namespace = whole.get("namespace")
    if isinstance(namespace, str) and PLACEHOLDER not in namespace:
        hint = 'namespace: "blog-{environment}", or nothing'
        yield Mistake("spec.E251", ("namespace",), f"{namespace} would be the one of each environment", hint)
    for service, what in _SHARED.items():
        external = at(whole, "services", service, "external")
        if isinstance(external, dict) and PLACEHOLDER not in msgspec.json.encode(external).decode():
            hint = 'run: {} in the cluster, or name: "{environment}"' if service in _NAMED else "run: {} in the cluster"
            yield Mistake("spec.E251", ("services", service, "external"), f"each environment would {what}", hint)
    bucket = at(whole, "media", "bucket")
    if isinstance(bucket, dict) and PLACEHOLDER not in str(bucket.get("url", "")):
        message = "each environment would remove uploads of the others"
        hint = 'url: "s3://blog-preview/{environment}"'
        yield Mistake("spec.E251", ("media", "bucket"), message, hint)


def _data(name: str, whole: dict[str, Value], patches: Mapping[str, Value]) -> Iterator[Mistake]:
    """Where a copy comes from: another environment, whose database runs in the cluster as this one's does."""
    default = ("databases", "default")
    source, anonymise = at(whole, *default, "cloneFrom"), at(whole, *default, "anonymise")
    if anonymise is not None and source is None:
        yield Mistake("spec.E250", (*default, "anonymise"), "means nothing without cloneFrom", at_key=True)
    if isinstance(anonymise, dict) and len(anonymise) != 1:
        hint = "sql: deploy/anonymise.sql, manage: [anonymise] or none: {}"
        yield Mistake("spec.E252", (*default, "anonymise"), "is not one thing to do", hint)
    if not isinstance(source, str):
        return
    path = (*default, "cloneFrom")
    if source not in patches or is_template(patches[source]):
        known = ", ".join(key for key, patch in patches.items() if not is_template(patch))
        message = f'no environment "{source}"' if source not in patches else f"{source} is a template, and has no data"
        yield Mistake("spec.E252", path, message, f"one of {known}" if known else "")
    elif source == name:
        yield Mistake("spec.E252", path, "is this environment itself", "below those environments that get a copy of it")
    elif at(whole, "services", "postgres", "run") is None:
        yield Mistake("spec.E252", path, "needs a database of its own: services: {postgres: {run: {}}}")
    elif anonymise is None:
        who = "each of them would begin with" if is_template(whole) else f"{name} would get"
        message = f"{who} {source}'s data as it is"
        hint = "anonymise: {sql: deploy/anonymise.sql} changes it before; anonymise: {none: {}} has nothing changed"
        yield Mistake("spec.E254", path, message, hint)


def at(document: Value, *path: str) -> Value:
    """What stands at a path; None where nothing does."""
    for key in path:
        if not isinstance(document, dict):
            return None
        document = document.get(key)
    return document
