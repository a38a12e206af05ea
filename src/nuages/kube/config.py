"""Which cluster is meant and who we are there: kubeconfig files, merged as kubectl merges them.

Several files in KUBECONFIG: the first to name a thing wins
(https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/). Nothing here is slow to import:
every command that asks a cluster waits for it.
"""

from __future__ import annotations

import os
from base64 import b64decode
from pathlib import Path
from typing import Any, NamedTuple

from nuages.errors import UsageError
from nuages.kube import plain

IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
IMPERSONATES = ("as", "as-uid", "as-groups", "as-user-extra")
"""By which of its fields a user acts as somebody else, mostly to have fewer rights."""

ANEW = "write the kubeconfig anew, as your cluster's provider says"
_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


class Access(NamedTuple):
    """Everything needed to talk to one cluster as one user; cluster and user are the kubeconfig's own entries."""

    context: str
    """The context's name in the kubeconfig."""
    cluster: dict[str, Any]
    user: dict[str, Any]
    namespace: str | None = None

    @property
    def server(self) -> str:
        """The API server's URL."""
        return str(self.cluster["server"])

    @property
    def exec(self) -> dict[str, Any] | None:
        """The program that proves who we are, where one does."""
        return self.user.get("exec")

    @property
    def proxy(self) -> str | None:
        """What lies between, where the kubeconfig says so."""
        return self.cluster.get("proxy-url")

    @property
    def authority(self) -> bytes | None:
        """The certificate authority of the cluster, in PEM; None where it is one that everybody knows.

        Raises:
            UsageError: its file cannot be read.
        """
        if data := self.cluster.get("certificate-authority-data"):
            try:
                return b64decode(data)
            except (ValueError, TypeError):
                raise UsageError(
                    f"context {self.context} cannot be used: its authority is no base64", hint=ANEW
                ) from None
        file = self.cluster.get("certificate-authority")
        return _authority(Path(file)) if file else None

    @property
    def identity(self) -> str:
        """Names the cluster without any right in it: the digest of its CA certificate, else of its URL."""
        import hashlib  # noqa: PLC0415 - it loads OpenSSL

        source = self.authority or self.server.encode()
        return "sha256:" + hashlib.sha256(source.strip()).hexdigest()


def load(kubeconfig: Path | None = None, context: str | None = None) -> Access:
    """Take a context from the file given, else $KUBECONFIG, else ~/.kube/config, else the pod's own account.

    Raises:
        UsageError: no file, no such context, or a context that points nowhere.
    """
    files = [kubeconfig] if kubeconfig else _default_files()
    found = [file for file in files if file.is_file()]
    if not found:
        if not kubeconfig and (IN_CLUSTER / "token").is_file():
            return _in_cluster()
        raise UsageError(
            f"no kubeconfig: {' or '.join(map(str, files))} is not there",
            hint="nuages cluster up makes a local cluster; $KUBECONFIG names a file",
        )
    document = merged([(file, _read(file)) for file in found])
    named = context or document.get("current-context")
    contexts = _by_name(document["contexts"], "context")
    if not named:
        there = f"--context one of: {', '.join(contexts)}" if contexts else "nuages cluster up makes a local cluster"
        raise UsageError("the kubeconfig has no current context", hint=there)
    place = ":".join(map(str, found))
    if named not in contexts:
        import difflib  # noqa: PLC0415 - only for what is typed wrong

        close = difflib.get_close_matches(named, contexts, n=1)
        there = f"did you mean {close[0]}?" if close else f"there are: {', '.join(contexts) or 'none'}"
        raise UsageError(f"no context {named} in {place}", hint=there)
    wanted = contexts[named]
    cluster = _by_name(document["clusters"], "cluster").get(str(wanted.get("cluster")))
    user = wanted.get("user")  # a context may have none, as behind kubectl proxy
    if cluster is None or not cluster.get("server"):
        raise UsageError(
            f"context {named} in {place} is incomplete: no cluster {wanted.get('cluster')} with a server", hint=ANEW
        )
    if not _is_address(str(cluster["server"])):
        raise UsageError(
            f"context {named} in {place} cannot be used: its server is no address: {cluster['server']}",
            hint="server: https://HOST:PORT, in the kubeconfig",
        )
    users = _by_name(document["users"], "user")
    if user and user not in users:
        raise UsageError(f"context {named} in {place} is incomplete: no user {user}", hint=ANEW)
    return Access(named, cluster, users[user] if user else {}, wanted.get("namespace"))


