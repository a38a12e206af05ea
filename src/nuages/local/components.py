"""The processes of a cluster and their command lines, as the reference of each program documents its flags.

Pure: values in, a list of components out. Reference: https://kubernetes.io/docs/reference/command-line-tools-reference/
"""

from __future__ import annotations

from pathlib import PurePosixPath

import msgspec

POD_RANGE = "10.244.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
DNS_ADDRESS = "10.96.0.10"
CONTAINERD = "/run/containerd/containerd.sock"


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One process that the supervisor keeps running (cmd/node/config.go)."""

    name: str
    argv: list[str]
    env: list[str] = []
    needs: list[str] = []
    ready: str = ""


class Plane(msgspec.Struct, frozen=True, kw_only=True):
    """Where a control plane listens, and where its files are as it sees them."""

    node: str  # name of the node
    address: str  # where the API server is reached
    bind: str  # what it listens on
    api_port: int = 6443
    etcd_port: int = 2379
    peer_port: int = 2380
    metrics_port: int = 2381
    bin: PurePosixPath
    etc: PurePosixPath  # configuration, with pki/ in it
    etcd_data: PurePosixPath

    @property
    def loopback(self) -> bool:
        """Whether the API server is there for this machine's processes only."""
        return self.address.startswith("127.")

    @property
    def server(self) -> str:
        """The API server's address for kubeconfigs."""
        return f"https://{self.address}:{self.api_port}"


def etcd(plane: Plane) -> Component:
    """The store. Without fsync a power cut may lose the last second, and writes are ten times faster."""
    pki = plane.etc / "pki/etcd"
    return Component(
        name="etcd",
        argv=[
            f"{plane.bin}/etcd",
            f"--name={plane.node}",
            f"--data-dir={plane.etcd_data}",
            f"--listen-client-urls=https://127.0.0.1:{plane.etcd_port}",
            f"--advertise-client-urls=https://127.0.0.1:{plane.etcd_port}",
            f"--listen-peer-urls=https://127.0.0.1:{plane.peer_port}",
            f"--initial-advertise-peer-urls=https://127.0.0.1:{plane.peer_port}",
            f"--initial-cluster={plane.node}=https://127.0.0.1:{plane.peer_port}",
            f"--listen-metrics-urls=http://127.0.0.1:{plane.metrics_port}",
            f"--cert-file={pki}/server.crt",
            f"--key-file={pki}/server.key",
            "--client-cert-auth",
            f"--trusted-ca-file={pki}/ca.crt",
            f"--peer-cert-file={pki}/peer.crt",
            f"--peer-key-file={pki}/peer.key",
            "--peer-client-cert-auth",
            f"--peer-trusted-ca-file={pki}/ca.crt",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ],
        ready=f"http://127.0.0.1:{plane.metrics_port}/readyz",
    )


def api_server(plane: Plane) -> Component:
    """The API server; the requestheader flags are what aggregated APIs (metrics-server) need."""
    pki = plane.etc / "pki"
    return Component(
        name="kube-apiserver",
        argv=[
            f"{plane.bin}/kube-apiserver",
            f"--advertise-address={plane.address}",
            f"--bind-address={plane.bind}",
            f"--secure-port={plane.api_port}",
            f"--etcd-servers=https://127.0.0.1:{plane.etcd_port}",
            f"--etcd-cafile={pki}/etcd/ca.crt",
            f"--etcd-certfile={pki}/apiserver-etcd-client.crt",
            f"--etcd-keyfile={pki}/apiserver-etcd-client.key",
            "--allow-privileged",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            f"--client-ca-file={pki}/ca.crt",
            f"--tls-cert-file={pki}/apiserver.crt",
            f"--tls-private-key-file={pki}/apiserver.key",
            f"--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt",
            f"--kubelet-client-key={pki}/apiserver-kubelet-client.key",
            "--kubelet-preferred-address-types=InternalIP",
            f"--proxy-client-cert-file={pki}/front-proxy-client.crt",
            f"--proxy-client-key-file={pki}/front-proxy-client.key",
            f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={pki}/sa.pub",
            f"--service-account-signing-key-file={pki}/sa.key",
            f"--service-cluster-ip-range={SERVICE_RANGE}",
            "--profiling=false",
            # The endpoint of the service `kubernetes` may not be a loopback address; without pods nobody asks for it.
            *(["--endpoint-reconciler-type=none"] if plane.loopback else []),
        ],
        needs=["etcd"],
        ready=f"https://127.0.0.1:{plane.api_port}/readyz",
    )


