"""A mistake in what is built anew, in the middle of a session."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from nuages.cli import dev
from nuages.cli.console import Console
from nuages.errors import BuildFailed, Interrupted
from nuages.release.dev.develop import Wish

BEFORE = Wish(ttl=60, image="before")


def rebuilt(monkeypatch: pytest.MonkeyPatch, ends: BaseException | None) -> tuple[Any, Wish]:
    def built(*_: object) -> str:
        if ends:
            raise ends
        return "after"

    monkeypatch.setattr("nuages.image.build.inspected", lambda *_: "new facts")
    monkeypatch.setattr(dev, "_built", built)
    nobody = cast("Any", SimpleNamespace())
    return dev._rebuilt(Path(), nobody, nobody, (cast("Any", "old facts"), BEFORE))


def test_an_image_that_is_built_is_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rebuilt(monkeypatch, None) == ("new facts", BEFORE._replace(image="after"))


def test_a_failed_build_is_shown_and_the_session_goes_on_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(dev, "console", Console(out, out))
    assert rebuilt(monkeypatch, BuildFailed("no such package", hint="correct it")) == ("old facts", BEFORE)
    assert "no such package" in out.getvalue()
    assert "b tries again" in out.getvalue()


def test_ctrl_c_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Interrupted):
        rebuilt(monkeypatch, Interrupted("stopped"))
