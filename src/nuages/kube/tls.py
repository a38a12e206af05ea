"""How a connection to an API server is encrypted: by which authority it is believed, and which certificate we show."""

from __future__ import annotations

import contextlib
import os
import ssl
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

from nuages.errors import UsageError
from nuages.kube.config import ANEW, Access


def context(access: Access) -> ssl.SSLContext:
    """What OpenSSL needs to know of a cluster and of us.

    Raises:
        UsageError: a certificate or key that the kubeconfig names cannot be read.
    """
    authority = access.authority
    try:
        made = ssl.create_default_context(cadata=authority.decode()) if authority else _everybodys()
        if access.cluster.get("insecure-skip-tls-verify"):
            made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
        _show(access, made)
    except ssl.SSLError as error:
        what = "its authority" if "cadata" in str(error) else "its certificate or key"
        why = "is no PEM" if "cadata" in str(error) else "is no PEM, or the two do not belong together"
        raise UsageError(f"context {access.context} cannot be used: {what} {why}", hint=ANEW) from error
    except (OSError, ValueError) as error:
        raise UsageError(f"context {access.context} cannot be used: {error}", hint=ANEW) from error
    # Authorities of older clusters lack extensions that Python >= 3.13 insists on, and Go, so kubectl, does not.
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return made


def _everybodys() -> ssl.SSLContext:
    import httpx2  # noqa: PLC0415 - slow, and a cluster without an authority of its own is rare

    return httpx2.create_ssl_context()


def _show(access: Access, made: ssl.SSLContext) -> None:
    """Load our certificate, where we have one."""
    with _as_file(access, "client-certificate") as certificate, _as_file(access, "client-key") as key:
        if certificate:
            made.load_cert_chain(certificate, key or None)


@contextlib.contextmanager
def _as_file(access: Access, name: str) -> Iterator[str]:
    """The file that the kubeconfig names, or what stands in it, as a file for as long: OpenSSL takes nothing else."""
    data = access.user.get(f"{name}-data")
    if not data:
        file = access.user.get(name) or ""
        if file:
            Path(file).open("rb").close()  # OpenSSL does not say which file it lacks
        yield file
    elif hasattr(os, "memfd_create"):  # in memory only: a key must not come to lie on a disk
        with os.fdopen(os.memfd_create(name), "wb") as file:
            file.write(b64decode(data))
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        import tempfile  # noqa: PLC0415 - not on Linux

        with tempfile.NamedTemporaryFile() as kept:  # only we may read it
            Path(kept.name).write_bytes(b64decode(data))
            yield kept.name
