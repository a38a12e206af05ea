"""TLS to services that others run: what an address says of it, and the files of those who vouch for them.

postgres: https://www.postgresql.org/docs/current/libpq-ssl.html; `sslrootcert=system` needs libpq 16.
redis: query arguments of redis-py, which Celery and channels read as well. RabbitMQ's clients take nothing of it from
an address: there the runtime's overlay says it to Celery.
"""

from __future__ import annotations

from urllib.parse import urlencode

from nuages.app import stores
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.app.stores import Reached

FOLDER = "/run/authorities"
KEY = "ca.crt"
SYSTEM = "/etc/ssl/certs/ca-certificates.crt"
"""Debian's file with all authorities that are trusted, in every image of Python."""


def query(store: Reached) -> str:
    """What an address says of TLS, as a URL's query; empty where it says nothing."""
    strict = store.tls == "verify-full"
    file = path(store)
    match store.service, store.tls:
        case "postgres", "require" | "verify-full":
            said = {"sslmode": store.tls} | ({"sslrootcert": file} if strict else {})
        case "redis", "require" | "verify-full":
            said = {"ssl_cert_reqs": "required" if strict else "none"}
            said |= {"ssl_ca_certs": file, "ssl_check_hostname": "true"} if strict else {}
        case _:
            return ""
    return urlencode(said, safe="/")


def path(store: Reached) -> str:
    """The file with the authorities that may vouch for a service."""
    return f"{FOLDER}/{store.service}/{KEY}" if store.authority else SYSTEM


def variables(app: App) -> dict[str, str]:
    """What the runtime tells Celery of TLS to RabbitMQ: `require`, or the file of the authority; "" for neither."""
    store = stores.reached(app, "rabbitmq")
    if store is None or store.tls == "disable":
        return {"NUAGES_BROKER_TLS": ""}
    return {"NUAGES_BROKER_TLS": path(store) if store.tls == "verify-full" else store.tls}


def volumes(app: App) -> list[Object]:
    """A pod's volumes with them; nothing else of the ConfigMap or the Secret than the certificate."""
    return [_volume(store) for store in _vouched(app)]


def _volume(store: Reached) -> Object:
    items = [{"key": KEY, "path": KEY}]
    if store.vouched_by == "Secret":
        return {"name": f"authority-{store.service}", "secret": {"secretName": store.authority, "items": items}}
    return {"name": f"authority-{store.service}", "configMap": {"name": store.authority, "items": items}}


def mounts(app: App) -> list[Object]:
    """Where they go."""
    return [
        {"name": f"authority-{store.service}", "mountPath": f"{FOLDER}/{store.service}", "readOnly": True}
        for store in _vouched(app)
    ]


def _vouched(app: App) -> list[Reached]:
    found = [stores.reached(app, service) for service in stores.declared(app)]
    return [store for store in found if store and store.authority and store.tls == "verify-full"]
