"""What is offered on Tab, from the words on the line; and what it costs to say so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nuages.cli import names
from nuages.cli.completing import TABLE, Context, complete, joined, main, table
from nuages.release import naming

pytestmark = pytest.mark.unit

COMMANDS = table(Path(TABLE).read_text())
SPEC = """\
name: blog
image: registry.example.com/acme/blog
web: {main: {}, api: {routes: [/api/]}}
services: {postgres: {run: }, redis: {external: {host: r}}}
secrets: {SECRET_KEY: {generate: true}, DSN: }
jobs: {seed: {manage: [loaddata, demo]}}
environments: {staging: {cluster: x, workers: {mail: {celery: blog}}}, preview: {template: true}}
"""


def offered(line: str) -> tuple[list[str], str]:
    """The values for a line whose cursor is at its end; names are told by their kind and environment."""

    def told(kind: str, context: Context) -> list[tuple[str, str]]:
        return [(f"{kind}-of-{context.environment}", "")]

    values, paths = complete(line.split(" "), COMMANDS, told)
    return [value for value, _ in values], paths


@pytest.mark.parametrize(
    ("line", "values", "paths"),
    [
        ("dep", ["deploy"], ""),
        ("secrets un", ["unset"], ""),
        ("deploy --mess", ["--message"], ""),
        ("deploy -m", ["-m"], ""),
        ("deploy --message why --mess", [], ""),
        ("deploy -e ", ["environments-of-local"], ""),
        ("deploy --environment=", ["--environment=environments-of-local"], ""),
        ("check -f ", [], "files"),
        ("check --file=", [], "files"),
        ("logs -e staging ", ["components-of-staging"], ""),
        ("logs web --environment staging ", ["components-of-staging"], ""),
        ("tail -e staging ", ["components-of-staging"], ""),
        ("releases diff 1 ", ["releases-of-local"], ""),
        ("releases diff 1 2 ", [], ""),
        ("secrets set ONE ", ["secrets-of-local"], ""),
        ("run -- ", ["rest-of-local"], "files"),
        ("run -- ls --js", [], "files"),
        ("deploy --message ", [], ""),
        ("nothing ", [], ""),
        ("--deb", ["--debug"], ""),
        ("--debug dep", ["deploy"], ""),
    ],
)
def test_what_is_offered_follows_from_the_words_before(line: str, values: list[str], paths: str) -> None:
    assert offered(line) == (values, paths)


def test_every_command_and_every_option_is_offered_with_what_it_does() -> None:
    for path, command in COMMANDS.items():
        assert all(about for _, about in command.children), path
        assert all(option.about for option in command.options), path


def test_bash_takes_words_apart_and_they_are_put_together_again() -> None:
    assert joined(["deploy", "--file", "=", "a", "-e"]) == ["deploy", "--file=a", "-e"]
    assert joined(["cp", "web", ":", "/tmp"]) == ["cp", "web:/tmp"]
    assert joined(["deploy", "--file", "="]) == ["deploy", "--file="]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a spec, and a cache of its own."""
    (tmp_path / "nuages.yaml").write_text(SPEC)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def named(kind: str, environment: str = "local") -> list[str]:
    return [name for name, _ in names.names(kind, Context("nuages.yaml", environment, ""))]


@pytest.mark.usefixtures("project")
def test_names_of_the_spec_are_those_of_the_environment() -> None:
    assert named("environments") == ["staging", "preview", "local"]
    assert named("components") == ["web", "web-main", "web-api", "postgres"]
    assert named("components", "staging")[3:5] == ["worker", "postgres"]
    assert named("scales", "staging") == ["web-main=", "web-api=", "worker="]
    assert named("secrets") == ["SECRET_KEY", "DSN"]
    assert named("services") == ["postgres", "redis"]
    assert named("rest") == ["seed"]


def test_names_are_kept_until_the_file_changes(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert named("secrets") == ["SECRET_KEY", "DSN"]
    with monkeypatch.context() as without:
        without.setattr(naming, "of_spec", None)
        assert named("secrets") == ["SECRET_KEY", "DSN"]
    (project / "nuages.yaml").write_text(SPEC.replace("DSN", "SENTRY_DSN"))
    assert named("secrets") == ["SECRET_KEY", "SENTRY_DSN"]
    (project / "nuages.yaml").write_text("secrets: {SECR")
    assert named("secrets") == ["SECRET_KEY", "SENTRY_DSN"], "half of a line is written"


def test_names_of_the_cluster_are_kept_for_a_short_time(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    answers: list[list[names.Named] | None] = [[("release", "7", ""), ("pod", "blog-1", "")], None]
    monkeypatch.setattr(names, "_asked", lambda _: asked.append(1) or answers.pop(0))
    assert [named("releases"), named("pods")] == [["7"], ["blog-1"]]
    assert asked == [1]
    for file in (project / "cache/nuages/names").iterdir():
        os.utime(file, (0, 0))
    assert named("releases") == ["7"], "what was known before, where the cluster does not answer"
    assert asked == [1, 1]


def test_what_a_terminal_would_obey_is_no_name() -> None:
    assert naming._safe([("pod", "a\x1b[31m", ""), ("pod", "-rf", ""), ("pod", "a b", ""), ("pod", "ok", "")]) == [
        ("pod", "ok", "")
    ]


def test_bash_is_told_only_what_replaces_its_own_word(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["bash", "deploy", "--environment", "=", "sta"])
    assert capsys.readouterr().out == "staging\t\n:\n"


def test_an_answer_from_what_is_kept_imports_nothing_that_takes_time(project: Path) -> None:
    assert named("environments")
    slow = {"click", "httpx2", "lightkube", "yaml", "msgspec", "jsonschema_rs", "asyncio", "pathlib", "typing", "json"}
    code = (
        "import sys\n"
        "from nuages.cli import main\n"
        "before = set(sys.modules)\n"
        "sys.argv = ['nuages', '__complete', 'fish', 'deploy', '-e', '']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print(sorted({slow} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False, env={
        "PYTHONPATH": str(Path(names.__file__).parents[2]), "XDG_CACHE_HOME": str(project / "cache"),
    }, cwd=project)  # fmt: skip
    assert done.stdout.splitlines()[0] == "staging\t", done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
