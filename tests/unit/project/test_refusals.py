"""What can't be deployed ends in one clear line with its place; and nothing in a project makes reading it slow."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_projects import MANAGE, SETTINGS, shop, write

from nuages.cli.init import command as init
from nuages.errors import Refused
from nuages.project.draft import python
from nuages.project.facts import Facts
from nuages.project.inspect import inspect

pytestmark = pytest.mark.unit


def refusals(facts: Facts) -> list[tuple[str, str]]:
    return [(finding.id, str(finding.place)) for finding in facts.problems]


def refused(folder: Path) -> list[str]:
    with pytest.raises(Refused) as caught:
        inspect(folder)
    assert caught.value.exit_code == 3
    return [finding.id for finding in caught.value.findings]


def test_a_folder_without_manage_py(tmp_path: Path) -> None:
    assert refused(tmp_path) == ["project.E201"]


def test_a_manage_py_of_flask_is_none(tmp_path: Path) -> None:
    assert refused(write(tmp_path, {"manage.py": "from flask_script import Manager\n"})) == ["project.E201"]


def test_two_projects_below(tmp_path: Path) -> None:
    shop(tmp_path / "one")
    shop(tmp_path / "two")
    assert refused(tmp_path) == ["project.E202"]


def test_a_demo_beside_the_project_is_not_the_project(tmp_path: Path) -> None:
    shop(tmp_path / "backend")
    shop(tmp_path / "example")
    assert inspect(tmp_path).root == tmp_path / "backend"


def test_no_settings_at_all(tmp_path: Path) -> None:
    assert refused(write(tmp_path, {"manage.py": MANAGE.format(settings="gone.settings")})) == ["project.E203"]


def test_a_syntax_error_in_settings_is_placed(tmp_path: Path) -> None:
    facts = inspect(shop(tmp_path, "DEBUG = (\n"))
    assert refusals(facts) == [("project.E204", "shop/settings.py:12:9")]


def test_a_syntax_error_in_a_module_that_settings_import_is_placed(tmp_path: Path) -> None:
    facts = inspect(shop(tmp_path, "from .more import *\n", {"shop/more.py": "a = 1\nb = = 2\n"}))
    assert refusals(facts) == [("project.E204", "shop/more.py:2:5")]


def test_bytes_that_are_no_text_are_placed(tmp_path: Path) -> None:
    root = shop(tmp_path)
    (root / "shop" / "settings.py").write_bytes(SETTINGS.encode() + b'NAME = "Caf\xe9"\n')
    [(number, place)] = refusals(inspect(root))
    assert (number, place.startswith("shop/settings.py:")) == ("project.E204", True)


def test_a_file_of_another_encoding_that_says_so_is_read(tmp_path: Path) -> None:
    root = shop(tmp_path)
    (root / "shop" / "settings.py").write_bytes(b"# coding: latin-1\n" + SETTINGS.encode() + b'NAME = "Caf\xe9"\n')
    assert refusals(inspect(root)) == []


def test_settings_that_are_configured_by_hand(tmp_path: Path) -> None:
    manage = MANAGE.format(settings="shop.settings") + "from django.conf import settings\nsettings.configure(DEBUG=1)\n"
    assert refusals(inspect(shop(tmp_path, files={"manage.py": manage}))) == [("project.E205", "manage.py:5")]


def test_what_is_too_old_is_named_with_its_line(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "Django==1.9.5\ngunicorn==19.4.5\npsycopg2==2.6.1\n",
        "Dockerfile": "# an old one\nFROM python:3.5.1\n",
    }
    assert refusals(inspect(shop(tmp_path, files=files))) == [
        ("project.E206", "Dockerfile:2"),
        ("project.E207", "requirements.txt:1"),
        ("project.E208", "requirements.txt:3"),
    ]


@pytest.mark.parametrize("python", ["3.10", ">=3.8", ">=3.8,<4", "^3.9", "~=3.12"])
def test_a_python_that_can_be_had_is_no_reason(tmp_path: Path, python: str) -> None:
    files = {"pyproject.toml": f'[project]\nname = "shop"\nversion = "1"\nrequires-python = "{python}"\n'}
    assert refusals(inspect(shop(tmp_path, files=files))) == []


def test_nothing_that_says_what_to_install(tmp_path: Path) -> None:
    root = shop(tmp_path)
    (root / "requirements.txt").unlink()
    assert [number for number, _ in refusals(inspect(root))] == ["project.E209"]


def test_a_log_file_beside_manage_py_is_told(tmp_path: Path) -> None:
    logs = 'LOGGING = {"handlers": {"file": {"class": "logging.FileHandler", "filename": BASE_DIR / "debug.log"}}}\n'
    assert refusals(inspect(shop(tmp_path, logs))) == [("project.W211", "shop/settings.py:12")]


def test_init_writes_nothing_for_what_can_t_be_deployed(tmp_path: Path) -> None:
    root = shop(tmp_path, files={"requirements.txt": "Django==1.9.5\n"})
    result = CliRunner().invoke(init, [str(root), "--yes"])
    assert isinstance(result.exception, Refused)
    assert not (root / "nuages.yaml").exists()


def test_links_in_a_circle_and_folders_of_tools_are_passed_by(tmp_path: Path) -> None:
    root = shop(tmp_path)
    (root / "shop" / "again").symlink_to(root, target_is_directory=True)
    (root / "loop").symlink_to(root / "loop")
    write(root, {f"node_modules/p{number}/manage.py": "django" for number in range(50)})
    write(root, {"my-env/pyvenv.cfg": "", "my-env/lib/django/manage.py": "django"})
    assert inspect(root).settings.value == "shop.settings"


def test_settings_that_never_end_are_given_up(tmp_path: Path) -> None:
    endless = (
        "def again(n):\n    return again(n + 1)\nX = again(0)\nY = [a for a in range(10)] * 10**9\nA = 'x' * 10**10\n"
    )
    imports = {"shop/one.py": "from .two import *\n", "shop/two.py": "from .one import *\nfrom .settings import *\n"}
    root = shop(tmp_path, endless + "from .one import *\n", imports)
    before = time.process_time()
    assert inspect(root).settings.value == "shop.settings"
    assert time.process_time() - before < 2


def test_names_that_two_modules_import_from_each_other_are_unknown(tmp_path: Path) -> None:
    files = {"shop/one.py": "from .two import NAME\n", "shop/two.py": "from .one import NAME\n"}
    facts = inspect(shop(tmp_path, "from .one import NAME\nDEBUG = NAME\n", files))
    assert facts.debug is not None
    assert (facts.debug.value, facts.debug.sure) == ("", False)


@pytest.mark.parametrize(
    ("requirement", "newest", "refused"),
    [
        ("Django~=5.0.4", "5.0", False),
        ("Django>=4.2,<5", "4.2", False),
        ("django<=4.2.9", "4.2", False),
        ("Django>=4.2", "", False),
        ("Django~=2.0.0", "2.0", True),
        ("Django==3.2.*", "3.2", True),
        ("Django>=1.11,<2", "1.11", True),
    ],
)
def test_a_range_of_djangos_bounds_what_the_project_gets(
    tmp_path: Path, requirement: str, newest: str, refused: bool
) -> None:
    facts = inspect(shop(tmp_path, files={"requirements.txt": f"{requirement}\n"}))
    assert (facts.django.value if facts.django else "") == newest
    assert any(problem.id == "project.E207" for problem in facts.problems) == refused


def test_the_old_python_of_a_dockerfile_is_no_reason_by_itself(tmp_path: Path) -> None:
    files = {"requirements.txt": "Django==4.2.7\n", "Dockerfile": "FROM python:3.8-slim\n"}
    facts = inspect(shop(tmp_path, files=files))
    assert facts.problems == ()
    assert python(facts) == "3.11"
