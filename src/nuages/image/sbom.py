"""bom(image, ...) -> bytes: what is in an image, as a CycloneDX document: Python distributions and Debian packages.

Read from the layers themselves, so it holds for an image of any making. The same image gives the same bytes: no time,
no random number. https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import gzip
import json
import re
import tarfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from urllib.parse import quote

import msgspec

from nuages import __version__
from nuages.app.objects import Object
from nuages.errors import ImageInvalid
from nuages.host import files
from nuages.host.places import cache
from nuages.image import blobs, oci

MEDIA_TYPE = "application/vnd.cyclonedx+json"
NAME = "sbom.cdx.json"
# Counted up when more or other things are read from a layer.
RECIPE = 2
# Debian's own Python packages lie in dist-packages: they are among Debian's.
_METADATA = re.compile(r".*/site-packages/[^/]+(\.dist-info/METADATA|\.egg-info/PKG-INFO)")
_DPKG = re.compile(r"var/lib/dpkg/(status|status\.d/[^/]+(?<!\.md5sums))")
_OS = re.compile(r"(usr/lib|etc)/os-release")
_REQUIRED = re.compile(r"^([A-Za-z0-9][\w.-]*)")
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_WHITEOUT = ".wh."
_LONGEST_LICENCE = 100  # characters; older packages put the whole text there


class Package(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is installed; `kind` is pypi, deb or os."""

    kind: str
    name: str
    version: str
    licence: str = ""
    expression: bool = False
    """Whether the licence is an SPDX expression."""
    architecture: str = ""
    requires: tuple[str, ...] = ()


class Contents(msgspec.Struct):
    """What one layer says: per file what it tells of, and which paths of the layers below it removes."""

    told: dict[str, list[Package]] = {}
    removed: list[str] = []


