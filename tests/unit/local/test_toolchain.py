"""What is built, and what its key depends on."""

from __future__ import annotations

import re

import pytest
import yaml

from nuages.errors import UsageError
from nuages.local import toolchain, versions
from nuages.local.addons import ADDONS, CORE, MANIFESTS, free_port, manifest, programs
from nuages.local.places import places

pytestmark = pytest.mark.unit


def required() -> dict[str, str]:
    """module -> version, of all go.mod files, the replaced ones as they are replaced."""
    modules = (toolchain.CERTS, toolchain.OBJECTS, toolchain.EXTRAS, toolchain.MODULE)
    text = "".join((module / "go.mod").read_text() for module in modules)
    return dict(re.findall(r"^(?:require)?\s*(\S+\.\S+/\S+) (v\S+)", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("module", "version"),
    [
        ("k8s.io/kubernetes", versions.KUBERNETES),
        ("github.com/coredns/coredns", versions.COREDNS_IMAGE.rpartition(":")[2]),
        ("github.com/rancher/local-path-provisioner", versions.LOCAL_PATH_IMAGE.rpartition(":")[2]),
        ("github.com/traefik/traefik/v3", versions.TRAEFIK_IMAGE.rpartition(":")[2]),
        ("sigs.k8s.io/metrics-server", versions.METRICS_IMAGE.rpartition(":")[2]),
        ("github.com/distribution/distribution/v3", "v" + versions.REGISTRY_IMAGE.rpartition(":")[2]),
        ("github.com/versity/versitygw", versions.BUCKET_IMAGE.rpartition(":")[2]),
        ("github.com/cert-manager/cert-manager", versions.CERT_MANAGER_IMAGE.rpartition(":")[2]),
        ("github.com/cert-manager/cert-manager", versions.SOLVER_IMAGE.rpartition(":")[2]),
        ("github.com/letsencrypt/pebble/v2", versions.PEBBLE_IMAGE.rpartition(":")[2]),
    ],
)
def test_image_names_carry_the_versions_that_go_mod_pins(module, version):
    assert required()[module] == version


def test_manifests_run_only_images_that_are_made_here():
    made = {image.reference for part in (*CORE.values(), *ADDONS.values()) for image in part.images}
    for file in MANIFESTS.glob("*.yaml"):
        used = set(re.findall(r"^\s*image: (\S+)$", file.read_text(), re.MULTILINE))
        assert used <= made, file.name


def test_every_manifest_is_yaml_with_the_machine_s_port_filled_in():
    text = manifest([*CORE.values(), *ADDONS.values()], 8099)
    objects = [one for one in yaml.safe_load_all(text) if one]
    port = next(one for one in objects if one["kind"] == "Service" and one["metadata"]["name"] == "traefik")
    assert port["spec"]["ports"][0]["port"] == 8099


def test_changing_one_of_our_programs_builds_no_other_again(tmp_path, monkeypatch):
    before = {name: toolchain.key(name) for name in ("agent", "node", "kubelet")}
    for name in ("go.mod", "go.sum", toolchain.STUB):
        (tmp_path / name).write_bytes((toolchain.MODULE / name).read_bytes())
    for name in ("agent", "node"):
        (tmp_path / "cmd" / name).mkdir(parents=True)
        for file in (toolchain.MODULE / "cmd" / name).glob("*.go"):
            (tmp_path / "cmd" / name / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(toolchain, "MODULE", tmp_path)
    assert toolchain.key("node") == before["node"]
    (tmp_path / "cmd/node/main.go").write_text("package main")
    assert toolchain.key("node") != before["node"]
    assert toolchain.key("agent") == before["agent"]
    assert toolchain.key("kubelet") == before["kubelet"]


def test_an_unknown_add_on_is_refused_with_those_there_are():
    with pytest.raises(UsageError) as refused:
        programs(frozenset({"trafik"}))
    assert "traefik" in refused.value.hint


@pytest.mark.parametrize("name", ["", "Nuages", "a/b", "..", "a" * 31, "-a"])
def test_what_could_leave_the_folder_of_clusters_is_no_name(name):
    with pytest.raises(UsageError):
        places(name)


def test_a_port_in_use_is_passed_over():
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port
