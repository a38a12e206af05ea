"""How a bucket is reached: by the project's processes, and by the Jobs that have one of their own.

The keys to the bucket of uploads are among the app's secrets; a Job gets those to its own bucket, and no others.

The names are those that django-storages calls its settings by, so projects that read them from the environment need
nothing else: https://django-storages.readthedocs.io/en/latest/backends/amazon-S3.html
"""

from __future__ import annotations

from nuages.app import buckets
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.pods import from_secret
from nuages.spec.model import Bucket


def variables(app: App) -> dict[str, str]:
    """Which bucket it is and where; "" where there is nothing to say. What the spec declares itself is left out."""
    if app.bucket is None:
        return {}
    told = {
        "AWS_STORAGE_BUCKET_NAME": buckets.name(app.bucket),
        "AWS_LOCATION": buckets.folder(app.bucket),
        "AWS_S3_ENDPOINT_URL": app.bucket.endpoint or "",
        "AWS_S3_REGION_NAME": app.bucket.region or "",
        # Newer clients add a checksum that not every other store knows.
        # https://docs.aws.amazon.com/sdkref/latest/guide/feature-dataintegrity.html
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required" if app.bucket.endpoint else "",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required" if app.bucket.endpoint else "",
    }
    return {name: value for name, value in told.items() if not app.declares(name)}


def job_variables(bucket: Bucket) -> list[Object]:
    """The keys to a bucket, by reference, and where its store is: what a Job's client goes by.

    https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
    """
    opening = [from_secret(key, bucket.secret, key) for key in buckets.KEYS if bucket.secret]
    told = {
        "NUAGES_BUCKET": bucket.url,
        "AWS_ENDPOINT_URL_S3": bucket.endpoint or "",
        "AWS_DEFAULT_REGION": bucket.region or "us-east-1",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required" if bucket.endpoint else "",
    }
    return [*opening, *({"name": name, "value": value} for name, value in told.items() if value)]


def settings(app: App) -> dict[str, str]:
    """What the overlay decides by, at build time too: whether uploads go to a bucket, and where they are asked for."""
    if app.bucket is None:
        return {}
    return {"NUAGES_MEDIA": app.bucket.url, "NUAGES_MEDIA_ADDRESS": app.bucket.address or ""}
