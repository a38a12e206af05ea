"""Archives as engines write and read them, from and to images as nuages has them."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tarfile
from pathlib import Path

from nuages.image import blobs, oci, tarballs

# What an engine itself puts into a container that it runs.
_ENGINES = frozenset(
    {".dockerenv", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab", "run/.containerenv", "run/secrets"}
)


def for_docker(image: oci.Image, tag: str, to: Path) -> Path:
    """Write what `docker load` of each version reads: a manifest.json that names config and layers. Answers `to`."""
    with tarfile.open(to, "w") as tar:

        def add(name: str, size: int, content: io.BufferedIOBase) -> str:
            header = tarfile.TarInfo(name)
            header.size = size
            tar.addfile(header, content)
            return name

        config = add(f"{image.id.removeprefix('sha256:')}.json", len(image.config), io.BytesIO(image.config))
        layers = []
        for layer in image.layers:
            name = f"{layer.diff_id.removeprefix('sha256:')}.tar.gz"
            if name not in layers:
                with blobs.opened(layer.blob) as content:
                    add(name, layer.blob.size, content)  # type: ignore[arg-type]
            layers.append(name)
        manifest = json.dumps([{"Config": config, "RepoTags": [tag], "Layers": layers}]).encode()
        add("manifest.json", len(manifest), io.BytesIO(manifest))
    return to


def of_docker(saved: Path, store: Path) -> oci.Image:
    """The image in what `docker save` wrote, its layers compressed into the folder `store`."""
    with tarfile.open(saved) as tar:

        def read(name: str, to: Path) -> Path:
            stream = tar.extractfile(name)  # through a link, where two layers are alike
            if stream is None:
                raise tarfile.ReadError(f"{name} is no file")
            with to.open("wb") as file:
                shutil.copyfileobj(stream, file)
            return to

        manifest = json.loads(read("manifest.json", store / "manifest.json").read_bytes())[0]
        config = json.loads(read(manifest["Config"], store / "config.json").read_bytes())
        layers = []
        for number, name in enumerate(manifest["Layers"]):
            plain = _plain(read(name, store / f"{number}.tar"))
            layers.append(tarballs.layer_of_tar(blobs.Blob(plain, 0, plain.stat().st_size), store))
            plain.unlink()
    return oci.image(config, layers)


def unpacked(archive: Path, folder: Path) -> None:
    """An OCI archive as a folder."""
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and (content := tar.extractfile(member)):
                to = folder / member.name
                if not to.resolve().is_relative_to(folder.resolve()):
                    raise tarfile.ReadError(f"{member.name} lies outside")
                to.parent.mkdir(parents=True, exist_ok=True)
                with to.open("wb") as file:
                    shutil.copyfileobj(content, file)


def settled(layer: oci.Layer, store: Path, note: str) -> oci.Layer:
    """The same layer with all times 0, sorted, without owners' names and without what an engine puts there itself."""
    packed, plain = store / "packed", store / "settled.tar"
    with packed.open("wb") as file:
        for piece in blobs.pieces(layer.blob):
            file.write(piece)
    with tarfile.open(packed) as source, tarfile.open(plain, "w", format=tarfile.PAX_FORMAT) as to:
        members = [member for member in source.getmembers() if member.name.removeprefix("./") not in _ENGINES]
        # A link follows what it links to.
        for member in sorted(members, key=lambda member: (member.islnk(), member.name)):
            member.mtime, member.uname, member.gname = 0, "", ""
            member.pax_headers = {
                key: value for key, value in member.pax_headers.items() if key.startswith("SCHILY.xattr.")
            }
            to.addfile(member, source.extractfile(member) if member.isreg() else None)
    packed.unlink()
    made = tarballs.layer_of_tar(blobs.Blob(plain, 0, plain.stat().st_size), store, note)
    plain.unlink()
    return made


def _plain(file: Path) -> Path:
    """The same tar, not compressed."""
    with file.open("rb") as start:
        if start.read(2) != b"\x1f\x8b":
            return file
    to = file.with_suffix(".plain")
    with gzip.open(file) as packed, to.open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    file.unlink()
    return to
