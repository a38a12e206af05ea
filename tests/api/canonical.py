"""All objects of a namespace as text that two runs of the same have in common: what is random or a time is left out."""

from __future__ import annotations

import base64
import difflib
import gzip
import json
import re
from collections.abc import AsyncIterator

from nuages.app.objects import Object
from nuages.kube.client import Cluster
from nuages.kube.failures import Asked
from nuages.release.asking import ASKED

LEFT_OUT = {"events", "endpoints", "endpointslices", "podmetrics"}
"""What is said about objects, and what follows from pods; neither is anybody's state."""

_METADATA = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation", "generateName", "selfLink")
_NAMES = (
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)", "TIME"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
    (r"(?<=-secrets-)[0-9a-f]{10}", "COPY"),
)
_HASHES = ("pod-template-hash", "controller.kubernetes.io/hash")
_GENERATED = ("clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort", "volumeName", "nodeName")


async def snapshot(cluster: Cluster, namespace: str) -> list[str]:
    """Each object of a namespace as indented JSON, sorted."""
    found: list[Object] = []
    for path, kind in [one async for one in _kinds(cluster)]:
        response = await cluster._transport.send("GET", path.format(namespace=namespace), Asked("list", kind))
        found += [{"kind": kind, **item} for item in json.loads(response.content)["items"]]
    labels = [one["metadata"].get("labels", {}) for one in found]
    # A question's Job goes by itself a minute after its end, where whoever asked was killed.
    found = [one for one, said in zip(found, labels, strict=True) if ASKED not in said]
    hashes = {one[name] for one in labels for name in _HASHES if name in one}
    return sorted(_text(one, namespace, hashes) for one in found)


def difference(ours: list[str], theirs: list[str]) -> str:
    """Where two snapshots differ, as a diff; empty where they don't."""
    mine, other = ("\n".join(one).splitlines() for one in (ours, theirs))
    return "\n".join(difflib.unified_diff(mine, other, "undisturbed", "disturbed", lineterm="", n=6))


async def _kinds(cluster: Cluster) -> AsyncIterator[tuple[str, str]]:
    """Every kind that lies in namespaces and can be listed."""
    for prefix in ("/api/v1", *[f"/apis/{version}" for version in await _groups(cluster)]):
        response = await cluster._transport.send("GET", prefix, Asked("discover", prefix))
        for resource in json.loads(response.content)["resources"]:
            if resource["namespaced"] and "list" in resource["verbs"] and resource["name"] not in LEFT_OUT:
                yield f"{prefix}/namespaces/{{namespace}}/{resource['name']}", resource["kind"]


async def _groups(cluster: Cluster) -> list[str]:
    response = await cluster._transport.send("GET", "/apis", Asked("discover", "groups"))
    return [group["preferredVersion"]["groupVersion"] for group in json.loads(response.content)["groups"]]


def _text(item: Object, namespace: str, hashes: set[str]) -> str:
    item = _without_generated(item)
    metadata = item["metadata"]
    for owner in metadata.get("ownerReferences", ()):
        owner.pop("uid", None)
    if item["kind"] == "Pod":
        owner = metadata["ownerReferences"][0]
        item = {"kind": "Pod", "owner": owner["name"], "phase": item.get("status", {}).get("phase")}
    elif item["kind"] == "Secret":
        item["data"] = dict.fromkeys(item.get("data", {}), "GENERATED")
    elif item["kind"] == "ConfigMap" and "record" in item.get("data", {}):
        item["data"] = {"record": json.loads(item["data"]["record"])}
        packed = item.pop("binaryData", {})
        item["unpacked"] = {name: json.loads(gzip.decompress(base64.b64decode(text))) for name, text in packed.items()}
        item["data"]["record"]["inventory"].sort(key=json.dumps)
        for passed in item["data"]["record"]["passed"]:
            passed["note"] = ""  # what its last attempt did itself: "1 removed", then "nothing to remove"
    elif item["kind"] == "Lease":
        # Who was killed last still stands there, and counts as dead; how many holders there were is no state either.
        item["spec"], item["metadata"]["annotations"] = {}, {}
    if item["kind"] != "Pod":
        status = item.pop("status", {})
        ended = sorted(one["type"] for one in status.get("conditions", ()) if one["status"] == "True")
        item["status"] = {"conditions": ended, **{name: status[name] for name in _COUNTED if name in status}}
    text = json.dumps(item, indent=1, sort_keys=True)
    for pattern, word in (*_NAMES, *((rf"\b{re.escape(one)}\b", "TEMPLATE") for one in hashes)):
        text = re.sub(pattern, word, text)
    return text.replace(namespace, "NAMESPACE")


_COUNTED = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas", "succeeded", "failed")


def _without_generated(item: Object) -> Object:
    copied: Object = json.loads(json.dumps(item))
    for name in _METADATA:
        copied["metadata"].pop(name, None)
    for name in _GENERATED:
        copied.get("spec", {}).pop(name, None)
    for port in copied.get("spec", {}).get("ports", ()) if copied["kind"] == "Service" else ():
        port.pop("nodePort", None)
    return copied