def bom(image: oci.Image, repository: str) -> bytes:
    """The document of an image that is kept in a repository (registry.example.com/acme/blog)."""
    packages = installed(image)
    system = next((one for one in packages if one.kind == "os"), None)
    distribution = f"{system.name}-{system.version}" if system else ""
    references = {one: _reference(one, distribution) for one in packages}
    by_name = {one.name: references[one] for one in packages if one.kind == "pypi"}
    name = repository.rpartition("/")[2]
    itself = f"pkg:oci/{name}@{quote(image.digest, safe='')}?repository_url={quote(repository, safe='/.')}"
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, itself)}",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "nuages", "version": __version__}]},
            "component": {
                "type": "container",
                "bom-ref": itself,
                "name": repository,
                "version": image.digest,
                "purl": itself,
                "hashes": [{"alg": "SHA-256", "content": image.digest.removeprefix("sha256:")}],
            },
        },
        "components": [_component(one, references[one]) for one in packages],
        "dependencies": [
            {"ref": itself, "dependsOn": sorted(set(references.values()))},
            *(
                {
                    "ref": references[one],
                    "dependsOn": sorted({by_name[name] for name in one.requires if name in by_name}),
                }
                for one in packages
                if one.kind == "pypi"
            ),
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def installed(image: oci.Image) -> list[Package]:
    """What is installed in an image, each once, sorted by kind and name; what an upper layer removes is not."""
    known: dict[str, list[Package]] = {}
    for layer in image.layers:
        contents = _kept(layer)
        for path in contents.removed:
            known = {at: told for at, told in known.items() if at != path and not at.startswith(f"{path}/")}
        known |= contents.told
    found = {(one.kind, one.name, one.version): one for told in known.values() for one in told}
    return [found[key] for key in sorted(found)]


def read(layer: oci.Layer) -> Contents:
    """Walk through one layer.

    Raises:
        ImageInvalid: it is compressed by something else than gzip.
    """
    contents = Contents()
    begins = next(blobs.pieces(layer.blob, 4), b"")
    if begins == _ZSTD:
        raise ImageInvalid(f"layer {layer.digest} is compressed by zstd, which is not read here")
    with blobs.opened(layer.blob) as stream, ExitStack() as whole:
        # Not by tarfile itself: of several gzip members, as lazily pulled images have them, it would see the first.
        plain = whole.enter_context(gzip.open(stream)) if begins[:2] == _GZIP else stream
        tar = whole.enter_context(tarfile.open(fileobj=plain, mode="r|"))
        for member in tar:
            path = member.name.removeprefix("./").lstrip("/")
            folder, _, name = path.rpartition("/")
            if name.startswith(_WHITEOUT):
                contents.removed.append(folder if name == ".wh..wh..opq" else f"{folder}/{name[len(_WHITEOUT) :]}")
            elif member.isfile() and (told := _told(path, tar, member)):
                contents.told[path] = told
    return contents


def _told(path: str, tar: tarfile.TarFile, member: tarfile.TarInfo) -> list[Package]:
    parser = next((read for pattern, read in _READERS.items() if pattern.fullmatch(path)), None)
    content = tar.extractfile(member) if parser else None
    return list(parser(content.read().decode(errors="replace"))) if parser and content else []


def _distribution(text: str) -> Iterator[Package]:
    said = HeaderParser().parsestr(text)
    if said["Name"] and said["Version"]:
        expression = said["License-Expression"]
        required = (line for line in said.get_all("Requires-Dist") or () if "extra ==" not in line)
        yield Package(
            "pypi",
            _normal(said["Name"]),
            said["Version"],
            licence=expression or _licence(said),
            expression=bool(expression),
            requires=tuple(sorted({_normal(found[1]) for line in required if (found := _REQUIRED.match(line))})),
        )


def _licence(said: Message) -> str:
    named = str(said["License"] or "").strip()
    return named if "\n" not in named and len(named) <= _LONGEST_LICENCE and named != "UNKNOWN" else ""


def _debian(text: str) -> Iterator[Package]:
    for paragraph in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^([\w-]+): *(.*)$", paragraph, re.MULTILINE))
        if "Package" in fields and "Version" in fields and "deinstall" not in fields.get("Status", ""):
            yield Package("deb", fields["Package"], fields["Version"], architecture=fields.get("Architecture", ""))


def _system(text: str) -> Iterator[Package]:
    fields = {name: value.strip("\"'") for name, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE)}
    if "ID" in fields:
        yield Package("os", fields["ID"], fields.get("VERSION_ID", ""))


_READERS = {_METADATA: _distribution, _DPKG: _debian, _OS: _system}


def _kept(layer: oci.Layer) -> Contents:
    """What a layer says, read once: most layers of an image are those of the one before."""
    path: Path = cache() / "sbom" / f"{layer.digest.removeprefix('sha256:')}-{RECIPE}.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Contents)
    except (FileNotFoundError, msgspec.DecodeError):
        contents = read(layer)
        files.replace(path, msgspec.json.encode(contents).decode())
        return contents


def _component(one: Package, reference: str) -> Object:
    described: Object = {"name": one.name, "bom-ref": reference}
    if one.version:
        described["version"] = one.version
    if one.kind == "os":
        return {"type": "operating-system", **described}
    if one.licence:
        described["licenses"] = [{"expression": one.licence} if one.expression else {"license": {"name": one.licence}}]
    return {"type": "library", **described, "purl": reference}


def _reference(one: Package, distribution: str) -> str:
    """The package's URL (https://github.com/package-url/purl-spec), which is its name in the document too."""
    version = quote(one.version, safe="-._~")
    if one.kind == "os":
        return f"os:{one.name}@{version}"
    if one.kind == "pypi":
        return f"pkg:pypi/{one.name}@{version}"
    qualifiers: Iterable[tuple[str, str]] = (("arch", one.architecture), ("distro", distribution))
    asked = "&".join(f"{key}={quote(value, safe='-._~')}" for key, value in qualifiers if value)
    return f"pkg:deb/debian/{quote(one.name, safe='-._~')}@{version}" + (f"?{asked}" if asked else "")


def _normal(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
