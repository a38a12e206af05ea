"""push(image, repository, tags) -> Pushed: an image into any registry, by the OCI distribution specification.

    layers that are missing ─▶ config ─▶ manifest by digest ─▶ attachments ─▶ tags

What is there is not sent: neither a layer that the repository has, nor one that another repository of the same registry
has. A tag is the last thing written, so nothing half-pushed ever has a name.
https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from urllib.parse import urlencode

import httpx2

from nuages.app.objects import Object
from nuages.errors import PushFailed
from nuages.host import files
from nuages.host.places import cache
from nuages.image import blobs, oci
from nuages.image.blobs import Blob
from nuages.image.registry_client import ATTEMPTS, Body, Client, Lost, Repository, pause
from nuages.progress import Sink, Step, silent, step

INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
_AT_ONCE = 3
_PIECE = 1 << 18
# A layer whose sending was cut is sent in parts of this size, and goes on after the last one that arrived.
_CHUNK = 8 << 20


class Attachment(NamedTuple):
    """A document about an image, found by it (https://github.com/opencontainers/image-spec, "subject")."""

    kind: str
    content: bytes
    name: str


class Pushed(NamedTuple):
    """`reference` names the image by digest; `sent` counts the bytes of blobs that were not there."""

    reference: str
    tags: tuple[str, ...]
    sent: int
    layers_sent: int
    layers: int


def push(
    image: oci.Image,
    repository: str,
    tags: Sequence[str],
    sink: Sink = silent,
    *,
    attachments: Sequence[Attachment] = (),
    environ: Mapping[str, str] | None = None,
) -> Pushed:
    """Push an image and what is attached to it under these tags.

    Raises:
        PushFailed: with the registry's own words and what to do; no tag was changed.
    """
    where = Repository.of(repository)
    with step(sink, f"push to {repository}") as told, Client(where, environ) as client:
        known = _Known(where.registry)
        client.sources |= known.repositories(layer.digest for layer in image.layers)
        client.connect()
        work = _Push(client, known, told)
        if not work.has(f"manifests/{image.digest}", "the image"):
            work.blobs(image)
            work.manifest(image.digest, image.manifest, oci.MANIFEST)
        for attachment in attachments:
            work.attach(image, attachment)
        for tag in tags:
            work.manifest(tag, image.manifest, oci.MANIFEST)
        known.remember(where.name, [layer.digest for layer in image.layers])
        distinct = len({layer.digest for layer in image.layers})
        told.note = f"{work.count} of {distinct} layers, {work.sent / 2**20:.1f} MiB" if work.sent else "all was there"
        return Pushed(f"{repository}@{image.digest}", tuple(tags), work.sent, work.count, distinct)


class _Push:
    """One push under way: counts what is sent, for all threads."""

    def __init__(self, client: Client, known: _Known, told: Step) -> None:
        self._client = client
        self._known = known
        self._told = told
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._moved = 0
        self.total = self.sent = self.count = 0

    def has(self, path: str, what: str) -> bool:
        accept = {"Accept": f"{oci.MANIFEST}, {INDEX}"} if path.startswith("manifests/") else {}
        answer = self._client.send("HEAD", self._client.path(path), what, headers=accept, expected={404})
        return answer.is_success

    def blobs(self, image: oci.Image) -> None:
        """Every blob of an image that is not there, several at once; the first failure stops the others."""
        distinct = {layer.digest: layer for layer in image.layers}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                missing = [
                    layer
                    for layer, there in zip(distinct.values(), pool.map(self._there, distinct.values()), strict=True)
                    if not there
                ]
                self.total = sum(layer.blob.size for layer in missing)
                for _ in pool.map(self._layer, missing):
                    pass
            except BaseException:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                raise
        self.blob(image.id, image.config, "the image's config")

    def blob(self, digest: str, content: bytes, what: str) -> None:
        """A small blob from memory."""
        if not self.has(f"blobs/{digest}", what):
            begun = self._client.send("POST", self._client.path("blobs/uploads/"), what)
            self._client.send("PUT", _ended(begun, digest), what, body=content, headers=_octets(len(content)))
            self.sent += len(content)

    def manifest(self, name: str, content: bytes, media_type: str) -> httpx2.Response:
        """A manifest under a tag or its digest."""
        path = self._client.path(f"manifests/{name}")
        return self._client.send("PUT", path, "the manifest", body=content, headers={"Content-Type": media_type})

    def attach(self, image: oci.Image, attachment: Attachment) -> None:
        """A document that names the image as its subject; by a tag of the image's digest where the registry does not
        know such a thing.
        """
        what, digest = f"the image's {attachment.name}", oci.digest(attachment.content)
        empty = b"{}"
        content = oci.canonical(
            {
                "schemaVersion": 2,
                "mediaType": oci.MANIFEST,
                "artifactType": attachment.kind,
                "config": {"mediaType": EMPTY, "digest": oci.digest(empty), "size": len(empty)},
                "layers": [
                    {
                        "mediaType": attachment.kind,
                        "digest": digest,
                        "size": len(attachment.content),
                        "annotations": {"org.opencontainers.image.title": attachment.name},
                    }
                ],
                "subject": {"mediaType": oci.MANIFEST, "digest": image.digest, "size": len(image.manifest)},
            }
        )
        if not self.has(f"manifests/{oci.digest(content)}", what):
            self.blob(oci.digest(empty), empty, what)
            self.blob(digest, attachment.content, what)
        # Written in any case: the answer says who lists it, and a push before may have ended between this and the list.
        answer = self.manifest(oci.digest(content), content, oci.MANIFEST)
        if answer.headers.get("oci-subject") != image.digest:
            descriptor = {"mediaType": oci.MANIFEST, "digest": oci.digest(content), "size": len(content)}
            self._list(image.digest, {**descriptor, "artifactType": attachment.kind})

    def _list(self, subject: str, descriptor: Object) -> None:
        """Add to the index that the tag schema of referrers names: sha256-<the subject's>. What others have attached
        stays, also what is attached while we write: it is looked at again.
        """
        path = self._client.path(f"manifests/{subject.replace(':', '-')}")
        what = "the list of attachments"
        for _ in range(ATTEMPTS):
            answer = self._client.send("GET", path, what, headers={"Accept": INDEX}, expected={404})
            listed: list[Object] = answer.json().get("manifests", []) if answer.is_success else []
            if any(found.get("digest") == descriptor["digest"] for found in listed):
                return
            index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [*listed, descriptor]}
            self._client.send("PUT", path, what, body=oci.canonical(index), headers={"Content-Type": INDEX})

    def _there(self, layer: oci.Layer) -> bool:
        return self.has(f"blobs/{layer.digest}", "a layer")

    def _layer(self, layer: oci.Layer) -> None:
        """Mount a layer, or send it; cut off, go on where the registry says that it was, as long as that helps."""
        begun = self._begin(layer)
        if begun.status_code == httpx2.codes.CREATED:
            self._count(layer.blob.size)
            return
        upload = _Upload(self._client, layer, begun, self._count, self._stop)
        failures = 0
        while True:
            before = upload.arrived
            try:
                upload.go_on()
                break
            except Lost as lost:
                failures = 1 if upload.arrived > before else failures + 1
                if failures == ATTEMPTS or self._stop.is_set():
                    raise lost.error from lost.__cause__
                self._told.say(f"{lost.error.message}; trying again")
                time.sleep(pause(failures, lost.after))
                upload.resume()
        with self._lock:
            self.sent += layer.blob.size
            self.count += 1

    def _begin(self, layer: oci.Layer) -> httpx2.Response:
        path = self._client.path("blobs/uploads/")
        if source := self._known.source(layer.digest, self._client.repository.name):
            asked = f"{path}?{urlencode({'mount': layer.digest, 'from': source})}"
            # Some refuse where we may not read the other repository, instead of beginning an upload.
            answer = self._client.send("POST", asked, "a layer", expected={400, 401, 403, 404, 405})
            if answer.is_success:
                return answer
        return self._client.send("POST", path, "a layer")

    def _count(self, size: int) -> None:
        with self._lock:
            self._moved += size
            self._told.say(f"{self._moved / 2**20:.0f} of {self.total / 2**20:.0f} MiB")


