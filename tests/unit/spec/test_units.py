"""Durations and quantities."""

from __future__ import annotations

import pytest

from nuages.spec.units import bytes_of, canonical_cpu, canonical_memory, millicores, seconds

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("text", "value"), [("30s", 30), ("2m", 120), ("1h30m", 5400), ("500ms", 0.5), ("1.5h", 5400)])
def test_a_duration_in_seconds(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(("text", "value"), [("1Ki", 1024), ("256Mi", 2**28), ("1.5Gi", 3 * 2**29), ("1G", 10**9)])
def test_memory_in_bytes(text: str, value: int) -> None:
    assert bytes_of(text) == value


@pytest.mark.parametrize(("text", "value"), [("250m", 250), ("1", 1000), ("0.5", 500), ("1.25", 1250)])
def test_cpu_in_thousandths(text: str, value: int) -> None:
    assert millicores(text) == value


@pytest.mark.parametrize(("text", "value"), [("1.5", "1500m"), ("2000m", "2"), ("250m", "250m"), ("0.5", "500m")])
def test_cpu_is_written_as_the_api_server_writes_it(text: str, value: str) -> None:
    assert canonical_cpu(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("1.5Gi", "1536Mi"), ("1024Mi", "1Gi"), ("256Mi", "256Mi"), ("1.5G", "1500M"), ("1000k", "1M")]
)
def test_memory_is_written_as_the_api_server_writes_it(text: str, value: str) -> None:
    assert canonical_memory(text) == value
