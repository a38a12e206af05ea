from __future__ import annotations

from pathlib import Path

import pytest

from nuages.project.facts import Variable
from nuages.project.scopes import parse
from nuages.project.settings import Module, variables

pytestmark = pytest.mark.unit

# What settings say -> name, required, default, kind.
READS = [
    ('X = os.environ["A"]', ("A", True, None, "str")),
    ('X = os.environ.get("A")', ("A", False, None, "str")),
    ('X = os.environ.get("A", "b")', ("A", False, "b", "str")),
    ('X = os.getenv("A", default="b")', ("A", False, "b", "str")),
    ('X = int(os.environ["A"])', ("A", True, None, "int")),
    ('X = os.environ["A"].split(",")', ("A", True, None, "list")),
    ('X = os.environ.get("A", "0") == "1"', ("A", False, "0", "bool")),
    ('X = env("A")', ("A", True, None, "str")),
    ('X = env("A", default="b")', ("A", False, "b", "str")),
    ('X = env.bool("A", False)', ("A", False, "false", "bool")),
    ('X = env.list("A", default=["a", "b"])', ("A", False, "a,b", "list")),
    ('X = env("A", bool, True)', ("A", False, "true", "bool")),
    ('X = env.db("A")', ("A", True, None, "db")),
    ('X = config("A", default=3, cast=int)', ("A", False, "3", "int")),
    ('X = config("A", cast=Csv())', ("A", True, None, "list")),
    ("X = dj_database_url.config()", ("DATABASE_URL", True, None, "db")),
    ('X = dj_database_url.config(env="A", default="sqlite://")', ("A", False, "sqlite://", "db")),
]


def read(folder: Path, text: str) -> list[Variable]:
    path = folder / "settings.py"
    path.write_text(text)
    tree = parse(path, "settings.py")
    assert tree
    return list(variables(Module(path, "settings.py", tree)))


@pytest.mark.parametrize(("text", "wanted"), READS)
def test_ways_to_read_a_variable(tmp_path: Path, text: str, wanted: tuple[object, ...]) -> None:
    [found] = read(tmp_path, text)
    assert (found.name, found.required, found.default, found.kind) == wanted
    assert found.place.line == 1
    assert found.setting == "X"


@pytest.mark.parametrize(
    "text", ['os.environ["A"] = "b"', "X = env(name)", 'X = config["A"]', 'X = env.read_env("file.env")']
)
def test_what_reads_no_variable_is_not_taken_for_it(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == []


def test_defaults_of_django_environ_s_scheme_count(tmp_path: Path) -> None:
    [found] = read(tmp_path, 'env = environ.Env(DEBUG=(bool, False))\nDEBUG = env("DEBUG")')
    assert (found.required, found.default, found.kind) == (False, "false", "bool")


def test_a_function_of_the_project_s_own_with_a_default_requires_nothing(tmp_path: Path) -> None:
    text = 'def env(name, default=""):\n    return os.environ.get(name, default)\n\nX = env("A")'
    assert [found.required for found in read(tmp_path, text) if found.name == "A"] == [False]