class _Upload:
    """One layer on its way: whole at first, in chunks after a cut or where the whole is too large."""

    def __init__(
        self,
        client: Client,
        layer: oci.Layer,
        begun: httpx2.Response,
        count: Callable[[int], None],
        stop: threading.Event,
    ) -> None:
        self._client = client
        self._layer = layer
        self._location = begun.headers.get("location", "")
        self._whole = True
        self._count = count
        self._stop = stop
        self._what = f"a layer of {layer.blob.size / 2**20:.1f} MiB"
        self.arrived = 0

    def go_on(self) -> None:
        """Send what is left.

        Raises:
            Lost: cut off; `resume` finds out where.
            PushFailed: refused.
        """
        size = self._layer.blob.size
        if self._whole:
            answer = self._client.once(
                "PUT",
                _ended(self._location, self._layer.digest),
                self._what,
                body=self._bytes(0, size),
                headers=_octets(size),
                expected={413},
            )
            if answer.is_success:
                return
            self.resume()
        while self.arrived < size:
            end = min(self.arrived + _CHUNK, size)
            headers = {**_octets(end - self.arrived), "Content-Range": f"{self.arrived}-{end - 1}"}
            answer = self._client.once(
                "PATCH", self._location, self._what, body=self._bytes(self.arrived, end), headers=headers
            )
            self._location = answer.headers.get("location", self._location)
            self.arrived = end
        self._client.once("PUT", _ended(self._location, self._layer.digest), self._what, headers=_octets(0))

    def resume(self) -> None:
        """Ask how much has arrived; where the registry does not know any more, begin anew. From now on in chunks."""
        self._whole = False
        answer = self._client.send("GET", self._location, self._what, expected={400, 404, 405, 416, 500, 501})
        end = answer.headers.get("range", "").rpartition("-")[2]
        if answer.is_success and end.isdigit():
            self.arrived = int(end) + 1 if int(end) else 0
            self._location = answer.headers.get("location", self._location)
        else:
            self.arrived = 0
            path = self._client.path("blobs/uploads/")
            self._location = self._client.send("POST", path, self._what).headers.get("location", "")

    def _bytes(self, start: int, end: int) -> Body:
        blob = self._layer.blob

        def pieces() -> Iterator[bytes]:
            for piece in blobs.pieces(Blob(blob.path, blob.offset + start, end - start), _PIECE):
                if self._stop.is_set():
                    raise PushFailed("another layer could not be sent")
                self._count(len(piece))
                yield piece

        return pieces


class _Known:
    """Which repository of a registry was seen to have which layers; kept, so that the next repository mounts them."""

    def __init__(self, registry: str) -> None:
        self._path = cache() / "pushed" / f"{registry.replace(':', '-')}.json"
        try:
            self._layers: dict[str, str] = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            self._layers = {}

    def repositories(self, digests: Iterable[str]) -> set[str]:
        return {self._layers[digest] for digest in digests if digest in self._layers}

    def source(self, digest: str, name: str) -> str:
        """The repository to mount from, if it is another one."""
        return found if (found := self._layers.get(digest, "")) != name else ""

    def remember(self, name: str, digests: Sequence[str]) -> None:
        kept = {**self._layers, **dict.fromkeys(digests, name)}
        if kept != self._layers:
            files.replace(self._path, json.dumps(dict(list(kept.items())[-1000:])))


def _ended(upload: httpx2.Response | str, digest: str) -> str:
    location = upload if isinstance(upload, str) else upload.headers.get("location", "")
    return location + ("&" if "?" in location else "?") + urlencode({"digest": digest})


def _octets(size: int) -> dict[str, str]:
    return {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
