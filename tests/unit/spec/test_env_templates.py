"""Environments that are made from a template: what their spec is, and which templates are refused."""

from __future__ import annotations

import pytest

from nuages.app.components import resolve
from nuages.errors import SpecInvalid, UsageError
from nuages.release.environments.cloning import Anonymising, source_of
from nuages.spec.load import Spec, parse

pytestmark = pytest.mark.unit

BASE = """
name: blog
image: registry.example.com/acme/blog
services: {postgres: {run: {}}}
databases: {default: postgres}
jobs: {demo: {manage: [loaddata, demo]}}
environments:
  staging: {expose: {hosts: [staging.blog.example.com]}}
"""
PREVIEW = """
  preview:
    template: true
    ttl: 72h
    seed: demo
    expose: {hosts: ["{environment}.preview.example.com"]}
    env: {SITE: "https://{environment}.preview.example.com"}
"""


def spec(text: str) -> Spec:
    return parse((BASE + text).encode(), "nuages.yaml")


def refused(text: str) -> list[tuple[str, str]]:
    with pytest.raises(SpecInvalid) as caught:
        spec(text)
    return [(found.id, found.place.path) for found in caught.value.findings]


def test_a_name_that_is_not_declared_is_made_from_the_template() -> None:
    app = resolve(spec(PREVIEW), "pr-12")
    assert (app.environment, app.namespace, app.template) == ("pr-12", "blog-pr-12", "preview")
    assert (app.ttl, app.seed) == (72 * 3600, "demo")
    assert app.expose is not None
    assert app.expose.hosts == ["pr-12.preview.example.com"]
    assert app.env["SITE"].value == "https://pr-12.preview.example.com"


def test_what_is_declared_is_made_from_nothing() -> None:
    assert resolve(spec(PREVIEW), "staging").template == ""


def test_of_several_templates_the_name_begins_with_its_own() -> None:
    several = spec(PREVIEW + PREVIEW.replace("preview", "preview-big"))
    assert several.template("preview-12") == "preview"
    assert several.template("preview-big-12") == "preview-big"
    with pytest.raises(UsageError, match="no environment 'pr-12'"):
        several.environment("pr-12")


@pytest.mark.parametrize("name", ["PR-12", "12", "a-name-that-has-21-let", "pr_12", "pr-", ""])
def test_a_name_that_could_not_be_part_of_a_host_is_none(name: str) -> None:
    with pytest.raises(UsageError):
        spec(PREVIEW).environment(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  preview: {ttl: 72h}", [("spec.E250", "environments.preview.ttl")]),
        (
            "  preview: {databases: {default: {cloneFrom: staging}}}",
            [("spec.E254", "environments.preview.databases.default.cloneFrom")],
        ),
        (
            "  preview: {databases: {default: {anonymise: {none: {}}}}}",
            [("spec.E250", "environments.preview.databases.default.anonymise")],
        ),
        (
            "  preview: {databases: {default: {cloneFrom: preview, anonymise: {none: {}}}}}",
            [("spec.E252", "environments.preview.databases.default.cloneFrom")],
        ),
        (
            "  preview: {template: true, expose: {hosts: [preview.example.com]}}",
            [("spec.E251", "environments.preview.expose.hosts[0]")],
        ),
        (
            "  preview: {template: true, expose: {kind: nodePort, nodePort: 30005}}",
            [("spec.E251", "environments.preview.expose.nodePort")],
        ),
        ("  preview: {template: true, namespace: preview}", [("spec.E251", "environments.preview.namespace")]),
        (
            "  preview: {template: true, services: {postgres: {run: null, external: {host: db, secret: db}}}}",
            [("spec.E251", "environments.preview.services.postgres.external")],
        ),
        (
            "  preview: {template: true, services: {redis: {external: {host: r}}, rabbitmq: {external: {host: q}}}}",
            [
                ("spec.E251", "environments.preview.services.redis.external"),
                ("spec.E251", "environments.preview.services.rabbitmq.external"),
            ],
        ),
        (
            "  preview: {template: true, services: {memcached: {external: {host: m}}}}",
            [("spec.E251", "environments.preview.services.memcached.external")],
        ),
        (
            '  preview: {template: true, media: {bucket: {url: "s3://blog-media"}}}',
            [("spec.E251", "environments.preview.media.bucket")],
        ),
        (
            "  preview: {template: true, databases: {default: {cloneFrom: production, anonymise: {sql: a.sql}}}}",
            [("spec.E252", "environments.preview.databases.default.cloneFrom")],
        ),
        (
            "  preview: {template: true, databases: {default: {cloneFrom: preview, anonymise: {sql: a.sql}}}}",
            [("spec.E252", "environments.preview.databases.default.cloneFrom")],
        ),
        (
            "  preview: {template: true, databases: {default: {cloneFrom: staging, anonymise: {}}}}",
            [("spec.E252", "environments.preview.databases.default.anonymise")],
        ),
        ("  preview: {template: true, seed: dmo}", [("spec.E253", "environments.preview.seed")]),
    ],
)
def test_environments_that_would_meet_are_refused(text: str, expected: list[tuple[str, str]]) -> None:
    assert refused(text) == expected


def test_environments_whose_own_folder_or_host_has_their_name_are_apart() -> None:
    apart = """
  preview:
    template: true
    services: {rabbitmq: {external: {host: mq, secret: mq, name: "{environment}"}}}
    media: {bucket: {url: "s3://blog-preview/{environment}"}}
"""
    app = resolve(spec(apart), "pr-12")
    assert app.bucket is not None
    assert app.bucket.url == "s3://blog-preview/pr-12"


def test_data_goes_as_it_is_only_where_that_is_said() -> None:
    template = "  preview: {{template: true, databases: {{default: {{cloneFrom: staging{}}}}}}}"
    assert refused(template.format("")) == [("spec.E254", "environments.preview.databases.default.cloneFrom")]
    declared = "  preview: {{databases: {{default: {{cloneFrom: staging{}}}}}}}"
    assert refused(declared.format("")) == [("spec.E254", "environments.preview.databases.default.cloneFrom")]
    meant = spec(template.format(", anonymise: {none: {}}"))
    assert not meant.warnings
    assert source_of(resolve(meant, "pr-12")) == Anonymising("staging")
