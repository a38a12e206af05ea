"""What go.mod pins, where a name or a flag repeats it; a test compares the two."""

KUBERNETES = "v1.34.10"
PAUSE_IMAGE = "registry.k8s.io/pause:3.10.1"
COREDNS_IMAGE = "registry.k8s.io/coredns/coredns:v1.13.1"
LOCAL_PATH_IMAGE = "docker.io/rancher/local-path-provisioner:v0.0.30"
TRAEFIK_IMAGE = "docker.io/library/traefik:v3.6.12"
METRICS_IMAGE = "registry.k8s.io/metrics-server/metrics-server:v0.9.0"
REGISTRY_IMAGE = "docker.io/library/registry:3.1.1"
