"""Builds the programs of a cluster from the committed Go module, checksummed by go.sum.

A program is kept as `toolchain/store/KEY/NAME`; KEY is the hash of go.mod, go.sum and the flags, and for our own also
of its sources: a change in the agent does not link Kubernetes again. `toolchain/HASH/bin` has all programs of one
checkout by hard link.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path

from nuages.errors import MissingTool
from nuages.host.command import follow, run
from nuages.host.lock import locked
from nuages.host.places import cache
from nuages.local import gotool
from nuages.local.versions import KUBERNETES
from nuages.progress import Sink, Step, silent, step

MODULE = Path(__file__).parent / "toolchain"
EXTRAS = MODULE / "extras"  # for programs that the replaced or older libraries of the first module do not suit
OBJECTS = MODULE / "objects"  # and for one that nothing is shared with
CERTS = MODULE / "certs"  # and for what issues certificates
SPACE = 6 * 2**30  # bytes that a build from nothing takes: module cache, build cache, programs

# program -> its package. With Go each can be built by hand: `go build PACKAGE` in its module's folder.
PACKAGES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kubelet": "k8s.io/kubernetes/cmd/kubelet",
    "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "kubeadm": "k8s.io/kubernetes/cmd/kubeadm",
    "coredns": "./cmd/coredns",
    "pause": "./cmd/pause",
    "node": "./cmd/node",
    "agent": "./cmd/agent",
    "volume": "./cmd/volume",
    "local-path-provisioner": "github.com/rancher/local-path-provisioner",
    "traefik": "github.com/traefik/traefik/v3/cmd/traefik",
    "metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server",
    "registry": "github.com/distribution/distribution/v3/cmd/registry",
    "helm": "helm.sh/helm/v3/cmd/helm",
    "kwok": "sigs.k8s.io/kwok/cmd/kwok",
    "versitygw": "github.com/versity/versitygw/cmd/versitygw",
    "cert-manager": "./cmd/cert-manager",
    "acmesolver": "./cmd/acmesolver",
    "pebble": "github.com/letsencrypt/pebble/v2/cmd/pebble",
}
FROM_EXTRAS = frozenset({"metrics-server", "registry", "kwok"})
FROM_CERTS = frozenset({"cert-manager", "acmesolver", "pebble"})
API_ONLY = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl", "kubeadm", "node")
NODE = (
    *API_ONLY,
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "agent",
    "coredns",
    "pause",
    "volume",
    "local-path-provisioner",
)
# Seconds from empty caches on two cores, measured in the order of PACKAGES (what comes later shares packages).
COLD = {
    "kube-apiserver": 240,
    "kube-controller-manager": 60,
    "kubelet": 60,
    "traefik": 120,
    "helm": 60,
    "registry": 45,
    "metrics-server": 240,
    "kwok": 60,
    "cert-manager": 150,
    "versitygw": 80,
}
COLD_DEFAULT = 15
# Without GOWORK=off a go.work in a folder above would decide; Go wants a home, which a service or a job may lack.
ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOTOOLCHAIN": "local",
    "GOFLAGS": "-mod=readonly",
    "GOWORK": "off",
    "HOME": str(Path.home()),
}

# Traefik links the SDK of every DNS provider that lego knows for ACME challenges (a hundred clouds, ten minutes); a
# local cluster asks for none. So it is built with a lego whose folder of providers has one file of ours instead.
LEGO = "github.com/go-acme/lego/v4"
PROVIDERS = Path("providers/dns")
STUB = "lego_stub.go.txt"


def flags() -> list[str]:
    """The flags that all programs are built with; without the version flags Kubernetes calls itself v0.0.0."""
    major, minor, _ = KUBERNETES.removeprefix("v").split(".")
    values = {"gitVersion": KUBERNETES, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    linked = " ".join(f"-X {package}.{key}={value}" for package in packages for key, value in values.items())
    return ["-trimpath", "-buildvcs=false", "-tags=selinux,notest,grpcnotrace", f"-ldflags=-s -w {linked}"]


def build(names: Collection[str], sink: Sink) -> Path:
    """Have these programs built; answers the folder that holds them.

    Raises:
        MissingTool: no Go compiler, or no space.
        CommandFailed: a program does not compile, or its sources cannot be had.
    """
    folder = cache() / "toolchain"
    bin_ = folder / _digest([key(name).encode() for name in PACKAGES]) / "bin"
    if all((bin_ / name).exists() for name in names):
        return bin_
    with locked(folder / "lock", sink, "another build of the same programs"):
        bin_.mkdir(parents=True, exist_ok=True)
        for name in (name for name in PACKAGES if name in names and not (bin_ / name).exists()):
            kept = folder / "store" / key(name) / name
            if not kept.exists():
                _compile(name, kept, sink)
            _link(kept, bin_ / name)
    return bin_


def tool(name: str, sink: Sink = silent) -> Path:
    """One program of PACKAGES, built where it is missing: kubectl, helm, kwok for tests and benchmarks."""
    return build({name}, sink) / name


def key(name: str) -> str:
    """What a program is made of, as a hash: the same key, the same program."""
    module, package = module_of(name), PACKAGES[name]
    parts = [json.dumps(flags()).encode()]
    parts += [file.read_bytes() for file in (module / "go.mod", module / "go.sum", MODULE / STUB)]
    if package.startswith("./"):
        for path in sorted((module / package).rglob("*.go")):
            if not path.name.endswith("_test.go"):
                parts += [str(path.relative_to(module)).encode(), path.read_bytes()]
    return _digest(parts)


def module_of(name: str) -> Path:
    """The folder of the Go module that a program is built from."""
    if name == "versitygw":
        return OBJECTS
    if name in FROM_CERTS:
        return CERTS
    return EXTRAS if name in FROM_EXTRAS else MODULE


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]


def _compile(name: str, to: Path, sink: Sink) -> None:
    """Build one program, and put it in its place in one step: nobody ever sees half of it."""
    go = gotool.compiler(module_of(name), sink)
    to.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=to.parent, prefix=".build-") as work,
        step(sink, f"build {name}", expected=COLD.get(name, COLD_DEFAULT)) as progress,
    ):
        _require_space(to.parent)
        fresh = Path(work) / name
        replaced = _without_providers(go, Path(work)) if name == "traefik" else []
        # -v prints each package as it is compiled: that is the news.
        argv: list[str | Path] = [go, "build", "-v", *flags(), *replaced, "-o", fresh, PACKAGES[name]]
        heard = _Packages(progress)
        follow(argv, heard, env=ENVIRONMENT, cwd=module_of(name))
        progress.note = f"{heard.count} packages compiled" if heard.count else "linked, nothing to compile"
        fresh.replace(to)


class _Packages:
    """Counts the packages that Go names and tells of each."""

    def __init__(self, progress: Step) -> None:
        self.count = 0
        self._progress = progress

    def __call__(self, line: str) -> None:
        if line.startswith("go: downloading "):
            self._progress.say(line.removeprefix("go: "))
        elif " " not in line:
            self.count += 1
            self._progress.say(f"{line} ({self.count} packages)")


def _without_providers(go: Path, work: Path) -> list[str]:
    """The flag that builds with a copy of lego in `work` that has our stub for its providers."""
    copy = work / "lego"
    skipped = shutil.ignore_patterns("*_test.go", "testdata", "docs", "dns")
    shutil.copytree(_downloaded(go, LEGO), copy, ignore=skipped, copy_function=shutil.copyfile)
    for folder in (copy, *copy.rglob("*/")):
        folder.chmod(0o755)  # Go's module cache is read-only
    (copy / PROVIDERS).mkdir(parents=True)
    shutil.copyfile(MODULE / STUB, copy / PROVIDERS / "stub.go")
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(MODULE / name, work / name)
    run([go, "mod", "edit", f"-replace={LEGO}={copy}", work / "go.mod"], env=ENVIRONMENT, cwd=work)
    return [f"-modfile={work / 'go.mod'}"]


def source(module: str, path: str, sink: Sink) -> Path:
    """A file or folder of a dependency, in Go's module cache: the manifests of its API, say."""
    here = next(each for each in (CERTS, MODULE) if f"{module} v" in (each / "go.mod").read_text())
    return _downloaded(gotool.compiler(here, sink), module, here) / path


def _downloaded(go: Path, module: str, here: Path = MODULE) -> Path:
    """The folder of a dependency, of the version and checksum that go.mod and go.sum name."""
    answer = run([go, "mod", "download", "-json", module], env=ENVIRONMENT, cwd=here)
    return Path(json.loads(answer)["Dir"])


def _link(kept: Path, to: Path) -> None:
    fresh = to.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    os.link(kept, fresh)
    fresh.replace(to)


def _require_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < SPACE:
        raise MissingTool(
            f"{folder} has {free / 2**30:.1f} GiB free; building Kubernetes takes {SPACE / 2**30:.0f}",
            hint="free some, or set XDG_CACHE_HOME and GOCACHE to a larger disk",
        )
