"""Buckets as the app uses them: where they are, and who opens them."""

from __future__ import annotations

from urllib.parse import urlsplit

from nuages.app.parts import App
from nuages.spec.model import Bucket, EnvironmentSpec, SecretSource

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""The keys of a bucket's Secret, and the variables that every client of S3 reads.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html
"""
_PORTS = {"http": 80, "https": 443}


def name(bucket: Bucket) -> str:
    """The bucket itself: `blog-media`."""
    return urlsplit(bucket.url).netloc


def folder(bucket: Bucket) -> str:
    """The folder in it, without slashes around it; "" for the whole."""
    return urlsplit(bucket.url).path.strip("/")


def reached(bucket: Bucket) -> tuple[str, int]:
    """The host and the port of its store, for walls."""
    parts = urlsplit(address(bucket))
    return parts.hostname or "", parts.port or _PORTS[parts.scheme]


def address(bucket: Bucket) -> str:
    """Where whatever is in its folder can be asked for, without a slash at the end.

    With an endpoint the bucket is in the path, as every store takes it; Amazon's own is a host for each bucket
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html).
    """
    if bucket.endpoint:
        host = f"{bucket.endpoint.rstrip('/')}/{name(bucket)}"
    else:
        host = f"https://{name(bucket)}.s3.{f'{bucket.region}.' if bucket.region else ''}amazonaws.com"
    return "/".join([host, *([folder(bucket)] if folder(bucket) else [])])


def opens(app: App, variable: str) -> bool:
    """Whether a secret variable of the app is there for the bucket of its uploads."""
    source = app.secrets.get(variable)
    return bool(source and app.bucket and variable in KEYS and source.secret and source.secret == app.bucket.secret)


def secrets(declared: EnvironmentSpec) -> dict[str, SecretSource]:
    """All secret variables of the app: the spec's own, and what opens the bucket of its uploads.

    So what is true of secrets is true of these: that they are there is looked up before a release, each release keeps
    its own, another value rolls the pods. Where the spec has one under the same name, that is meant.
    """
    bucket = declared.media.bucket if declared.media else None
    if bucket is None or bucket.secret is None:
        return declared.secrets
    opening = {key: SecretSource(secret=bucket.secret, key=key) for key in KEYS if key not in declared.env}
    return {**opening, **declared.secrets}
