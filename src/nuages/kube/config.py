"""Which cluster is meant and how to prove who we are: kubeconfig files, merged as kubectl merges them.

lightkube parses and connects; this adds what it lacks: several files in KUBECONFIG (the first to name a thing wins,
https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/), `proxy-url`, and plain errors.
"""

from __future__ import annotations

import hashlib
import os
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nuages.errors import UsageError

if TYPE_CHECKING:
    from lightkube import SingleConfig

IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


class Access(NamedTuple):
    """Everything needed to talk to one cluster as one user."""

    config: SingleConfig
    exec: dict[str, Any] | None = None
    proxy: str | None = None

    @property
    def context(self) -> str:
        """The context's name in the kubeconfig."""
        return self.config.context_name

    @property
    def server(self) -> str:
        """The API server's URL."""
        return self.config.cluster.server

    @property
    def identity(self) -> str:
        """Names the cluster without any right in it: the digest of its CA certificate, else of its URL."""
        cluster = self.config.cluster
        if cluster.certificate_auth_data:
            source = b64decode(cluster.certificate_auth_data)
        elif cluster.certificate_auth:
            source = _authority(Path(cluster.certificate_auth))
        else:
            source = cluster.server.encode()
        return "sha256:" + hashlib.sha256(source.strip()).hexdigest()


def load(kubeconfig: Path | None = None, context: str | None = None) -> Access:
    """Take a context from the file given, else $KUBECONFIG, else ~/.kube/config, else the pod's own account.

    Raises:
        UsageError: no file, no such context, or a context that points nowhere.
    """
    # lightkube costs as much to import as `nuages --help` may take as a whole.
    from lightkube import ConfigError, KubeConfig  # noqa: PLC0415
    from lightkube.config.models import User  # noqa: PLC0415

    files = [kubeconfig] if kubeconfig else _default_files()
    found = [file for file in files if file.is_file()]
    if not found:
        if not kubeconfig and (IN_CLUSTER / "token").is_file():
            config = KubeConfig.from_service_account(IN_CLUSTER).get()
            assert config is not None  # noqa: S101 - the account is its current context
            return Access(config)
        raise UsageError(
            f"no kubeconfig: {' or '.join(map(str, files))} is not there",
            hint="nuages cluster up makes a local cluster; $KUBECONFIG names a file",
        )
    document = merged([(file, _read(file)) for file in found])
    named = context or document.get("current-context")
    contexts = _by_name(document["contexts"], "context")
    if not named:
        raise UsageError("the kubeconfig has no current context", hint=f"--context one of: {', '.join(contexts)}")
    place = ":".join(map(str, found))
    if named not in contexts:
        raise UsageError(f"no context {named} in {place}", hint=f"there are: {', '.join(contexts) or 'none'}")
    try:
        config = KubeConfig.from_dict(document, fname=found[0]).get(named)
    except (ConfigError, KeyError) as error:
        raise UsageError(f"context {named} in {place} is incomplete: {error}") from error
    assert config is not None  # noqa: S101 - `named` is one of its contexts
    config = config._replace(user=config.user or User())  # a context may have none, as behind kubectl proxy
    user = _by_name(document["users"], "user").get(config.context.user or "", {})
    cluster = _by_name(document["clusters"], "cluster")[config.context.cluster]
    return Access(config, user.get("exec"), cluster.get("proxy-url"))


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
    import yaml  # noqa: PLC0415

    try:
        document = yaml.load(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except (OSError, yaml.YAMLError) as error:
        # The parser's message quotes the text around the fault, which may be a token: only its kind is told.
        raise UsageError(f"{file} cannot be read as a kubeconfig: {type(error).__name__}") from None
    if not isinstance(document, dict):
        raise UsageError(f"{file} is not a kubeconfig")
    return document


def _authority(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"the cluster's certificate authority cannot be read: {error}") from error


def _absolute(entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    paths: dict[str, Any] = {key: str(folder.absolute() / entry[key]) for key in _FILES if entry.get(key)}
    plugin = entry.get("exec")
    if plugin and "/" in plugin["command"]:
        paths["exec"] = {**plugin, "command": str(folder.absolute() / plugin["command"])}
    return {**entry, **paths}


def _by_name(entries: list[dict[str, Any]], body: str) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry[body] for entry in entries}
