"""A cluster as nuages sees it: plain dicts in and out, one method per verb.

Connecting, authentication and TLS are in `config`, `tls`, `signing` and `transport`; errors are those of `errors`.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.parse import quote

import msgspec

from nuages.app.objects import Object
from nuages.errors import Forbidden, Rejected
from nuages.kube import channels
from nuages.kube.config import load
from nuages.kube.failures import Asked, FieldConflict, Overtaken, failure
from nuages.kube.forward import Tunnel, dug
from nuages.kube.kinds import DISCOVERY_TYPE, KNOWN, Resource, discovered
from nuages.kube.stamped import stamped
from nuages.kube.streams import Stream, opened

if TYPE_CHECKING:
    import httpx2

MANAGER = "nuages"
Selector = str | Mapping[str, str]

_PAGE = 500  # objects a list request brings; kubectl's own size
_CROWDED = 3  # attempts to apply what others write at the same moment
_WATCH = 60  # seconds after which a watch is renewed, so that a silent dead connection is found out soon
_NOT_THERE = frozenset({404})


class ObjectList(NamedTuple):
    """What a list request found, and the version from which a watch goes on; "" where none can, as of metrics."""

    items: list[Object]
    resource_version: str


class Event(msgspec.Struct, frozen=True):
    """One message of a watch: ADDED, MODIFIED, DELETED, or BOOKMARK (only its resourceVersion counts)."""

    type: str
    object: Object


class Cluster:
    """One API server as one user. `async with Cluster.connect(...) as cluster`; nothing is sent before the first call.

    Kinds are named as in objects ("Deployment"); one that nuages does not know is found by discovery.
    Every method raises `ClusterError`s: Unreachable, Forbidden, Rejected, Gone, and `apply` Conflict.
    """

    def __init__(self, kubeconfig: Path | None = None, context: str | None = None) -> None:
        """See `connect`."""
        from nuages.kube.transport import Transport  # noqa: PLC0415 - httpx is slow to import

        access = load(kubeconfig, context)
        self.kubeconfig = kubeconfig
        self.context = access.context
        self.server = access.server
        self.identity = access.identity
        self.namespace = access.namespace
        self._transport = Transport(access)
        self._kinds: dict[tuple[str, str], Resource] = {}

    @classmethod
    def connect(cls, kubeconfig: Path | None = None, context: str | None = None) -> Self:
        """Read the kubeconfig (the file given, else as kubectl finds it) and take a context (else the current).

        Raises:
            UsageError: there is no such file or context.
        """
        return cls(kubeconfig, context)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.close()

    async def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        """Read one object; None where there is none."""
        resource = await self._resource(kind)
        response = await self._transport.send(
            "GET", resource.path(namespace, name), Asked("get", kind, name, namespace), expected=_NOT_THERE
        )
        return None if response.status_code in _NOT_THERE else _object(response)

    async def list(
        self,
        kind: str,
        namespace: str | None = None,
        labels: Selector | None = None,
        fields: Selector | None = None,
    ) -> ObjectList:
        """Read all objects of a kind, in one namespace or in all, page by page; what a selector lets through."""
        resource = await self._resource(kind)
        parameters = {"limit": str(_PAGE), **_selectors(labels, fields)}
        items: list[Object] = []
        while True:
            response = await self._transport.send(
                "GET", resource.path(namespace), Asked("list", kind, namespace=namespace), parameters=parameters
            )
            page = _object(response)
            # The API leaves kind and apiVersion out of a list's items; every object here says what it is.
            items += [{"apiVersion": resource.api_version, "kind": kind, **item} for item in page["items"] or ()]
            if not page["metadata"].get("continue"):
                return ObjectList(items, page["metadata"].get("resourceVersion", ""))
            parameters["continue"] = page["metadata"]["continue"]

    async def apply(self, obj: Object, *, force: bool = False, dry_run: bool = False, manager: str = MANAGER) -> Object:
        """Make exactly these fields so (server-side apply, as that manager); fields not named stay with who owns them.

        What the same manager has patched (an environment that was put to sleep) is a conflict to the API server, which
        tells managers apart by what they do, too
        (https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers): that is taken over.

        Raises:
            FieldConflict: another manager owns some of the fields; nothing was changed. `force` takes them over.
        """
        resource, asked, path = await self._locate("apply", obj)
        parameters = {"fieldManager": manager, "force": str(force).lower(), **({"dryRun": "All"} if dry_run else {})}
        body = msgspec.json.encode({"apiVersion": resource.api_version, **obj})
        for attempt in range(1, _CROWDED + 1):
            try:
                response = await self._transport.send(
                    "PATCH",
                    path,
                    asked,
                    parameters=parameters,
                    body=body,
                    content_type="application/apply-patch+yaml",
                )
            except Overtaken:
                # No version was given, so nothing of ours is late: others wrote more often than the server tries.
                if attempt == _CROWDED:
                    raise
            except FieldConflict as conflict:
                if force or not conflict.by(manager):
                    raise
                return await self.apply(obj, force=True, dry_run=dry_run, manager=manager)
            else:
                break
        return _object(response)

    async def create(self, obj: Object, *, dry_run: bool = False) -> Object:
        """Make an object that is not there yet; the API server lets only one of several win.

        Raises:
            AlreadyExists: it is there.
        """
        resource, asked, _ = await self._locate("create", obj)
        response = await self._transport.send(
            "POST",
            resource.path(asked.namespace),
            asked,
            parameters={"fieldManager": MANAGER, **({"dryRun": "All"} if dry_run else {})},
            body=msgspec.json.encode(obj),
            idempotent=False,
        )
        return _object(response)

    async def replace(self, obj: Object) -> Object:
        """Write a whole object that was read before; its resourceVersion must still be the current one.

        Raises:
            Gone: it was changed or deleted since.
        """
        _, asked, path = await self._locate("replace", obj)
        if not obj["metadata"].get("resourceVersion"):
            raise Rejected(f"cannot {asked}: it has no resourceVersion, so a change in between would be lost")
        response = await self._transport.send(
            "PUT", path, asked, parameters={"fieldManager": MANAGER}, body=msgspec.json.encode(obj), idempotent=False
        )
        return _object(response)

    async def patch_merge(self, kind: str, namespace: str | None, name: str, patch: Object) -> Object:
        """Change some fields (RFC 7396); with metadata.resourceVersion in the patch only of that very version.

        Raises:
            Gone: there is no such object, or it is of another version.
        """
        resource = await self._resource(kind)
        response = await self._transport.send(
            "PATCH",
            resource.path(namespace, name),
            Asked("patch", kind, name, namespace),
            parameters={"fieldManager": MANAGER},
            body=msgspec.json.encode(patch),
            content_type="application/merge-patch+json",
            idempotent="resourceVersion" not in patch.get("metadata", {}),
        )
        return _object(response)

    async def delete(
        self, kind: str, namespace: str | None, name: str, *, uid: str | None = None, propagation: str = "Background"
    ) -> bool:
        """Delete an object, and with a uid only that very one; False where it was not there.

        Raises:
            Gone: the name now belongs to an object with another uid.
        """
        resource = await self._resource(kind)
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        response = await self._transport.send(
            "DELETE",
            resource.path(namespace, name),
            Asked("delete", kind, name, namespace),
            body=msgspec.json.encode({**options, **({"preconditions": {"uid": uid}} if uid else {})}),
            expected=_NOT_THERE,
        )
        return response.status_code not in _NOT_THERE

    async def watch(
        self,
        kind: str,
        namespace: str | None = None,
        labels: Selector | None = None,
        resource_version: str = "",
        fields: Selector | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Follow the changes after a version; ends after about a minute, to be called again from the last version seen.

        Raises:
            Expired: the version is too old; list again.
        """
        resource = await self._resource(kind)
        parameters = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(_WATCH),
            **_selectors(labels, fields),
        }
        asked = Asked("watch", kind, namespace=namespace)
        async with self._transport.lines(resource.path(namespace), asked, parameters, silence=_WATCH + 10) as lines:
            async for line in lines:
                event = msgspec.json.decode(line, type=Event)
                if event.type == "ERROR":
                    raise failure(int(event.object.get("code", 500)), msgspec.json.encode(event.object), asked)
                yield event

    async def logs(
        self, namespace: str, pod: str, container: str | None = None, *, tail: int | None = None, previous: bool = False
    ) -> str:
        """Read a container's log, the last `tail` lines or all; of its previous run where asked."""
        parameters = {
            **({"container": container} if container else {}),
            **({"tailLines": str(tail)} if tail is not None else {}),
            **({"previous": "true"} if previous else {}),
        }
        response = await self._transport.send(
            "GET",
            KNOWN["Pod"].path(namespace, pod) + "/log",
            Asked("read the log of", "Pod", pod, namespace),
            parameters=parameters,
            accept="*/*",
        )
        return response.content.decode(errors="replace")

    async def followed(self, namespace: str, pod: str, container: str) -> AsyncGenerator[str, None]:
        """A container's log from its first line on, until it ends."""
        path, asked = KNOWN["Pod"].path(namespace, pod) + "/log", Asked("follow the log of", "Pod", pod, namespace)
        parameters = {"container": container, "follow": "true"}
        async with self._transport.lines(path, asked, parameters, silence=None) as lines:
            async for line in lines:
                yield line

    async def log_lines(
        self, namespace: str, pod: str, container: str, **wanted: str
    ) -> AsyncIterator[Sequence[tuple[str, str]]]:
        """A container's log as (time, line), as many at once as arrived together; what is not UTF-8 is shown as such.

        Args:
            namespace: of the pod.
            pod: its name.
            container: one of its containers.
            wanted: the API's own parameters: tailLines, sinceSeconds, sinceTime, previous; with follow until the
                container ends, or the connection does.
        """
        path, asked = KNOWN["Pod"].path(namespace, pod) + "/log", Asked("read the log of", "Pod", pod, namespace)
        parameters = {"container": container, "timestamps": "true", **wanted}
        rest = b""
        async with self._transport.chunks(
            path, asked, parameters, silence=None if "follow" in wanted else _WATCH
        ) as chunks:
            async for chunk in chunks:
                *lines, rest = (rest + chunk).split(b"\n")
                if lines:
                    yield [stamped(line) for line in lines]
        if rest:
            yield [stamped(rest)]

    @contextlib.asynccontextmanager
    async def attached(
        self, namespace: str, pod: str, container: str, *, stdin: bool, tty: bool
    ) -> AsyncIterator[Stream]:
        """Be connected to a running container's own streams; a terminal has one stream for output and errors."""
        path, asked = KNOWN["Pod"].path(namespace, pod) + "/attach", Asked("attach to", "Pod", pod, namespace)
        parameters = channels.wanted(container, stdin=stdin, tty=tty)
        async with opened(await self._transport.way(), path, parameters, asked) as stream:
            yield stream

    @contextlib.asynccontextmanager
    async def entered(
        self, namespace: str, pod: str, container: str, command: Sequence[str], *, stdin: bool, tty: bool
    ) -> AsyncIterator[Stream]:
        """Start a command in a container that runs, and be connected to it; the stream tells its exit code."""
        path, asked = KNOWN["Pod"].path(namespace, pod) + "/exec", Asked("run a command in", "Pod", pod, namespace)
        parameters = channels.wanted(container, stdin=stdin, tty=tty, command=command)
        async with opened(await self._transport.way(), path, parameters, asked) as stream:
            yield stream

    @contextlib.asynccontextmanager
    async def tunnel(self, namespace: str, pod: str, port: int) -> AsyncIterator[Tunnel]:
        """Be connected to a port of a pod, from its inside: to what listens on its own address and on localhost."""
        path, asked = KNOWN["Pod"].path(namespace, pod) + "/portforward", Asked("forward to", "Pod", pod, namespace)
        async with dug(await self._transport.way(), path, port, asked) as made:
            yield made

    async def service_get(self, namespace: str, service: str, port: int | str, path: str) -> tuple[int, bytes]:
        """GET a path of a Service through the API server; what the pod answers, or 503 where no pod is ready."""
        return await self._through("Service", namespace, service, port, path)

    async def pod_get(self, namespace: str, pod: str, port: int, path: str) -> tuple[int, bytes]:
        """GET a path of one pod through the API server; what it answers, or 503 where it is not reached."""
        return await self._through("Pod", namespace, pod, port, path)

    async def _through(self, kind: str, namespace: str, name: str, port: int | str, path: str) -> tuple[int, bytes]:
        """https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls"""
        target = f"{KNOWN[kind].path(namespace, f'{name}:{port}')}/proxy/{quote(path.lstrip('/'), safe='/?=&')}"
        asked = Asked("get through the API server from", kind, name, namespace)
        response = await self._transport.send("GET", target, asked, accept="*/*", expected=frozenset(range(300, 600)))
        if response.status_code in {401, 403}:
            refused = failure(response.status_code, response.content, asked)
            if isinstance(refused, Forbidden) and b'"Status"' in response.content:
                raise refused
        return response.status_code, response.content

    async def review(self, kind: str, spec: Object | None = None) -> Object:
        """Ask the API server about ourselves, and nothing is kept: SelfSubjectReview, SelfSubjectAccessReview."""
        resource = KNOWN[kind]
        body = {"apiVersion": resource.api_version, "kind": kind, "metadata": {}, **({"spec": spec} if spec else {})}
        response = await self._transport.send(
            "POST", resource.path(None), Asked("ask for a", kind), body=msgspec.json.encode(body)
        )
        status: Object = _object(response)["status"]
        return status

    async def clock(self) -> str:
        """What time it is there, as HTTP's Date says it, to the second; "" where it says none."""
        response = await self._transport.send("GET", "/version", Asked("read", "version"))
        return str(response.headers.get("Date", ""))

    async def version(self) -> str:
        """The server's version, as in v1.34.10."""
        response = await self._transport.send("GET", "/version", Asked("read", "version"))
        return str(_object(response).get("gitVersion") or _nobody(response))

    async def _locate(self, verb: str, obj: Object) -> tuple[Resource, Asked, str]:
        """Where an object lives, and how an error names it."""
        resource = await self._resource(obj["kind"], obj.get("apiVersion", ""))
        name, namespace = obj["metadata"]["name"], obj["metadata"].get("namespace")
        return resource, Asked(verb, obj["kind"], name, namespace), resource.path(namespace, name)

    async def _resource(self, kind: str, api_version: str = "") -> Resource:
        """Look a kind up: in the table, in what was discovered before, by discovery."""
        known = KNOWN.get(kind)
        if known and api_version in {"", known.api_version}:
            return known
        if (kind, api_version) not in self._kinds:
            asked = Asked("discover", kind)
            response = await self._transport.send("GET", "/apis", asked, accept=DISCOVERY_TYPE)
            for resource in reversed(discovered(_object(response))):
                self._kinds[resource.kind, resource.api_version] = self._kinds[resource.kind, ""] = resource
        if (kind, api_version) not in self._kinds:
            raise Rejected(
                f"the cluster knows no {kind}{f' in {api_version}' if api_version else ''}",
                hint="the custom resource definition it belongs to is not installed",
            )
        return self._kinds[kind, api_version]


def _object(response: httpx2.Response) -> Object:
    try:
        decoded: Object = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        return _nobody(response)
    return decoded


def _nobody(response: httpx2.Response) -> Object:
    """An answer that is a success, and of no API server."""
    raise Rejected(
        f"what answers at {response.url.host} is no API server: HTTP {response.status_code} without an object in it",
        hint="is a page to log in between, or the context's server another one's address?",
    )


def _selectors(labels: Selector | None, fields: Selector | None) -> dict[str, str]:
    given = {"labelSelector": labels, "fieldSelector": fields}
    return {
        name: value if isinstance(value, str) else ",".join(f"{key}={wanted}" for key, wanted in value.items())
        for name, value in given.items()
        if value
    }
