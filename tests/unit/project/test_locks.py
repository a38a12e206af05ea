"""What each kind of lock installs: groups, extras, markers, sources and hashes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nuages.errors import Refused
from nuages.project import locks, locks_pipenv, requirements
from nuages.project.locks_poetry import specifier
from nuages.project.requirements import Options

pytestmark = pytest.mark.unit

POETRY = """
[tool.poetry.dependencies]
python = "^3.11"
django = "^5.2"
psycopg = {version = "^3.2", extras = ["binary"], optional = true}
[tool.poetry.extras]
postgres = ["psycopg"]
[tool.poetry.group.prod.dependencies]
gunicorn = "^23"
[tool.poetry.dev-dependencies]
pytest = "*"
"""
POETRY_LOCK = """
[[package]]
name = "Django"
version = "5.2.1"
optional = false
python-versions = ">=3.10"
files = [{file = "django.whl", hash = "sha256:d1"}, {file = "django.tar.gz", hash = "sha256:d2"}]
[package.dependencies]
asgiref = ">=3.8.1,<4"
tzdata = {version = "*", markers = "sys_platform == 'win32'"}
[[package]]
name = "asgiref"
version = "3.8.1"
python-versions = "*"
files = []
[package.dependencies]
Django = "*"
[[package]]
name = "tzdata"
version = "2025.1"
python-versions = "*"
[[package]]
name = "psycopg"
version = "3.2.9"
optional = true
python-versions = "*"
[package.dependencies]
psycopg-binary = {version = "3.2.9", optional = true, markers = "implementation_name != 'pypy' and extra == 'binary'"}
psycopg-c = {version = "3.2.9", optional = true, markers = "extra == 'c'"}
[package.extras]
binary = ["psycopg-binary (==3.2.9)"]
c = ["psycopg-c (==3.2.9)"]
[[package]]
name = "psycopg-binary"
version = "3.2.9"
optional = true
python-versions = "*"
[[package]]
name = "gunicorn"
version = "23.0.0"
python-versions = "*"
[package.source]
type = "git"
url = "https://example.com/gunicorn.git"
reference = "master"
resolved_reference = "abc123"
[[package]]
name = "pytest"
version = "8.0"
python-versions = "*"
[metadata]
lock-version = "2.0"
[metadata.files]
asgiref = [{file = "asgiref.whl", hash = "sha256:a1"}]
"""


def poetry(folder: Path, lock: str = POETRY_LOCK, project: str = POETRY) -> Path:
    (folder / "pyproject.toml").write_text(project)
    (folder / "poetry.lock").write_text(lock)
    return folder


def lines(folder: Path, kind: str, options: Options = requirements.FOUND, python: str = "3.13") -> list[str]:
    reached = locks.walk(requirements.lock(folder, kind, options), python)
    return [package.line(extras) for package, extras in reached.values()]


def test_poetry_installs_main_with_hashes_and_leaves_out_what_markers_and_groups_exclude(tmp_path: Path) -> None:
    assert lines(poetry(tmp_path), "poetry.lock") == [
        "asgiref==3.8.1 --hash=sha256:a1",
        "django==5.2.1 --hash=sha256:d1 --hash=sha256:d2",
    ]


def test_poetry_s_extras_and_groups_are_installed_where_they_are_asked_for(tmp_path: Path) -> None:
    found = requirements.dependencies(poetry(tmp_path), Options("", ["postgres"], ["prod"]))
    assert found
    assert set(found.packages) == {"django", "asgiref", "psycopg", "psycopg-binary", "gunicorn"}
    asked = lines(tmp_path, "poetry.lock", Options("", ["postgres"], ["prod"]))
    assert "gunicorn @ git+https://example.com/gunicorn.git@abc123" in asked
    assert "psycopg[binary]==3.2.9" in asked


def test_a_lock_that_lacks_what_the_project_asks_for_is_refused_with_the_command_that_helps(tmp_path: Path) -> None:
    poetry(tmp_path, project=POETRY.replace('django = "^5.2"', 'django = "^5.2"\nstripe = "*"'))
    with pytest.raises(Refused) as refused:
        lines(tmp_path, "poetry.lock")
    assert refused.value.message == "poetry.lock does not have stripe, which the project needs"
    assert refused.value.hint == "run: poetry lock"
    assert requirements.dependencies(tmp_path).packages == {}, "reading facts goes on"  # type: ignore[union-attr]


def test_a_lock_with_the_marks_of_a_merge_says_so(tmp_path: Path) -> None:
    poetry(tmp_path, lock="<<<<<<< HEAD\n" + POETRY_LOCK)
    with pytest.raises(Refused, match=r"poetry\.lock can't be read: it has the marks of a merge"):
        lines(tmp_path, "poetry.lock")


def test_of_several_locked_versions_the_one_for_this_python_is_taken(tmp_path: Path) -> None:
    lock = """