def controller_manager(plane: Plane, *, port: int = 10257) -> Component:
    """The controllers. One instance: it need not win an election first."""
    pki, config = plane.etc / "pki", plane.etc / "controller-manager.conf"
    return Component(
        name="kube-controller-manager",
        argv=[
            f"{plane.bin}/kube-controller-manager",
            f"--kubeconfig={config}",
            f"--master={plane.server}",  # kubeadm writes the advertised address, which may not be a loopback one
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            f"--client-ca-file={pki}/ca.crt",
            f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
            f"--root-ca-file={pki}/ca.crt",
            f"--cluster-signing-cert-file={pki}/ca.crt",
            f"--cluster-signing-key-file={pki}/ca.key",
            f"--service-account-private-key-file={pki}/sa.key",
            "--use-service-account-credentials",
            "--controllers=*",
            "--leader-elect=false",
            "--allocate-node-cidrs",
            f"--cluster-cidr={POD_RANGE}",
            f"--service-cluster-ip-range={SERVICE_RANGE}",
            f"--flex-volume-plugin-dir={plane.etc}/volume-plugins",  # the default one would be made below /usr
            "--profiling=false",
        ],
        needs=["kube-apiserver"],
        ready=f"https://127.0.0.1:{port}/healthz" if port else "",
    )


def scheduler(plane: Plane) -> Component:
    """The scheduler; one instance as well."""
    config = plane.etc / "scheduler.conf"
    return Component(
        name="kube-scheduler",
        argv=[
            f"{plane.bin}/kube-scheduler",
            f"--kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
            "--profiling=false",
        ],
        needs=["kube-apiserver"],
        ready="https://127.0.0.1:10259/healthz",
    )


def containerd(plane: Plane, program: str) -> Component:
    """The container runtime, with all its files in this cluster's own folders."""
    return Component(
        name="containerd",
        argv=[program, f"--config={plane.etc}/containerd.toml", "--log-level=warn"],
        ready=f"unix:{CONTAINERD}",
    )


def kubelet(plane: Plane) -> Component:
    """The node's agent."""
    return Component(
        name="kubelet",
        argv=[
            f"{plane.bin}/kubelet",
            f"--config={plane.etc}/kubelet.json",
            f"--kubeconfig={plane.etc}/kubelet.conf",
            f"--hostname-override={plane.node}",
            f"--node-ip={plane.address}",
            "--root-dir=/var/lib/kubelet",
            "--cert-dir=/var/lib/kubelet/pki",
        ],
        needs=["containerd", "kube-apiserver"],
        ready="http://127.0.0.1:10248/healthz",
    )


def kube_proxy(plane: Plane) -> Component:
    """Services by iptables, in the node's own network namespace."""
    return Component(
        name="kube-proxy",
        argv=[f"{plane.bin}/kube-proxy", f"--config={plane.etc}/kube-proxy.json", f"--hostname-override={plane.node}"],
        needs=["kube-apiserver"],
        ready="http://127.0.0.1:10256/livez",
    )


def agent(plane: Plane, pool: str) -> Component:
    """Our own small agent: addresses for LoadBalancer services from the pool, and NetworkPolicies by nftables."""
    return Component(
        name="agent",
        argv=[f"{plane.bin}/agent", "node", f"--kubeconfig={plane.etc}/agent.conf", f"--pool={pool}"],
        needs=["kube-apiserver"],
    )