def _in_cluster() -> Access:
    """A pod's own account: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/"""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    server = f"https://{f'[{host}]' if ':' in host else host}:{port}"
    cluster = {"server": server, "certificate-authority": str(IN_CLUSTER / "ca.crt")}
    namespace = (IN_CLUSTER / "namespace").read_text().strip()
    return Access("default", cluster, {"tokenFile": str(IN_CLUSTER / "token")}, namespace)


def merged(documents: list[tuple[Path, dict[str, Any]]]) -> dict[str, Any]:
    """One document of several: of equal names the first holds, relative paths are those of their file."""
    result: dict[str, Any] = {"clusters": [], "contexts": [], "users": []}
    for file, document in documents:
        if document.get("current-context"):
            result.setdefault("current-context", document["current-context"])
        for key, body in (("clusters", "cluster"), ("contexts", "context"), ("users", "user")):
            known = {entry["name"] for entry in result[key]}
            result[key] += [
                {"name": entry["name"], body: _absolute(entry.get(body) or {}, file.parent)}
                for entry in document.get(key) or []
                if entry["name"] not in known
            ]
    return result


def _default_files() -> list[Path]:
    listed = [Path(part) for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return listed or [Path("~/.kube/config").expanduser()]


def _read(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text()
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read as a kubeconfig: {type(error).__name__}", hint=ANEW) from None
    if (simple := plain.read(text)) is not None:
        return _shaped(simple, file)
    import yaml  # noqa: PLC0415 - slow to import

    try:
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except yaml.YAMLError as error:
        # The parser's message quotes the text around the fault, which may be a token: only its kind is told.
        raise UsageError(f"{file} cannot be read as a kubeconfig: {type(error).__name__}", hint=ANEW) from None
    return _shaped(document, file)


def _shaped(document: object, file: Path) -> dict[str, Any]:
    """The document, where it is one: lists of entries, each with a name and a map.

    Raises:
        UsageError: it is something else; what stands in it is not quoted, as it may be a token.
    """
    if not isinstance(document, dict):
        raise UsageError(f"{file} is not a kubeconfig", hint=ANEW)
    for key, body in (("clusters", "cluster"), ("contexts", "context"), ("users", "user")):
        entries = document.get(key) or []
        if not isinstance(entries, list) or not all(
            isinstance(one, dict) and isinstance(one.get("name"), str) and isinstance(one.get(body) or {}, dict)
            for one in entries
        ):
            raise UsageError(f"{file} is not a kubeconfig: {key} is no list of a name and a {body} each", hint=ANEW)
    return document


def _is_address(server: str) -> bool:
    from urllib.parse import urlsplit  # noqa: PLC0415 - what reads a kubeconfig only needs none

    try:
        parts = urlsplit(server)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _authority(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"the cluster's certificate authority cannot be read: {error}", hint=ANEW) from error


def _absolute(entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    paths: dict[str, Any] = {key: str(folder.absolute() / entry[key]) for key in _FILES if entry.get(key)}
    plugin = entry.get("exec")
    if isinstance(plugin, dict) and "/" in (plugin.get("command") or ""):
        paths["exec"] = {**plugin, "command": str(folder.absolute() / plugin["command"])}
    return {**entry, **paths}


def _by_name(entries: list[dict[str, Any]], body: str) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry.get(body) or {} for entry in entries}
