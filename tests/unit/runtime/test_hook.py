from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import nuages_runtime
from nuages_runtime import hook

pytestmark = pytest.mark.unit

FOLDER = Path(nuages_runtime.__file__).parent


@pytest.fixture(autouse=True)
def finders(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """The finders that came to those of before; gone again afterwards."""
    monkeypatch.setenv(hook.GIVEN, "")  # so that it is gone again afterwards
    monkeypatch.delenv(hook.GIVEN)
    before = list(sys.meta_path)
    added: list[object] = []
    monkeypatch.setattr(sys, "meta_path", added)
    added.extend(before)
    yield added
    monkeypatch.undo()


def ours(finders: list[object]) -> list[hook.Finder]:
    return [finder for finder in finders if isinstance(finder, hook.Finder)]


@pytest.mark.parametrize(("parts", "count"), [(None, 0), ("", 0), ("debug", 1)])
def test_the_hook_waits_only_where_a_part_is_on(
    monkeypatch: pytest.MonkeyPatch, finders: list[object], parts: str | None, count: int
) -> None:
    monkeypatch.delenv("NUAGES_OVERLAY", raising=False)
    if parts is not None:
        monkeypatch.setenv("NUAGES_OVERLAY", parts)
    hook.start()
    hook.start()  # both files may call it
    assert len(ours(finders)) == count


def test_the_two_files_call_the_same_function() -> None:
    line = (FOLDER / "nuages.pth").read_text()
    assert line.startswith("import ")  # what site.py executes, up to Python 3.14
    assert line.count("\n") == 1
    module, _, name = (FOLDER / "nuages.start").read_text().strip().partition(":")
    assert getattr(importlib.import_module(module), name) is hook.start
    assert f'__import__("{module}").hook.{name}()' in line


def test_a_watched_module_is_wrapped_once_and_its_loader_is_as_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, finders: list[object]
) -> None:
    (tmp_path / "watched_by_us.py").write_text("VALUE = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    finder = hook.Finder({})
    seen = []
    finder.watched = {"watched_by_us": lambda module: seen.append(module.VALUE)}
    finders.insert(0, finder)
    module = importlib.import_module("watched_by_us")
    try:
        assert seen == [1]
        assert type(module.__spec__.loader).__name__ == "SourceFileLoader"
        assert "exec_module" not in vars(module.__spec__.loader)
        importlib.reload(module)
        assert seen == [1, 1]
        assert importlib.import_module("colorsys")  # all else is found by the others
    finally:
        sys.modules.pop("watched_by_us")


def test_a_finder_of_before_python_3_4_is_not_asked(finders: list[object]) -> None:
    finder = hook.Finder({})
    finder.watched = {"colorsys": lambda module: None}
    finders[:0] = [finder, object()]
    assert finder.find_spec("colorsys") is not None


def test_what_a_started_process_finds_in_its_environment_is_what_the_pod_gave(
    monkeypatch: pytest.MonkeyPatch, finders: list[object]
) -> None:
    monkeypatch.setenv("NUAGES_OVERLAY", "debug")
    monkeypatch.setenv("FROM_THE_POD", "1")
    hook.start()
    monkeypatch.setenv("DEBUG", "true")  # settings that read a .env file
    monkeypatch.setenv("FROM_THE_POD", "2")
    [first] = ours(finders)
    finders.remove(first)
    hook.start()  # as a process does that this one starts
    [second] = ours(finders)
    assert "DEBUG" not in first.environ
    assert "DEBUG" not in second.environ
    assert (first.environ["FROM_THE_POD"], second.environ["FROM_THE_POD"]) == ("1", "2")
