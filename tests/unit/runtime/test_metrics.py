from __future__ import annotations

import os
from pathlib import Path

import pytest

from nuages_runtime import metrics

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of what is prepared stays in this process."""
    for name in (metrics.MULTIPROCESS, "PROMETHEUS_DISABLE_CREATED_SERIES"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("NUAGES_METRICS_PORT", "9464")


def test_several_processes_get_an_empty_folder_and_one_gets_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(metrics, "memory", lambda: tmp_path)
    metrics.prepare(1)
    assert metrics.MULTIPROCESS not in os.environ
    left = tmp_path / f"nuages-metrics-{os.getuid()}" / "counter_7.db"
    left.parent.mkdir()
    left.touch()
    metrics.prepare(2)
    assert os.environ[metrics.MULTIPROCESS] == str(left.parent)
    assert not left.exists()


def test_a_folder_that_the_project_names_is_made_and_its_files_stay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(metrics.MULTIPROCESS, str(tmp_path / "of" / "theirs"))
    metrics.prepare(2)
    (tmp_path / "of" / "theirs" / "counter_7.db").touch()
    metrics.prepare(2)
    assert os.environ[metrics.MULTIPROCESS] == str(tmp_path / "of" / "theirs")
    assert (tmp_path / "of" / "theirs" / "counter_7.db").exists()


@pytest.mark.parametrize("error", [ImportError, FileNotFoundError, ValueError])
def test_metrics_that_cannot_be_had_stop_no_site(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def fail(_port: int) -> None:
        raise error

    monkeypatch.setattr(metrics, "Metrics", fail)
    assert metrics.load() is None
