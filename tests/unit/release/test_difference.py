"""What differs between two releases."""

from __future__ import annotations

import msgspec
import pytest

from nuages.release.difference import difference, hidden

from .examples_for_releases import BLOG


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"color": "maroon"}, [("changed", "ConfigMap/blog-env", "data.COLOR", "orange", "maroon")]),
        ({"replicas": 4}, [("changed", "Deployment/blog-web-main", "spec.replicas", "3", "4")]),
        (
            {"image": "2"},
            [
                ("changed", "image", "reference"),
                ("changed", "Job/blog-migrate-default-expand"),
                ("changed", "Deployment"),
            ],
        ),
        ({"service": False}, [("removed", "Service/blog", "")]),
        ({"secrets": "blog-secrets-bbb"}, [("changed", "secrets", "values", "blog-secrets-aaa", "blog-secrets-bbb")]),
        ({"password": "b"}, [("changed", "ConfigMap/blog-env", "data.DB_PASSWORD", "***", "***")]),
        ({"url": "b"}, [("changed", "ConfigMap/blog-env", "data.URL", "https://u:***@host/", "https://u:***@host/")]),
        ({"secret": "b"}, [("changed", "Secret/blog-extra", "data.key", "***", "***")]),
        (
            {"flag": "b"},
            [
                (
                    "changed",
                    "Deployment/blog-web-main",
                    "spec.template.spec.containers[web].command",
                    '["./serve","--password","***"]',
                    '["./serve","--password","***"]',
                )
            ],
        ),
        (
            {"extra": {"SIZE": "1"}},
            [("added", "Deployment/blog-web-main", "spec.template.spec.containers[web].env[SIZE].value", None, "1")],
        ),
    ],
)
def test_what_changed_is_named_and_nothing_secret_is_shown(changed, expected):
    found = difference(BLOG(7), BLOG(8, **changed))
    told = [(one.what.value, one.object, one.field, one.before, one.after) for one in found.changes]
    if "image" in changed:
        assert {(what, name.split("/")[0]) for what, name, *_ in told} == {
            ("changed", "image"), ("changed", "Job"), ("changed", "Deployment"),
        }  # fmt: skip
        return
    if "secrets" in changed:
        told = [one for one in told if one[1] == "secrets"]
    assert [one[: len(want)] for one, want in zip(told, expected, strict=True)] == expected


def test_an_object_as_it_is_shown_holds_no_secret():
    objects = msgspec.json.encode([hidden(item) for item in BLOG(7).manifest.objects]).decode()
    assert "sesame" not in objects
    assert "orange" in objects
