"""What an image says that is in it: valid CycloneDX, the same for the same image, without what a layer removes."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from importlib.util import find_spec
from pathlib import Path

import jsonschema_rs
import pytest

from nuages.errors import ImageInvalid
from nuages.image import blobs, oci, sbom, tarballs

DEBIAN = """\
Package: libssl3t64
Status: install ok installed
Architecture: amd64
Version: 3.5.1-1+deb13u1
Description: a library
 Version: of nothing

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0
"""
DJANGO = """\
Metadata-Version: 2.4
Name: Django
Version: 6.0.7
License-Expression: BSD-3-Clause
Requires-Dist: asgiref>=3.9
Requires-Dist: bcrypt; extra == 'bcrypt'

Text
"""
ASGIREF = "Metadata-Version: 2.1\nName: asgiref\nVersion: 3.10.0\nLicense: BSD-3-Clause\n"
OLD = "Metadata-Version: 1.1\nName: Old_Thing\nVersion: 1!2.0+local\nLicense: UNKNOWN\n"
RELEASE = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n'
PACKAGES = "venv/lib/python3.13/site-packages"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def image(tmp_path) -> oci.Image:
    def layer(**files: str) -> oci.Layer:
        entries = [tarballs.Entry(path, 0o644, content.encode()) for path, content in files.items()]
        return tarballs.layer(entries, tmp_path / "layers")

    return oci.scratch(
        [
            layer(**{"var/lib/dpkg/status": DEBIAN, "usr/lib/os-release": RELEASE}),
            layer(
                **{
                    f"{PACKAGES}/django-6.0.7.dist-info/METADATA": DJANGO,
                    f"{PACKAGES}/asgiref-3.10.0.dist-info/METADATA": ASGIREF,
                    f"{PACKAGES}/asgiref-3.9.0.dist-info/METADATA": ASGIREF.replace("3.10.0", "3.9.0"),
                    f"{PACKAGES}/old.egg-info/PKG-INFO": OLD,
                    "usr/lib/python3/dist-packages/six-1.0.dist-info/METADATA": ASGIREF.replace("asgiref", "six"),
                }
            ),
            layer(**{f"{PACKAGES}/.wh.asgiref-3.9.0.dist-info": ""}),
        ],
        {},
    )


def test_the_document_is_valid_cyclonedx(image: oci.Image) -> None:
    document = json.loads(sbom.bom(image, "registry.example.com/acme/blog"))
    spec = find_spec("cyclonedx")
    assert spec is not None
    assert spec.origin is not None
    schemas = Path(spec.origin).parent / "schema" / "_res"
    named = {
        "http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json": "spdx.SNAPSHOT.schema.json",
        "http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json": "jsf-0.82.SNAPSHOT.schema.json",
    }
    registry = jsonschema_rs.Registry([(uri, json.loads((schemas / file).read_bytes())) for uri, file in named.items()])
    schema = json.loads((schemas / "bom-1.6.SNAPSHOT.schema.json").read_bytes())
    validator = jsonschema_rs.Draft7Validator(schema, registry=registry)
    assert [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(document)] == []
    references = [component["bom-ref"] for component in document["components"]]
    assert len(references) == len(set(references))


def test_distributions_and_debian_packages_are_named_by_their_urls(image: oci.Image) -> None:
    document = json.loads(sbom.bom(image, "registry.example.com/acme/blog"))
    assert [component.get("purl", component["name"]) for component in document["components"]] == [
        "pkg:deb/debian/libssl3t64@3.5.1-1%2Bdeb13u1?arch=amd64&distro=debian-13",
        "debian",
        "pkg:pypi/asgiref@3.10.0",
        "pkg:pypi/django@6.0.7",
        "pkg:pypi/old-thing@1%212.0%2Blocal",
    ]


def test_what_needs_what_is_said(image: oci.Image) -> None:
    document = json.loads(sbom.bom(image, "registry.example.com/acme/blog"))
    needs = {entry["ref"]: entry["dependsOn"] for entry in document["dependencies"]}
    assert needs["pkg:pypi/django@6.0.7"] == ["pkg:pypi/asgiref@3.10.0"]


def test_licences_are_taken_where_they_are_short(image: oci.Image) -> None:
    components = {one["name"]: one for one in json.loads(sbom.bom(image, "blog"))["components"]}
    assert components["django"]["licenses"] == [{"expression": "BSD-3-Clause"}]
    assert components["asgiref"]["licenses"] == [{"license": {"name": "BSD-3-Clause"}}]
    assert "licenses" not in components["old-thing"]


def test_the_same_image_has_the_same_document(image: oci.Image) -> None:
    first = sbom.bom(image, "registry.example.com/acme/blog")
    assert sbom.bom(image, "registry.example.com/acme/blog") == first
    assert b"1970" not in first


def stored(path: Path, content: bytes) -> oci.Layer:
    path.write_bytes(content)
    return oci.Layer("sha256:0", "sha256:0", blobs.Blob(path, 0, len(content)))


def test_a_layer_of_several_gzip_members_is_read_to_its_end(tmp_path: Path) -> None:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for path, text in {"etc/os-release": RELEASE, "var/lib/dpkg/status": DEBIAN}.items():
            header = tarfile.TarInfo(path)
            header.size = len(text)
            tar.addfile(header, io.BytesIO(text.encode()))
    whole = plain.getvalue()
    for content in (whole, gzip.compress(whole), gzip.compress(whole[:1024]) + gzip.compress(whole[1024:])):
        assert sorted(sbom.read(stored(tmp_path / "layer", content)).told) == ["etc/os-release", "var/lib/dpkg/status"]


def test_a_layer_that_can_t_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(ImageInvalid, match="is compressed by zstd"):
        sbom.read(stored(tmp_path / "layer", b"\x28\xb5\x2f\xfd\x00"))
