"""Causes that lie in a store beside the database: a cache or channel layer, a bucket, the files of a static build."""

from __future__ import annotations

import re

from nuages.rollout.causes.evidence import Cause, Evidence
from nuages.rollout.tracebacks import Trace

_CLIENTS = r"^(?:redis|valkey|aioredis|django_redis|pymemcache|_?pylibmc|channels_redis)\b"
_SPOKEN = r"/(?:redis|valkey|django_redis|channels_redis|pymemcache|pylibmc)/"
REFUSES = (
    r"(?i:invalid username-password|WRONGPASS|NOAUTH|NOPERM|authentication required|ACCESS_REFUSED|invalid password"
    r"|HELLO must be called|without any password configured|no password is set|Login was refused|Couldn't log in"
    r"|vhost \S+ not found|access to vhost|Unable to locate credentials|AccessDenied|InvalidClientTokenId"
    r"|SignatureDoesNotMatch)"
)
"""How Redis, RabbitMQ and SQS say that a user, a password or a right does not do."""

ENCRYPTED = r"certificate verify failed|WRONG_VERSION_NUMBER|wrong version number|self[- ]signed certificate|SSLError"
SILENT = (
    r"(?i:refused|timed? ?out|Errno -?\d+|Error -?\d+ connecting|Connect call failed|closed by server|LOADING"
    r"|max number of clients|reset by peer)"
)
_BUCKET = r"^(?:botocore|boto3|google\.(?:cloud|auth|api_core)|azure\.)"


def store(evidence: Evidence) -> Cause | None:
    """A Redis or a memcached that the project asks by itself refuses, or does not answer."""
    trace = evidence.trace
    if trace is None or not _of_a_store(trace) or evidence.nuages("Unrecoverable error:"):
        return None  # the last is Celery's word for what its broker said
    found = re.search(r"(?:connecting to|failed \(')\s*'?([\w.-]+:\d+)", trace.said)
    where = f"the store at {found[1]}" if found else "a cache or another store"
    if re.search(REFUSES, trace.said):
        hint = "a REDIS_URL or CACHE_URL in nuages.yaml wins over the one that nuages makes: has it the right password?"
        return Cause("diag.D097", f"{where} refuses the user or the password", hint)
    if re.search(ENCRYPTED, trace.said):
        hint = "redis:// is plain, rediss:// is encrypted: which does it speak, and does the image know its authority?"
        return Cause("diag.D094", f"the connection to {where} is not encrypted as one side wants it", hint)
    if re.search(SILENT, trace.said):
        hint = "nuages status shows whether its pod is ready; an address of your own: does it lead there?"
        return Cause("diag.D096", f"{where} does not answer", hint)
    return None


def _of_a_store(trace: Trace) -> bool:
    return bool(re.search(_CLIENTS, trace.type)) or (
        "." not in trace.type and any(re.search(_SPOKEN, frame.file) for frame in trace.frames)
    )


def bucket(evidence: Evidence) -> Cause | None:
    """An object store's client says no."""
    trace = evidence.trace
    if trace is None or not re.search(_BUCKET, trace.type):
        return None
    if re.search(r"NoSuchBucket|bucket does not exist|ContainerNotFound", trace.said):
        return Cause("diag.D101", "there is no such bucket", "its name and its region, as nuages.yaml says them")
    if "EndpointConnectionError" in trace.type or "Could not connect to the endpoint" in trace.said:
        return Cause("diag.D101", "the bucket's service does not answer", "its endpoint, and may the pods go out?")
    if re.search(r"[Cc]redentials|AccessDenied|Forbidden|\(403\)|InvalidAccessKeyId|SignatureDoesNotMatch", trace.said):
        hint = "its keys belong to secrets in nuages.yaml, or a role to the pods' ServiceAccount"
        return Cause("diag.D101", "the bucket's service does not know the project, or lets it not in", hint)
    return None


def manifest(evidence: Evidence) -> Cause | None:
    """A template names a static file that collectstatic did not find."""
    trace = evidence.trace
    found = re.search(_MISSING, trace.said) if trace else None
    if found is None:
        return None
    hint = "is it committed, spelled so, and made before the image is built (a build of the front end)?"
    name = found[1] or found[2]
    return Cause("diag.D100", f"a template or a stylesheet names {name}, and the static files lack it", hint)


_MISSING = r"Missing staticfiles manifest entry for '([^']+)'|The file '([^']+)' could not be found with <"
