"""What a field of nuages.yaml is, where a value was said, and how an older file is brought up to date."""

from __future__ import annotations

import pytest

from nuages.errors import SpecInvalid, UsageError
from nuages.spec import migrate, schema
from nuages.spec.describe import described, flat, path_of
from nuages.spec.load import parse
from nuages.spec.migrate import Rename, Respell, Version, migrated
from nuages.spec.origins import origin

pytestmark = pytest.mark.unit

SPEC = """\
# The blog.
name: blog
image: registry.example.com/acme/blog
web:
  main: {replicas: 2, resources: {cpu: 250m}}   # two
expose: {kind: ingress, hosts: blog.example.com, tls: {none: }}
environments:
  local:
  production:
    web: {main: {replicas: 3}}
"""


@pytest.mark.parametrize(
    ("path", "whole", "form", "default"),
    [
        ("web.main.replicas", "web.NAME.replicas", "whole number from 0 to 1000", 1),
        ("web.replicas", "web.NAME.replicas", "whole number from 0 to 1000", 1),
        ("environments.production.web.requestTimeout", "web.NAME.requestTimeout", "a duration", "30s"),
        ("expose.hosts[0]", "expose.hosts[]", "a host name", None),
        ("env.COLOR", "env.NAME", "map", None),
    ],
)
def test_a_field_is_found_by_its_path_with_names_or_without(path, whole, form, default):
    found = described(path)
    assert (found.path, found.form, found.default) == (whole, form, default)


def test_the_whole_file_has_every_field_that_the_schema_has():
    fields = {field.name for field in described("").fields}
    assert fields == {*schema.environment()["$defs"]["EnvironmentSpec"]["properties"], "environments"}
    assert [field.name for field in described("").fields if field.required] == ["name", "image"]
    assert described("environments").fields


def test_every_path_of_the_tree_is_explained():
    for path, form in flat(""):
        assert described(path).form == form


def test_a_field_that_is_none_is_met_with_the_one_that_is_near():
    with pytest.raises(UsageError) as told:
        described("expose.host")
    assert told.value.hint == "did you mean hosts?"


@pytest.mark.parametrize(
    ("environment", "path", "source", "line"),
    [
        ("local", ("web", "main", "replicas"), "base", 5),
        ("production", ("web", "main", "replicas"), "environments.production", 10),
        ("production", ("web", "main", "resources", "cpu"), "base", 5),
        ("production", ("web", "main", "resources", "memory"), "default", 0),
        ("local", ("expose", "hosts", 0), "base", 6),
        ("local", ("namespace",), "default", 0),
    ],
)
def test_a_value_comes_from_the_patch_the_base_or_nobody(environment, path, source, line):
    found = origin(parse(SPEC.encode(), "nuages.yaml"), environment, path)
    assert found.source == source
    assert (found.place.line if found.place else 0) == line


def test_a_path_finds_names_that_have_dots_and_entries_of_lists():
    document = {"files": {"/etc/new.ini": {"file": "x"}}, "hosts": ["a", "b"]}
    assert path_of("files./etc/new.ini.file", document) == ("files", "/etc/new.ini", "file")
    assert path_of("hosts[1]", document) == path_of("hosts.1", document) == ("hosts", 1)
    with pytest.raises(UsageError, match="no hots"):
        path_of("hots", document)


def test_misspelled_names_are_as_they_were_meant_and_all_else_stays():
    text = SPEC.replace("replicas: 2", "replcas: 2").replace("main: {replicas: 3", 'main: {"replicsa": 3').encode()
    made = migrated(text, "nuages.yaml")
    assert made.text == SPEC.replace("main: {replicas: 3", 'main: {"replicas": 3')
    assert [(edit.line, edit.old, edit.new) for edit in made.edits] == [
        (5, "replcas", "replicas"),
        (10, "replicsa", "replicas"),
    ]


def test_a_file_that_is_right_stays_byte_for_byte():
    assert migrated(SPEC.encode(), "nuages.yaml") == (SPEC, [])


def test_an_earlier_form_goes_the_whole_way_with_its_comments(monkeypatch):
    old = {
        "nuages/v0": Version("nuages/v0b", (Rename(("web", "*", "scale"), "count"),)),
        "nuages/v0b": Version(
            "nuages/v1", (Rename(("web", "*", "count"), "replicas"), Respell(("expose", "kind"), {"http": "ingress"}))
        ),
    }
    monkeypatch.setattr(migrate, "VERSIONS", old)
    before = "apiVersion: nuages/v0\n" + SPEC.replace("replicas", "scale").replace("kind: ingress", "kind: http")
    with pytest.raises(SpecInvalid) as told:
        parse(before.encode(), "nuages.yaml")
    assert [finding.id for finding in told.value.findings] == ["spec.E261"]
    made = migrated(before.encode(), "nuages.yaml")
    assert made.text == "apiVersion: nuages/v1\n" + SPEC
    assert parse(made.text.encode(), "nuages.yaml").environments["production"].web["main"].replicas == 3


def test_a_later_form_is_refused_by_one_finding():
    later = f"apiVersion: nuages/v2\n{SPEC}brandNew: {{}}\n".encode()
    for read in (parse, migrated):
        with pytest.raises(SpecInvalid) as told:
            read(later, "nuages.yaml")
        assert [(finding.id, finding.place.line) for finding in told.value.findings] == [("spec.E260", 1)]


def test_a_misspelled_field_beside_the_right_one_stays_for_its_author():
    for written in ("replica: 2, replicas: 3", "replica: 2, repliacs: 3"):
        text = SPEC.replace("replicas: 2", written)
        assert migrated(text.encode(), "nuages.yaml").text == text


def test_what_an_anchor_leads_to_twice_is_changed_once():
    text = SPEC.replace("web:\n  main: {replicas: 2", "web: &web\n  main: {replica: 2", 1)
    text = text.replace("web: {main: {replicas: 3}}", "web: *web")
    assert migrated(text.encode(), "nuages.yaml").text == text.replace("replica:", "replicas:")


def test_a_file_that_is_not_utf_8_is_not_written_anew_with_other_letters():
    text = SPEC.replace("# The blog.", "# Café.").replace("replicas: 2", "replica: 2")
    with pytest.raises(SpecInvalid) as invalid:
        migrated(text.encode("latin-1"), "nuages.yaml")
    assert invalid.value.findings[0].id == "spec.E002"
