"""What becomes of a project's storage of uploads where the spec has a bucket, as a table."""

from __future__ import annotations

import pytest

from nuages_runtime.overlay.change import Change, World
from nuages_runtime.overlay.plan import plan
from nuages_runtime.overlay.storages import ADDRESSED, OLDER_S3, S3

pytestmark = pytest.mark.unit

FOLDER = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
WHITENOISE = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
TOLD = {
    "NUAGES_MEDIA": "s3://blog-media/uploads",
    "AWS_S3_ENDPOINT_URL": "http://bucket.bucket.svc:7070",
    "AWS_S3_REGION_NAME": "eu-central-1",
}
OPTIONS = {
    "bucket_name": "blog-media",
    "location": "uploads",
    "endpoint_url": "http://bucket.bucket.svc:7070",
    "addressing_style": "path",
    "region_name": "eu-central-1",
    "signature_version": "s3v4",
    "file_overwrite": False,
    "max_memory_size": 2097152,
}


def changed(
    own: dict[str, object],
    environ: dict[str, str],
    *,
    django: tuple[int, int] = (5, 2),
    lacking: tuple[str, ...] = (),
) -> dict[str, Change]:
    world = World(own, {"NUAGES_OVERLAY": "media", **environ}, django, lambda name: name not in lacking, "/app")
    return {change.setting: change for change in plan(world)}


@pytest.mark.parametrize(
    ("own", "action", "staticfiles"),
    [
        ({}, "added", {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}),
        ({"STORAGES": {"default": FOLDER, "staticfiles": WHITENOISE}}, "replaced", WHITENOISE),
        ({"STORAGES": {"staticfiles": WHITENOISE}}, "added", WHITENOISE),
    ],
)
def test_a_folder_becomes_the_bucket_and_all_else_stays(own, action: str, staticfiles: object) -> None:
    change = changed(own, TOLD)["STORAGES"]
    assert change.action == action
    assert change.value == {"staticfiles": staticfiles, "default": {"BACKEND": S3, "OPTIONS": OPTIONS}}


def test_amazon_s_own_bucket_needs_no_more_than_its_name() -> None:
    change = changed({}, {"NUAGES_MEDIA": "s3://blog-media"})["STORAGES"]
    options = change.value["default"]["OPTIONS"]  # type: ignore[index]
    assert options == {
        key: OPTIONS[key] for key in ("bucket_name", "signature_version", "file_overwrite", "max_memory_size")
    }


def test_with_an_address_uploads_are_asked_for_below_it() -> None:
    changes = changed({"MEDIA_URL": "/media/"}, {**TOLD, "NUAGES_MEDIA_ADDRESS": "https://media.example.com"})
    assert changes["MEDIA_URL"].value == "https://media.example.com/"
    assert changes["STORAGES"].value["default"]["BACKEND"] == ADDRESSED  # type: ignore[index]


def test_settings_of_an_older_kind_are_changed_in_their_own_words() -> None:
    """STORAGES beside STATICFILES_STORAGE would not be looked at, or refused."""
    changes = changed({"STATICFILES_STORAGE": WHITENOISE["BACKEND"], "AWS_LOCATION": "own"}, TOLD, django=(4, 2))
    assert "STORAGES" not in changes
    assert changes["DEFAULT_FILE_STORAGE"].value == S3
    assert changes["AWS_STORAGE_BUCKET_NAME"].value == "blog-media"
    assert "AWS_LOCATION" not in changes


def test_an_older_django_storages_is_known_by_its_module() -> None:
    change = changed({}, TOLD, lacking=("storages.backends.s3",))["STORAGES"]
    assert change.value["default"]["BACKEND"] == OLDER_S3  # type: ignore[index]


@pytest.mark.parametrize("backend", ["gcloud.storage.Cloud", S3])
def test_the_project_s_own_choice_stays(backend: str) -> None:
    change = changed({"STORAGES": {"default": {"BACKEND": backend}}}, TOLD)["STORAGES"]
    assert (change.action, change.why) == ("kept", f"the project's own {backend.rpartition('.')[2]}")


def test_the_project_s_own_s3_learns_which_bucket_unless_it_says_it() -> None:
    bare: dict[str, object] = {"STORAGES": {"default": {"BACKEND": S3}}}
    found = changed(bare, TOLD)
    assert found["AWS_STORAGE_BUCKET_NAME"].value == "blog-media"
    assert found["AWS_S3_ENDPOINT_URL"].value == TOLD["AWS_S3_ENDPOINT_URL"]
    named = {"STORAGES": {"default": {"BACKEND": S3, "OPTIONS": {"bucket_name": "mine"}}}}
    assert set(changed(named, TOLD)) == {"STORAGES"}
    assert set(changed(bare | {"AWS_STORAGE_BUCKET_NAME": "mine"}, TOLD)) == {"STORAGES"}


def test_without_a_bucket_nothing_is_said() -> None:
    assert changed({"STORAGES": {"default": FOLDER}}, {}) == {}


def test_without_the_library_it_is_said_and_nothing_done() -> None:
    change = changed({}, TOLD, lacking=("storages",))["STORAGES"]
    assert change.action == "kept"
    assert "django-storages" in change.why
