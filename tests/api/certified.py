"""Certificates and their keys, as openssl makes them."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

CA = """
[ca]
default_ca = own
[own]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = optional
"""


def certificate(folder: Path, *names: str, days: float = 90) -> tuple[bytes, bytes]:
    """A certificate for these names that ends in so many days, or ended so many ago; and its key."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.txt").write_text("")
    (folder / "ca.conf").write_text(CA.format(folder=folder))
    now = datetime.now(UTC)
    begins, ends = (f"{now + timedelta(days=each):%Y%m%d%H%M%SZ}" for each in (-90, days))
    alternatives = "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)
    for command in (
        ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "key.pem",
         "-out", "request.pem", "-subj", "/CN=test", "-addext", alternatives],
        ["ca", "-config", "ca.conf", "-selfsign", "-keyfile", "key.pem", "-in", "request.pem", "-out", "made.pem",
         "-batch", "-notext", "-startdate", begins, "-enddate", ends],
    ):  # fmt: skip
        subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True)
    return (folder / "made.pem").read_bytes(), (folder / "key.pem").read_bytes()
