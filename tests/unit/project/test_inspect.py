from __future__ import annotations

from pathlib import Path

import pytest

from nuages.errors import Refused
from nuages.project.inspect import inspect

pytestmark = pytest.mark.unit

SETTINGS = """\
import os
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "").split(",")
MIDDLEWARE = ["whitenoise.middleware.WhiteNoiseMiddleware"]
WSGI_APPLICATION = "shop.wsgi.application"
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": os.environ["DB_HOST"]}}
MEDIA_ROOT = BASE_DIR / "media"
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project as startproject lays it out."""
    root = tmp_path / "My Shop"
    (root / "shop").mkdir(parents=True)
    (root / "manage.py").write_text('import django\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")')
    (root / "shop" / "wsgi.py").write_text('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")')
    (root / "shop" / "settings.py").write_text(SETTINGS)
    (root / "requirements.txt").write_text("-r base.txt\nDjango==5.2.19  # LTS\n")
    (root / "base.txt").write_text("psycopg[binary]==3.3.9 ; python_version > '3.9'\nPillow>=11\n")
    return root


def test_each_fact_says_where_it_was_read(shop: Path) -> None:
    facts = inspect(shop)
    assert (facts.settings.value, str(facts.settings.place)) == ("shop.settings", "shop/wsgi.py:1")
    assert facts.wsgi is not None
    assert (facts.wsgi.value, str(facts.wsgi.place)) == ("shop.wsgi:application", "shop/settings.py:7")
    assert facts.database is not None
    assert (facts.database.value, facts.database.sure) == ("postgresql", True)
    assert facts.media_root is not None
    assert facts.media_root.value == "media"
    assert facts.static_root is None
    assert facts.whitenoise
    assert {variable.name for variable in facts.variables if variable.required} == {"SECRET_KEY", "DB_HOST"}


def test_included_requirements_decide_too(shop: Path) -> None:
    found = inspect(shop).dependencies
    assert found is not None
    assert found.files == ("requirements.txt", "base.txt")
    assert found.packages == {"psycopg": "3.3.9", "pillow": "", "django": "5.2.19"}


def test_requirements_that_include_each_other_are_read_once(shop: Path) -> None:
    (shop / "requirements.txt").write_text("-r more.txt\nDjango==5.2\n")
    (shop / "more.txt").write_text("-r requirements.txt\ngunicorn\n")
    told = inspect(shop).dependencies
    assert told
    assert told.files == ("requirements.txt", "more.txt")
    assert told.packages == {"django": "5.2", "gunicorn": ""}


def test_requirements_written_by_powershell_are_read(shop: Path) -> None:
    (shop / "requirements.txt").write_text("Django==5.2\n", encoding="utf-16")
    told = inspect(shop).dependencies
    assert told
    assert told.packages == {"django": "5.2"}


def test_a_uv_lock_comes_before_requirements(shop: Path) -> None:
    (shop / "pyproject.toml").write_text('[project]\nname = "shop"\nrequires-python = ">=3.11,<3.13"\n')
    (shop / "uv.lock").write_text('version = 1\n[[package]]\nname = "Django"\nversion = "5.2.1"\n')
    facts = inspect(shop)
    assert facts.dependencies is not None
    assert (facts.dependencies.kind, facts.dependencies.packages) == ("uv.lock", {"django": "5.2.1"})
    assert facts.python is not None
    assert facts.python.value == ">=3.11,<3.13"


def test_the_app_s_name_is_one_that_kubernetes_takes(shop: Path) -> None:
    assert inspect(shop).name == "my-shop"


def test_a_project_one_folder_below_is_found(shop: Path) -> None:
    assert inspect(shop.parent).root == shop


def test_a_folder_without_manage_py_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        inspect(tmp_path)
    assert [finding.id for finding in refused.value.findings] == ["project.E201"]


def test_a_lock_above_the_folder_of_manage_py_counts_from_where_init_runs(shop: Path) -> None:
    repository = shop.parent
    (shop / "requirements.txt").rename(repository / "requirements.txt")
    (shop / "base.txt").rename(repository / "base.txt")
    (repository / ".python-version").write_text("3.12\n")
    facts = inspect(repository)
    assert facts.dependencies is not None
    assert facts.dependencies.files == ("../requirements.txt", "../base.txt")
    assert facts.python is not None
    assert facts.python.value == "3.12"


def test_hints_of_the_repository_count_where_manage_py_is_below(shop: Path) -> None:
    (shop.parent / "Procfile").write_text("mailer: python manage.py send_queued\n")
    [worker] = inspect(shop.parent).workers
    assert (worker.name, str(worker.place)) == ("mailer", "../Procfile:1")
