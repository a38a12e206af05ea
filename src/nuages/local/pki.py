"""Certificates, keys and kubeconfigs of a cluster, made by kubeadm: the same that a kubeadm cluster has."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from nuages.app.objects import Object
from nuages.host import files
from nuages.host.command import run
from nuages.local.kubeconfig import write

# kubeconfigs beyond kubeadm's own: file -> the user its certificate names
CLIENTS = {"kube-proxy.conf": "system:kube-proxy", "agent.conf": "nuages:agent"}


def make(kubeadm: Path, config: list[Object], etc: Path) -> None:
    """Make what is missing in `etc`; `config` names that same folder as `certificatesDir`."""
    file = etc / "kubeadm.yaml"
    file.write_text("---\n".join(json.dumps(document, indent=2) + "\n" for document in config))
    run([kubeadm, "init", "phase", "certs", "all", f"--config={file}"])
    run([kubeadm, "init", "phase", "kubeconfig", "all", f"--config={file}", f"--kubeconfig-dir={etc}"])
    for name, user in CLIENTS.items():
        made = run([kubeadm, "kubeconfig", "user", f"--client-name={user}", f"--config={file}"])
        files.replace(etc / name, made, mode=0o600)


def kubeconfig(made: str, context: str, server: str) -> Object:
    """The administrator's kubeconfig with one context, cluster and user, all of this name.

    Args:
        made: kubeadm's super-admin.conf; its right comes from the group system:masters, without any object.
        context: what kubectl's --context and kubectx show.
        server: the API server's address.
    """
    content: Object = yaml.safe_load(made)
    cluster = {**content["clusters"][0]["cluster"], "server": server}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [{"name": context, "cluster": cluster}],
        "users": [{"name": context, "user": content["users"][0]["user"]}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
    }


def write_kubeconfig(etc: Path, to: Path, context: str, server: str) -> None:
    """Write the administrator's kubeconfig, readable for its owner only; it appears whole or not at all."""
    write(to, kubeconfig((etc / "super-admin.conf").read_text(), context, server))
