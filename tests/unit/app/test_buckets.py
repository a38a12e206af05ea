"""Where buckets are, and what opens them."""

from __future__ import annotations

import pytest

from nuages.app import buckets
from nuages.app.components import resolve
from nuages.image import additions
from nuages.spec.load import parse
from nuages.spec.model import Bucket, SecretSource

pytestmark = pytest.mark.unit

SPEC = """
name: blog
image: registry.example.com/acme/blog
media: {bucket: {url: s3://blog-media, secret: blog-s3, endpoint: "http://bucket.bucket.svc:7070"}}
environments: {local: {}}
"""


@pytest.mark.parametrize(
    ("bucket", "address", "reached"),
    [
        (Bucket(url="s3://a-b/c/d/"), "https://a-b.s3.amazonaws.com/c/d", ("a-b.s3.amazonaws.com", 443)),
        (Bucket(url="s3://abc", region="eu-central-1"), "https://abc.s3.eu-central-1.amazonaws.com",
         ("abc.s3.eu-central-1.amazonaws.com", 443)),
        (Bucket(url="s3://abc/x", endpoint="http://minio:9000/"), "http://minio:9000/abc/x", ("minio", 9000)),
    ],
)  # fmt: skip
def test_where_a_bucket_is(bucket: Bucket, address: str, reached: tuple[str, int]) -> None:
    assert buckets.address(bucket) == address
    assert buckets.reached(bucket) == reached


def app(text: str = SPEC):
    return resolve(parse(text.encode(), "nuages.yaml"), "local")


def test_what_opens_the_bucket_is_among_the_secrets() -> None:
    """So a release copies it, and refuses to begin where it is not there."""
    assert app().secrets == {key: SecretSource(secret="blog-s3", key=key) for key in buckets.KEYS}


def test_the_spec_s_own_variables_win() -> None:
    declared = app(SPEC + "secrets: {AWS_ACCESS_KEY_ID: {}}\nenv: {AWS_SECRET_ACCESS_KEY: x}\n")
    assert declared.secrets == {"AWS_ACCESS_KEY_ID": SecretSource()}


def test_the_image_gets_what_reaches_a_bucket_and_no_second_version() -> None:
    added = {one.name: one.line() for one in additions.wanted(app(), {"django": "5.2", "botocore": "1.40.0"})}
    assert "django-storages" in added
    assert added["boto3"] == "boto3==1.40.0"
    assert "botocore" not in added
    assert not {"boto3", "s3transfer"} & {one.name for one in additions.wanted(app(), {"boto3": "1.30.0"})}
