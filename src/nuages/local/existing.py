"""A kind, k3d or minikube that is installed already, used through its own command line.

One small class for each answers the same questions, so that `nuages cluster` reads the same for all of them.
"""

from __future__ import annotations

import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from nuages.host.command import run


class Provider(ABC):
    """Somebody else's local Kubernetes."""

    program: ClassVar[str]

    def __init__(self, name: str) -> None:
        """Speak of the cluster of this name, whether it exists or not."""
        self.name = name

    @property
    @abstractmethod
    def context(self) -> str:
        """The context that it is called by."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether it has a cluster of this name."""

    @abstractmethod
    def create(self) -> None:
        """Create the cluster, or start it where it was stopped."""

    @abstractmethod
    def delete(self) -> None:
        """Delete the cluster."""

    @abstractmethod
    def load(self, archives: Sequence[Path]) -> None:
        """Load image archives into all its nodes."""

    @abstractmethod
    def kubeconfig(self) -> str:
        """The text of a kubeconfig that reaches it."""


class Kind(Provider):
    """https://kind.sigs.k8s.io/docs/user/quick-start/."""

    program = "kind"

    @property
    def context(self) -> str:
        """As `kind create cluster` names it."""
        return f"kind-{self.name}"

    def exists(self) -> bool:
        """One name a line."""
        return self.name in run(["kind", "get", "clusters"]).split()

    def create(self) -> None:
        """Wait for the control plane; the user's own kubeconfig stays as it is."""
        if not self.exists():
            run(["kind", "create", "cluster", "--name", self.name, "--wait=120s", "--kubeconfig", "/dev/null"])

    def delete(self) -> None:
        """Delete its containers."""
        run(["kind", "delete", "cluster", "--name", self.name])

    def load(self, archives: Sequence[Path]) -> None:
        """One archive at a time."""
        for archive in archives:
            run(["kind", "load", "image-archive", archive, "--name", self.name])

    def kubeconfig(self) -> str:
        """As kind prints it."""
        return run(["kind", "get", "kubeconfig", "--name", self.name])


class K3d(Provider):
    """https://k3d.io/stable/usage/commands/k3d_cluster/."""

    program = "k3d"

    @property
    def context(self) -> str:
        """As `k3d cluster create` names it."""
        return f"k3d-{self.name}"

    def exists(self) -> bool:
        """A list of objects, each with a name."""
        return any(one["name"] == self.name for one in json.loads(run(["k3d", "cluster", "list", "--output=json"])))

    def create(self) -> None:
        """The user's own kubeconfig stays as it is."""
        if self.exists():
            run(["k3d", "cluster", "start", self.name, "--wait"])
        else:
            run(["k3d", "cluster", "create", self.name, "--wait", "--kubeconfig-update-default=false"])

    def delete(self) -> None:
        """Delete its containers."""
        run(["k3d", "cluster", "delete", self.name])

    def load(self, archives: Sequence[Path]) -> None:
        """All archives at once."""
        run(["k3d", "image", "import", "--cluster", self.name, *archives])

    def kubeconfig(self) -> str:
        """As k3d prints it."""
        return run(["k3d", "kubeconfig", "get", self.name])


class Minikube(Provider):
    """https://minikube.sigs.k8s.io/docs/commands/: a profile is a cluster."""

    program = "minikube"

    @property
    def context(self) -> str:
        """The profile's name."""
        return self.name

    def exists(self) -> bool:
        """Profiles are listed as valid or invalid; without any profile minikube ends with an error, hence `--light`."""
        listed = json.loads(run(["minikube", "profile", "list", "--light", "--output=json"]))
        return any(one["Name"] == self.name for one in listed.get("valid") or [])

    def create(self) -> None:
        """`start` creates, starts again, or leaves as it is."""
        run(["minikube", "start", "--profile", self.name, "--keep-context", "--interactive=false"])

    def delete(self) -> None:
        """Delete the profile."""
        run(["minikube", "delete", "--profile", self.name])

    def load(self, archives: Sequence[Path]) -> None:
        """One archive at a time."""
        for archive in archives:
            run(["minikube", "image", "load", archive, "--profile", self.name])

    def kubeconfig(self) -> str:
        """Minikube only writes into kubectl's configuration; this is the part of it that is this cluster's."""
        return run(["kubectl", "config", "view", "--context", self.name, "--minify", "--flatten"])


PROVIDERS: dict[str, type[Provider]] = {one.program: one for one in (Kind, K3d, Minikube)}


def installed() -> str | None:
    """The first of them that this machine has."""
    return next((name for name in PROVIDERS if shutil.which(name)), None)
