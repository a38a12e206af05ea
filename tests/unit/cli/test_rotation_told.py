"""`nuages secrets rotate` makes several releases: each is told below a line that says which it is."""

from __future__ import annotations

import pytest

from nuages.cli.done import Rotation
from nuages.cli.secrets import _headed, _rotated
from nuages.progress import Finished, Started, Told

pytestmark = pytest.mark.unit

WHERE = {"app": "blog", "environment": "local", "namespace": "blog-local"}


def test_each_release_has_a_heading_with_what_it_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    for number, message in ((8, "pods learn the new SECRET_KEY"), (9, "")):
        _headed(Told("begun", {"release": number, "message": message}))
        _headed(Started("web"))
        _headed(Finished("web"))
        _headed(Told("live", {"release": number}))
    said = capsys.readouterr()
    assert said.out == ""
    assert [line for line in said.err.splitlines() if line.startswith("release")] == [
        "release 8: pods learn the new SECRET_KEY",
        "release 9",
    ]


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (
            Rotation(**WHERE, name="postgres", state="replaced", user="app_b", workloads=["Deployment/blog-web-main"]),
            "postgres has another password: blog logs in as app_b, 1 rolled",
        ),
        (
            Rotation(**WHERE, name="SECRET_KEY", state="forgotten", release=9),
            "release 9 believes the new SECRET_KEY only",
        ),
        (
            Rotation(**WHERE, name="SECRET_KEY", state="signs", release=9),
            "release 9 signs with a new SECRET_KEY, and believes the one from before",
        ),
    ],
)
def test_at_the_end_it_is_said_what_is_so(made: Rotation, line: str) -> None:
    assert _rotated(made)[0] == line


def test_the_way_on_names_the_environment() -> None:
    made = Rotation(**WHERE, name="SECRET_KEY", state="signs", release=9)
    assert _rotated(made, " -e staging")[1].startswith(
        "nuages secrets rotate SECRET_KEY --finish -e staging forgets it"
    )
