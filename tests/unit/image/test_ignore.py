from __future__ import annotations

import re
from pathlib import Path

import pytest

from nuages.image.ignore import rules, select

pytestmark = pytest.mark.unit


def covered(pattern: str, path: str, *, is_folder: bool = False, anchored: bool = False) -> bool:
    [rule] = rules([pattern], anchored=anchored)
    return rule.covers(path, is_folder)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.log", "a.log"),
        ("*.log", "deep/down/a.log"),
        ("/a.log", "a.log"),
        ("docs/*.txt", "docs/a.txt"),
        ("**/build", "x/build"),
        ("build/**", "build/x/y"),
        ("a/**/b", "a/b"),
        ("a/**/b", "a/x/y/b"),
        ("fo?", "foo"),
        ("[a-c]x", "bx"),
        ("[!a]x", "bx"),
        (r"\#x", "#x"),
        ("trailing   ", "trailing"),
    ],
)
def test_a_pattern_covers(pattern: str, path: str) -> None:
    assert covered(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/a.log", "deep/a.log"),
        ("docs/*.txt", "docs/deep/a.txt"),
        ("docs/*.txt", "other/docs/a.txt"),
        ("build/", "build"),
        ("*.log", "a.logs"),
        ("a.log", "aXlog"),
    ],
)
def test_a_pattern_leaves_alone(pattern: str, path: str) -> None:
    assert not covered(pattern, path)


def test_dockerignore_s_patterns_begin_at_the_project() -> None:
    assert covered("a.log", "a.log", anchored=True)
    assert not covered("a.log", "deep/a.log", anchored=True)


def test_comments_and_empty_lines_are_no_patterns() -> None:
    assert list(rules(["", "  ", "# x"])) == []


def make(root: Path, *files: str, **texts: str) -> None:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    for name, text in texts.items():
        (root / f".{name}").write_text(text)


def test_secrets_and_other_people_s_code_are_never_taken(tmp_path: Path) -> None:
    rubbish = [".env", ".env.production", "certs/tls.key", "ca.pem", ".git/HEAD", "db.sqlite3", "node_modules/x/i.js"]
    made = [
        *rubbish,
        "app/__pycache__/x.pyc",
        "py/pyvenv.cfg",
        "py/lib/x.py",
        ".venv/x.py",
        "nuages.yaml",
        ".nuages/plan.json",
    ]
    make(tmp_path, "manage.py", "app/views.py", *made)
    chosen = select(tmp_path)
    assert chosen.files == ("app/views.py", "manage.py")
    assert set(chosen.left_out) >= {".env", "certs/tls.key", "node_modules/", "py/", "db.sqlite3"}


def test_gitignore_and_dockerignore_both_hold(tmp_path: Path) -> None:
    make(tmp_path, "manage.py", "media/a.jpg", "docs/x.md", gitignore="media/\n", dockerignore="docs\n")
    assert select(tmp_path).files == (".dockerignore", ".gitignore", "manage.py")


def test_dockerignore_brings_back_what_the_built_in_rules_leave_out(tmp_path: Path) -> None:
    make(tmp_path, "certs/rds.pem", "certs/other.pem", dockerignore="!certs/rds.pem\n")
    assert select(tmp_path).files == (".dockerignore", "certs/rds.pem")


def test_a_gitignore_in_a_folder_holds_below_it(tmp_path: Path) -> None:
    make(tmp_path, "a/out.txt", "b/out.txt")
    (tmp_path / "a" / ".gitignore").write_text("out.txt\n")
    assert select(tmp_path).files == ("a/.gitignore", "b/out.txt")


def test_the_repository_s_rules_hold_for_a_project_that_is_a_part_of_it(tmp_path: Path) -> None:
    project = tmp_path / "sites" / "blog"
    make(project, "manage.py", "dist/x.js", "local.txt")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("dist/\n/sites/blog/local.txt\n/manage.py\n")
    assert select(project).files == ("manage.py",)


def test_links_are_taken_and_not_followed(tmp_path: Path) -> None:
    make(tmp_path, "a/x.py")
    (tmp_path / "b").symlink_to("a")
    assert select(tmp_path).files == ("a/x.py", "b")


def test_a_pattern_is_a_whole_path() -> None:
    [rule] = rules(["a"])
    assert isinstance(rule.matches, re.Pattern)
    assert not rule.covers("ab", is_folder=False)


@pytest.mark.parametrize(
    "secret",
    [
        "prod.env",
        ".envrc",
        ".envs/.production/.django",
        ".netrc",
        ".pgpass",
        ".aws/credentials",
        ".ssh/config",
        "id_ecdsa",
        "admin.kubeconfig",
        "db.sqlite3-wal",
    ],
)
def test_a_secret_goes_into_no_image_though_git_ignores_nothing(tmp_path: Path, secret: str) -> None:
    (tmp_path / secret).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / secret).write_text("secret")
    (tmp_path / "manage.py").touch()
    assert select(tmp_path).files == ("manage.py",)


def test_no_rule_brings_a_secret_back(tmp_path: Path) -> None:
    make(tmp_path, ".env", ".envs/.production/.django", "id_rsa", "certs/ca.pem", dockerignore="!**\n!.env\n!.envs\n")
    (tmp_path / "certs" / "tls.pem").write_text("-----BEGIN RSA PRIVATE KEY-----\n")
    (tmp_path / "certs" / "notes.crt").write_text("-----BEGIN PRIVATE KEY-----\n")
    chosen = select(tmp_path)
    assert chosen.files == (".dockerignore", "certs/ca.pem")
    assert set(chosen.left_out) == {".env", ".envs/", "certs/notes.crt", "certs/tls.pem", "id_rsa"}


def test_a_cloud_account_s_key_goes_into_no_image_and_other_json_does(tmp_path: Path) -> None:
    make(tmp_path, "manage.py", "fixtures/posts.json", ".kube/config", ".git-credentials")
    (tmp_path / "account.json").write_text('{"private_key": "-----BEGIN PRIVATE KEY-----\\nMII"}')
    assert select(tmp_path).files == ("fixtures/posts.json", "manage.py")


@pytest.mark.parametrize("pattern", ["[z-a]", "[\\]"])
def test_a_pattern_that_means_nothing_ends_no_build(pattern: str, tmp_path: Path) -> None:
    make(tmp_path, "manage.py", gitignore=f"{pattern}\n")
    assert "manage.py" in select(tmp_path).files
