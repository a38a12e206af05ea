"""Whether a certificate and its key serve a name: asked of OpenSSL by a handshake in memory, as a browser would ask.

Nothing is decided by reading fields: what a browser refuses is refused in the same words. Who signed it is not asked:
a cluster may have an authority of its own, which browsers know and this machine does not.
"""

from __future__ import annotations

import os
import ssl
from datetime import UTC, datetime, timedelta

from nuages.errors import NuagesError

SOON = timedelta(days=14)
"""Before its end a certificate is to be renewed; cert-manager does it a third of its life before."""

_LABEL = "any"
"""What stands for the * of a wildcard."""


class Unfit(NuagesError):
    """Why a browser would refuse it."""


def until(certificate: bytes, key: bytes, host: str) -> datetime:
    """When a certificate that serves a name ends.

    Args:
        certificate: the chain in PEM, the name's own first.
        key: its private key in PEM; it is never written to a disk.
        host: the name, or a wildcard.

    Raises:
        Unfit: it does not serve the name, not now, or the key is not its own.
    """
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        _load(server, certificate, key)
        client.load_verify_locations(cadata=certificate.decode())
    except (ssl.SSLError, ValueError, OSError) as error:
        said = getattr(error, "reason", None) or "not readable as PEM"
        raise Unfit(f"is no certificate with its key: {str(said).lower().replace('_', ' ')}") from None
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.hostname_checks_common_name = False  # browsers have not for years
    ends = str(_shaken(server, client, host.replace("*", _LABEL, 1)).get("notAfter"))
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC)


def _load(server: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """By files that are in memory only: OpenSSL takes nothing else."""
    with os.fdopen(os.memfd_create("certificate"), "wb") as public, os.fdopen(os.memfd_create("key"), "wb") as private:
        for file, content in ((public, certificate), (private, key)):
            file.write(content)
            file.flush()
        # A key with a password is no use to an ingress controller, and nobody is here to be asked for it.
        names = [f"/proc/self/fd/{file.fileno()}" for file in (public, private)]
        server.load_cert_chain(names[0], names[1], password="")


def _shaken(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> dict[str, object]:
    """The certificate, as the client knows it after it said yes."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(back, there, server_hostname=host),
        server.wrap_bio(there, back, server_side=True),
    ]
    done: set[ssl.SSLObject] = set()
    while len(done) < len(ends):
        for end in ends:
            try:
                end.do_handshake()
                done.add(end)
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                raise Unfit(error.verify_message.rstrip(".")) from None
            except ssl.SSLError as error:
                raise Unfit(f"cannot be served: {(error.reason or 'unknown').lower().replace('_', ' ')}") from None
    return dict(ends[0].getpeercert() or {})