[[package]]
name = "numpy"
version = "2.2.0"
python-versions = ">=3.10,<3.12"
[[package]]
name = "numpy"
version = "2.3.0"
python-versions = ">=3.12"
"""
    poetry(tmp_path, lock=lock, project='[tool.poetry.dependencies]\nnumpy = "*"\n')
    assert lines(tmp_path, "poetry.lock", python="3.11.2") == ["numpy==2.2.0"]
    assert lines(tmp_path, "poetry.lock", python="3.13") == ["numpy==2.3.0"]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("*", ""),
        ("1.2", "==1.2"),
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.2", ">=0.2,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("~1.2", ">=1.2,<1.3"),
        ("~1", ">=1,<2"),
        ("~=1.2", "~=1.2"),
        (">=1.0 <2.0", ">=1.0,<2.0"),
        (">= 1.0, < 2", ">=1.0,<2"),
        ("^1.0 || ^2.0", ""),
    ],
)
def test_poetry_s_constraints_are_put_into_python_s_own_words(said: str, meant: str) -> None:
    assert specifier(said) == meant


PDM_LOCK = """
[metadata]
groups = ["default", "cache", "dev"]
[[package]]
name = "django"
version = "5.2.1"
requires_python = ">=3.10"
dependencies = ["asgiref>=3.8", "tzdata; sys_platform == 'win32'"]
files = [{file = "django.whl", hash = "sha256:d1"}]
[[package]]
name = "asgiref"
version = "3.8.1"
[[package]]
name = "psycopg"
version = "3.2.9"
extras = ["binary"]
dependencies = ["psycopg==3.2.9", "psycopg-binary==3.2.9; implementation_name != 'pypy'"]
[[package]]
name = "psycopg"
version = "3.2.9"
[[package]]
name = "psycopg-binary"
version = "3.2.9"
[[package]]
name = "redis"
version = "5.0"
[[package]]
name = "ours"
version = "1.0"
path = "./libs/ours"
editable = true
"""


def test_pdm_s_lock_has_an_entry_of_its_own_for_a_package_with_extras(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = ["django>=5", "psycopg[binary]", "ours"]\n'
        '[project.optional-dependencies]\ncache = ["redis"]\n[dependency-groups]\nmore = ["redis"]\n'
    )
    (tmp_path / "pdm.lock").write_text(PDM_LOCK)
    plain = lines(tmp_path, "pdm.lock")
    assert plain == [
        "asgiref==3.8.1",
        "django==5.2.1 --hash=sha256:d1",
        "-e ./libs/ours",
        "psycopg[binary]==3.2.9",
        "psycopg-binary==3.2.9",
    ]
    assert "redis==5.0" in lines(tmp_path, "pdm.lock", Options("", ["cache"]))
    assert "redis==5.0" in lines(tmp_path, "pdm.lock", Options("", (), ["more"]))


def test_pipenv_s_lock_is_a_list_per_category(tmp_path: Path) -> None:
    content = {
        "_meta": {"sources": [{"name": "pypi", "url": "https://pypi.python.org/simple"}]},
        "default": {
            "django": {"version": "==5.2.1", "hashes": ["sha256:b", "sha256:a"], "markers": "python_version >= '3.10'"},
            "tzdata": {"version": "==1", "markers": "sys_platform == 'win32'"},
            "tool": {"git": "https://example.com/tool.git", "ref": "abc", "editable": False},
        },
        "develop": {"pytest": {"version": "==8.0"}},
    }
    (tmp_path / "Pipfile.lock").write_text(json.dumps(content))
    env = locks.environment("3.13")
    assert [package.line(extras) for package, extras in locks_pipenv.locked(tmp_path, (), env)] == [
        "django==5.2.1 --hash=sha256:a --hash=sha256:b",
        "tool @ git+https://example.com/tool.git@abc",
    ]
    assert [package.name for package, _ in locks_pipenv.locked(tmp_path, ["dev"], env)][-1] == "pytest"
    assert requirements.indexes(tmp_path, locked=True) == []


def test_a_pipfile_lock_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Pipfile.lock").write_text("{")
    with pytest.raises(Refused, match=r"Pipfile\.lock can't be read"):
        list(locks_pipenv.locked(tmp_path, (), locks.environment("3.13")))


UV_LOCK = """
version = 1
[[package]]
name = "shop"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "django" }, { name = "psycopg", extra = ["binary"], marker = "sys_platform != 'win32'" }]
[package.optional-dependencies]
cache = [{ name = "redis" }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]
[[package]]
name = "django"
version = "5.2.1"
source = { registry = "https://index.example.com/simple" }
[[package]]
name = "psycopg"
version = "3.2.9"
[package.optional-dependencies]
binary = [{ name = "psycopg-binary" }]
[[package]]
name = "psycopg-binary"
version = "3.2.9"
[[package]]
name = "redis"
version = "5.0"
[[package]]
name = "pytest"
version = "8.0"
"""


@pytest.mark.parametrize(
    ("options", "more"),
    [(Options(), set()), (Options("", ["cache"]), {"redis"}), (Options("", (), ["dev"]), {"pytest"})],
)
def test_a_driver_in_a_group_is_no_driver_until_the_group_is_asked_for(
    tmp_path: Path, options: Options, more: set[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    (tmp_path / "uv.lock").write_text(UV_LOCK)
    found = requirements.dependencies(tmp_path, options)
    assert found
    assert set(found.packages) == {"django", "psycopg", "psycopg-binary", *more}


def test_groups_and_extras_are_told_with_what_they_would_bring(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "shop"\ndependencies = ["django"]\n[project.optional-dependencies]\ncache = ["redis>5"]\n'
        '[dependency-groups]\nbase = ["Psycopg[c]"]\nprod = [{include-group = "base"}, "gunicorn"]\n'
    )
    assert requirements.groups(tmp_path) == {
        "base": ("psycopg",),
        "prod": ("psycopg", "gunicorn"),
        "cache": ("redis",),
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("poetry.lock", "[[package]]\nversion = '1'\n"),
        ("pdm.lock", "package = ['django']\n"),
        ("uv.lock", "[[package]]\nname = 'django'\nsource = 1\n"),
        ("Pipfile.lock", '{"default": {"django": "5.2"}}'),
        ("Pipfile.lock", '{"default": ["django"]}'),
    ],
)
def test_a_lock_of_another_form_is_one_line(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\ndependencies = ["django"]\n')
    (tmp_path / name).write_text(text)
    with pytest.raises(Refused, match=f"{name} can't be read"):
        if name == "Pipfile.lock":
            list(locks_pipenv.locked(tmp_path, (), locks.environment("3.13")))
        else:
            requirements.lock(tmp_path, name, requirements.FOUND)
