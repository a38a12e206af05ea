"""The configuration files of a node's components, as values. Pure; `Object`s are written as JSON, which is YAML too."""

from __future__ import annotations

from pathlib import Path

from nuages.app.objects import Object
from nuages.local.components import CONTAINERD, DNS_ADDRESS, POD_RANGE, SERVICE_RANGE, Plane
from nuages.local.versions import KUBERNETES, PAUSE_IMAGE

NODE_PODS = "10.244.0.0/24"  # the first /24 of POD_RANGE, which the controller manager gives to the only node


def kubeadm(plane: Plane, cluster: str, pki: Path) -> list[Object]:
    """What kubeadm needs to know to make certificates and kubeconfigs; it looks nothing up by itself then."""
    return [
        {
            "apiVersion": "kubeadm.k8s.io/v1beta4",
            "kind": "InitConfiguration",
            "localAPIEndpoint": {"advertiseAddress": _unicast(plane), "bindPort": plane.api_port},
            "nodeRegistration": {"name": plane.node, "criSocket": f"unix://{CONTAINERD}"},
        },
        {
            "apiVersion": "kubeadm.k8s.io/v1beta4",
            "kind": "ClusterConfiguration",
            "clusterName": cluster,
            "kubernetesVersion": KUBERNETES,
            "certificatesDir": str(pki),
            "controlPlaneEndpoint": f"{plane.address}:{plane.api_port}",
            "encryptionAlgorithm": "ECDSA-P256",  # ten keys in milliseconds; RSA takes seconds
            "networking": {"podSubnet": POD_RANGE, "serviceSubnet": SERVICE_RANGE},
            "apiServer": {"certSANs": ["localhost", "127.0.0.1", plane.address]},
        },
    ]


def _unicast(plane: Plane) -> str:
    """The address in certificates beside certSANs; kubeadm refuses a loopback one, so another stands in (RFC 5737)."""
    return "192.0.2.1" if plane.loopback else plane.address


def kubelet(plane: Plane, cgroup_root: str) -> Object:
    """The kubelet's configuration: https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{plane.etc}/pki/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroup_root,
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,  # a lower one needs CAP_SYS_RESOURCE, which containers and sandboxes lack
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD}",
        "resolvConf": f"{plane.etc}/resolv.conf",
        "volumePluginDir": f"{plane.etc}/volume-plugins",
        "serializeImagePulls": False,
        "shutdownGracePeriod": "0s",
        # Images that were loaded have no registry to come back from: never collected, and the disk is the user's.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
    }


def kube_proxy(plane: Plane) -> Object:
    """kube-proxy's configuration; conntrack zeros leave the host's table as it is (it could not be written anyway)."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": f"{plane.etc}/kube-proxy.conf"},
        "clusterCIDR": POD_RANGE,
        "oomScoreAdj": 0,
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
            "udpTimeout": "0s",
            "udpStreamTimeout": "0s",
        },
    }


def containerd(plane: Plane) -> str:
    """The runtime's configuration (TOML): https://github.com/containerd/containerd/blob/v1.6.20/docs/cri/config.md."""
    return f"""\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", \
"io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]

[grpc]
address = "{CONTAINERD}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
# Without CAP_SYS_RESOURCE a sandbox that lowers its score dies with "can't get final child's PID from pipe: EOF".
restrict_oom_score_adj = true
# As newer versions default to: a container that is not root may listen on port 80.
enable_unprivileged_ports = true
enable_unprivileged_icmp = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{plane.etc}/cni"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
"""


def cni() -> Object:
    """Pods on a bridge; addresses are kept in /run, as after a reboot none is in use."""
    return {
        "cniVersion": "0.4.0",
        "name": "nuages",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": True,
                "ipMasq": True,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": NODE_PODS}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                    "dataDir": "/run/cni/networks",
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def resolv_conf(host: str, otherwise: str) -> str:
    """The host's resolv.conf without name servers on its loopback, which the node cannot reach.

    Args:
        host: the host's file.
        otherwise: the name server where none is left: CoreDNS does not start without one.
    """
    lines = [line for line in host.splitlines() if not line.startswith(("nameserver 127.", "nameserver ::1"))]
    if not any(line.startswith("nameserver") for line in lines):
        lines.append(f"nameserver {otherwise}")
    return "\n".join(lines) + "\n"
