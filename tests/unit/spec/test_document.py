"""YAML 1.2 in, values and places out."""

from __future__ import annotations

import pytest

from nuages.spec.document import read

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("off", "off"),
        ("yes", "yes"),
        ("Y", "Y"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("0755", 755),
        ("0o755", 493),
        ("0x1F", 31),
        ("-3", -3),
        ("3.10", 3.1),
        ("1e3", 1000.0),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01"),
        ('"yes"', "yes"),
        ("'5'", "5"),
    ],
)
def test_a_plain_scalar_means_what_yaml_1_2_says(text: str, value: object) -> None:
    document, findings = read(f"key: {text}\n".encode(), "x.yaml")
    assert document.value == {"key": value}
    assert findings == []


@pytest.mark.parametrize(
    ("raw", "code", "line", "column"),
    [
        (b"", "spec.E003", 1, 1),
        (b"# only a comment\n", "spec.E003", 1, 1),
        (b"name: blog\nimage: \xff\n", "spec.E002", 2, 8),
        (b"web:\n\tmain: {}\n", "spec.E001", 2, 1),
        (b"web: {main: \n", "spec.E001", 2, 1),
        (b"a: *nowhere\n", "spec.E001", 1, 4),
        (b"a: 1\n---\nb: 2\n", "spec.E004", 3, 1),
        (b"a: 1\nb: 2\na: 3\n", "spec.E005", 3, 1),
        (b"? [a, b]\n: 1\n", "spec.E006", 1, 3),
        (b"base: &b {x: 1}\nuse:\n  <<: *b\n", "spec.E007", 3, 3),
        (b"a: !secret x\n", "spec.E008", 1, 4),
        (b"a: &a [*a]\n", "spec.E009", 1, 4),
    ],
)
def test_what_is_no_yaml_for_us_is_told_at_its_place(raw: bytes, code: str, line: int, column: int) -> None:
    _, findings = read(raw, "x.yaml")
    assert [(finding.id, finding.place.line, finding.place.column) for finding in findings] == [(code, line, column)]


def test_aliases_are_copies_of_what_they_name() -> None:
    document, findings = read(b"a: &small {cpu: 100m}\nb: *small\n", "x.yaml")
    assert document.value == {"a": {"cpu": "100m"}, "b": {"cpu": "100m"}}
    assert findings == []


def test_aliases_that_multiply_without_end_are_stopped() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    _, findings = read("\n".join(lines).encode(), "x.yaml")
    assert [finding.id for finding in findings] == ["spec.E009"]


def test_keys_are_words_whatever_they_look_like() -> None:
    document, _ = read(b"no: 1\n80: 2\ntrue: 3\n", "x.yaml")
    assert document.value == {"no": 1, "80": 2, "true": 3}


def test_places_count_from_one_and_fall_back_to_what_is_above() -> None:
    document, _ = read(b"web:\n  main:\n    replicas: 3\n", "x.yaml")
    assert document.place(("web", "main", "replicas"))[:3] == ("x.yaml", 3, 15)
    assert document.place(("web", "main", "replicas"), key=True)[:3] == ("x.yaml", 3, 5)
    assert document.place(("web", "main", "nothing", "here"))[:3] == ("x.yaml", 2, 3)
