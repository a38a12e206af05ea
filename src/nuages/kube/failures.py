"""From what the API server answers to the errors of `nuages.errors`. Pure.

Reasons: https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#StatusReason
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from nuages.errors import ClusterError, Conflict, Forbidden, Gone, Rejected, Unreachable


class Asked(NamedTuple):
    """What was asked of the cluster, for the words of an error."""

    verb: str
    kind: str
    name: str = ""
    namespace: str | None = None

    def __str__(self) -> str:
        where = "/".join(filter(None, (self.namespace, self.name)))
        return f"{self.verb} {self.kind} {where}".strip()


class Field(NamedTuple):
    """A field that another manager owns, as in `.spec.replicas`."""

    path: str
    manager: str


class FieldConflict(Conflict):
    """Server-side apply was refused: `fields` says which fields belong to whom. The caller decides what is forced."""

    def __init__(self, asked: Asked, fields: tuple[Field, ...]) -> None:
        """Name every field with its owner."""
        owned = "; ".join(f"{field.path} is set by {field.manager}" for field in fields)
        super().__init__(
            f"cannot {asked}: {owned}",
            hint="undo the change that was made by hand, or say the wanted value in nuages.yaml",
        )
        self.fields = fields

    def only(self, allowed: frozenset[str]) -> bool:
        """Whether every field in conflict is one that may be taken over."""
        return all(field.path in allowed for field in self.fields)

    def by(self, manager: str) -> bool:
        """Whether all of them belong to this very manager, who wrote them by another verb than apply."""
        return all(field.manager == manager for field in self.fields)


class AlreadyExists(Gone):
    """What was to be created is there: someone else was faster."""


class Overtaken(Gone):
    """The object was changed in between."""


class Expired(Gone):
    """A resourceVersion is too old to go on from; list again."""


class Later(Unreachable):
    """The API server is there and asks to come again; `after` is in how many seconds, where it says so."""

    def __init__(self, message: str, *, after: float | None = None, hint: str = "") -> None:
        """Keep what Retry-After says."""
        super().__init__(message, hint=hint)
        self.after = after


_CANNOT = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]*)")?'
)
_MANAGER = re.compile(r'conflict with "(?P<manager>[^"]*)"(?: with subresource "(?P<subresource>[^"]*)")?')


def failure(code: int, body: bytes, asked: Asked, retry_after: str | None = None) -> ClusterError:
    """Turn an answer that is no success into the error it means."""
    status = _status(body)
    # The API server says some things in plain words (404 of a path that it lacks, 429), and never in HTML.
    between = _BETWEEN if not status and (body.lstrip()[:1] == b"<" or code in {403, 502}) else ""
    if 300 <= code < 400 or code == 407:
        return Rejected(f"cannot {asked}: HTTP {code}, which no API server answers", hint=_BETWEEN)
    reason, causes = status.get("reason", ""), (status.get("details") or {}).get("causes") or []
    # A message is one line; the server puts a dump of both objects behind some.
    first, _, rest = _public(status.get("message") or "", asked).partition("\n")
    said = first.rstrip(": ") or f"HTTP {code}"
    if code == 401:
        return Forbidden(
            "the cluster does not know who we are (401): the credentials have expired or belong to another cluster",
            hint="log in again as your cluster's provider says; kubectl auth whoami tries the same credentials",
        )
    if code == 403:
        return _forbidden(said, asked, between, _behind(rest))
    if code == 429 or code >= 500:
        after = float(retry_after) if retry_after and retry_after.isdigit() else None
        return Later(f"cannot {asked} for now: {said}", after=after, hint=between)
    if code == 410 or reason in {"Expired", "Gone"}:
        return Expired(f"cannot {asked}: {said}")
    if reason == "AlreadyExists":
        return AlreadyExists(f"cannot {asked}: it is there already")
    if code == 409:
        fields = tuple(_field(cause) for cause in causes if cause.get("reason") == "FieldManagerConflict")
        return FieldConflict(asked, fields) if fields else Overtaken(f"cannot {asked}: {said}")
    if code == 404:
        return Gone(f"cannot {asked}: it is not there ({said})")
    if b"HTTP request to an HTTPS server" in body:
        between = "the kubeconfig says http:// and the API server speaks https://"
    return Rejected(f"cannot {asked}: {said}", detail=_listed(causes, asked) or _behind(rest), hint=between)


_BETWEEN = "no API server says it so: is a proxy, a load balancer or a page to log in between?"
_SHOWN = 20  # lines of what a policy has to say


def _behind(rest: str) -> str:
    """The lines behind a message's first, where they are words (a policy's reasons) and no dump of two objects."""
    lines = [line for line in rest.splitlines() if line.strip()]
    return "" if any(line.startswith("@@") for line in lines) else "\n".join(lines[:_SHOWN])


def _status(body: bytes) -> dict[str, Any]:
    """The Status object of an answer; a proxy on the way may answer something else, which is not shown."""
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) and document.get("kind") == "Status" else {}


def _public(message: str, asked: Asked) -> str:
    """What may be shown: the server quotes invalid values, and those of a Secret are secret."""
    return "" if asked.kind == "Secret" and "forbidden" not in message else message


def _listed(causes: list[dict[str, Any]], asked: Asked) -> str:
    """One line per fault with the field's path."""
    return "\n".join(
        f"{cause.get('field', '')}: {_public(cause.get('message', ''), asked) or cause.get('reason', '')}"
        for cause in causes
    )


def _field(cause: dict[str, Any]) -> Field:
    found = _MANAGER.search(cause.get("message", ""))
    manager = found["manager"] if found else "another manager"
    if found and found["subresource"]:
        manager += f" ({found['subresource']})"
    return Field(cause.get("field", ""), manager)


def _forbidden(said: str, asked: Asked, between: str, behind: str) -> ClusterError:
    """For a missing right, the rule that would grant it; a refusal by admission (quota, Pod Security) is none."""
    missing = _CANNOT.search(said)
    if missing is None:
        if "because it is being terminated" in said:
            return Rejected(
                f"cannot {asked}: the namespace is being deleted", hint="wait until it is gone, and try again"
            )
        return Rejected(f"cannot {asked}: {said}", hint=between, detail=behind)
    if missing["user"] == "system:anonymous":
        return Forbidden(
            f"the cluster does not know who we are: it takes us for {missing['user']}",
            hint="the context's user has no credentials: log in again as your cluster's provider says",
        )
    rule = f'{{apiGroups: ["{missing["group"]}"], resources: ["{missing["resource"]}"], verbs: ["{missing["verb"]}"]}}'
    role = f"a Role in namespace {missing['namespace']}" if missing["namespace"] else "a ClusterRole"
    place = f" in namespace {missing['namespace']}" if missing["namespace"] else ""
    return Forbidden(
        f"{missing['user']} may not {missing['verb']} {missing['resource']}{place}",
        hint=f"{role} with this rule would do: {rule}; nuages doctor --role prints all that a release takes",
    )
