"""A release tells an address that is kept in a Secret. The address is in no message, no log and no record."""

from __future__ import annotations

import base64
import binascii

import msgspec

from nuages.errors import ClusterError
from nuages.kube.client import Cluster
from nuages.release.record import Record
from nuages.render.release import Address

SECONDS = 10.0
"""In which an answer has to be there."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent, as JSON; it only grows under one `schema`."""

    schema: int = 1
    id: str
    """The same where it is sent again: a release that was stopped does not know whether it arrived."""
    event: str
    """The hook: `released`, `failed`, `before-expand`."""
    text: str
    """All of it in a sentence, under the name that chats look for."""
    app: str
    environment: str
    namespace: str
    release: int
    restores: int | None
    image: str
    by: str
    message: str
    failure: str


def notice(event: str, record: Record) -> Notice:
    """What there is to say of a release at one point."""
    what = f"back to release {record.restores}" if record.restores else record.message or "by " + record.by
    said = {"released": "is live", "failed": f"failed: {record.failure}"}.get(event, f"is at {event}")
    return Notice(
        id=f"{record.instance}-{record.number}-{event}",
        event=event,
        text=f"{record.instance}: release {record.number} ({what}) {said}",
        app=record.app,
        environment=record.environment,
        namespace=record.namespace,
        release=record.number,
        restores=record.restores,
        image=record.build.reference,
        by=record.by,
        message=record.message,
        failure=record.failure,
    )


async def send(what: Notice, address: Address, cluster: Cluster) -> str:
    """POST it once; answers why it did not arrive, empty where it did. The answer's body is not looked at."""
    import httpx2  # noqa: PLC0415 - most releases tell nobody

    try:
        secret = await cluster.get("Secret", what.namespace, address.secret)
    except ClusterError as error:
        return error.message
    held = ((secret or {}).get("data") or {}).get(address.key)
    if held is None:
        return f"Secret {address.secret} is not there" if secret is None else f"it has no key {address.key}"
    try:
        url = base64.b64decode(held).decode().strip()
        async with httpx2.AsyncClient(timeout=SECONDS) as http:
            said, kind = msgspec.json.encode(what), {"Content-Type": "application/json"}
            async with http.stream("POST", url, content=said, headers=kind) as answer:
                pass  # its body may have no end
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, UnicodeError, binascii.Error):
        return f"Secret {address.secret}, key {address.key}, holds no http address"
    except httpx2.HTTPError as error:
        return f"no answer from the address: {type(error).__name__}"
    return "" if answer.is_success else f"the address answered {answer.status_code}"
