from __future__ import annotations

from pathlib import Path

import pytest

from nuages.findings import Place
from nuages.project.draft import draft, name_of, python
from nuages.project.facts import Dependencies, Facts, Found, Variable, Worker
from nuages.project.inspect import inspect
from nuages.spec.load import Spec, parse

pytestmark = pytest.mark.unit

EXAMPLES = Path(__file__).parents[3] / "examples"
HERE = Found("manage.py", Place("manage.py", 1))


def drafted(facts: Facts) -> Spec:
    return parse(draft(facts).encode(), "nuages.yaml")


def project(*variables: Variable, **facts: object) -> Facts:
    return Facts(
        root=Path("/shop"), manage=HERE, settings=Found("shop.settings", HERE.place), variables=variables, **facts
    )  # type: ignore[arg-type]


def variable(name: str, default: str | None = None, **more: object) -> Variable:
    return Variable(name=name, place=HERE.place, required=default is None, default=default, **more)  # type: ignore[arg-type]


def test_the_blog_s_draft_loads_without_a_finding() -> None:
    assert drafted(inspect(EXAMPLES / "blog")).warnings == ()


def test_the_example_s_spec_is_what_init_writes_for_the_blog() -> None:
    text = draft(inspect(EXAMPLES / "blog"), name="blog", image="registry.example.com/acme/blog")
    assert (EXAMPLES / "blog.nuages.yaml").read_text() == text


def test_where_there_is_an_admin_somebody_can_sign_in_and_the_password_is_made_in_the_cluster() -> None:
    spec = drafted(project(admin=True)).base
    assert spec.env["DJANGO_SUPERUSER_USERNAME"].value == "admin"
    assert spec.secrets["DJANGO_SUPERUSER_PASSWORD"].generate


def test_secrets_are_named_and_never_among_the_plain_variables() -> None:
    facts = project(
        variable("DJANGO_KEY", setting="SECRET_KEY"), variable("STRIPE_TOKEN"), variable("SENTRY_DSN", default="")
    )
    spec = drafted(facts).base
    assert spec.env == {}
    assert {name: source.generate for name, source in spec.secrets.items()} == {
        "DJANGO_KEY": True,
        "STRIPE_TOKEN": False,
    }


def test_a_required_variable_is_there_to_be_filled_in_and_says_where_it_is_read() -> None:
    spec = drafted(project(variable("PARTNER")))
    assert spec.base.env["PARTNER"].value == ""


def test_a_project_on_sqlite_gets_a_postgres_and_is_told_who_puts_it_there() -> None:
    facts = project(database=Found("sqlite3", HERE.place))
    spec = drafted(facts).base
    assert (spec.web["main"].replicas, spec.databases.default is not None) == (3, True)
    assert "SQLite in manage.py:1: the overlay" in draft(facts)


def test_a_project_on_mysql_gets_no_service_and_is_told_why() -> None:
    facts = project(database=Found("mysql", HERE.place))
    assert drafted(facts).base.services.postgres is None
    assert "# MySQL (manage.py:1) is not run here" in draft(facts)


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("", "3.13"),
        ("3.12", "3.12"),
        ("3.12.4", "3.12"),
        (">=3.10", "3.13"),
        (">=3.10,<3.12", "3.11"),
        ("<=3.12", "3.12"),
        (">=3.14", "3.14"),
        ("^3.9", "3.13"),
        ("^3.14", "3.14"),
        ("~3.11", "3.11"),
    ],
)
def test_the_newest_python_that_the_project_allows_is_chosen(wanted: str, chosen: str) -> None:
    assert python(project(python=Found(wanted, HERE.place) if wanted else None)) == chosen


@pytest.mark.parametrize(
    ("django", "chosen"),
    [("4.2.27", "3.12"), ("5.1.6", "3.13"), ("6.1.3", "3.13"), ("", "3.13")],
)
def test_where_nothing_is_said_of_python_django_bounds_it(django: str, chosen: str) -> None:
    assert python(project(django=Found(django, HERE.place))) == chosen


def test_what_it_runs_on_elsewhere_is_no_more_than_an_upper_bound() -> None:
    def hinted(version: str) -> Facts:
        return project(python=Found(version, HERE.place, sure=False), django=Found("5.2.1", HERE.place))

    assert [python(hinted(version)) for version in ("3.11", "3.14", "3.8")] == ["3.11", "3.13", "3.11"]


@pytest.mark.parametrize(
    ("packages", "wanted", "chosen"),
    [
        ({"cffi": "1.15.1"}, None, "3.11"),
        ({"cffi": "1.17.0", "pillow": "11.0.0"}, None, "3.13"),
        ({"psycopg2-binary": "2.9.9"}, None, "3.12"),
        ({"psycopg2-binary": "2.9.3"}, None, "3.10"),
        ({"psycopg2-binary": ""}, None, "3.13"),
        ({"psycopg": "3.1.18"}, None, "3.12"),
        ({"psycopg": "3.1.18", "psycopg-c": "3.1.18"}, None, "3.13"),
        ({"cffi": "1.15.1"}, Found("3.12", HERE.place, sure=False), "3.11"),
        ({"cffi": "1.15.1"}, Found("3.12", HERE.place), "3.12"),
        ({"cffi": "1.15.1"}, Found(">=3.12", HERE.place), "3.12"),
    ],
)
def test_a_pin_without_a_wheel_for_a_newer_python_keeps_an_older_one(
    packages: dict[str, str], wanted: Found | None, chosen: str
) -> None:
    declared = Dependencies(kind="requirements", files=("requirements.txt",), packages=packages)
    assert python(project(dependencies=declared, python=wanted, django=Found("5.1", HERE.place))) == chosen


def test_whatever_a_default_holds_it_is_one_line_of_yaml(tmp_path: Path) -> None:
    texts = ["C:\\x", 'say "a"', "two\nlines", "a: b # c", "Ünï", "0x10", "{}", "- a", "'"]
    facts = project(*(variable(f"V{number}", text) for number, text in enumerate(texts)), variable("LAST"))
    assert list(drafted(facts).base.env) == ["LAST"]
    required = [Variable(name=f"R{number}", place=HERE.place, required=True, suggestion=text)
                for number, text in enumerate(texts)]  # fmt: skip
    env = drafted(project(*required)).base.env
    assert [env[f"R{number}"].value for number in range(len(texts))] == texts


def test_workers_and_volumes_have_keys_of_their_own() -> None:
    place = HERE.place
    facts = project(
        celery=Found("shop.celery", place),
        redis=Found("celery", place),
        workers=(
            Worker("default", ("python", "manage.py", "a"), place),
            Worker("2 Fast_", ("python", "m.py", "1"), place),
        ),
        volumes=(Found("var/data", place), Found("var-data", place), Found("my dir", place)),
    )
    spec = drafted(facts).base
    assert list(spec.workers) == ["default", "default-x", "fast"]
    assert {key: folder.path for key, folder in spec.volumes.items()} == {
        "var-data": "var/data",
        "var-data-x": "var-data",
    }


@pytest.mark.parametrize(
    ("folder", "name"), [("app", "my-shop"), ("backend/src", "my-shop"), ("blog", "blog"), (".", "my-shop")]
)
def test_a_folder_that_says_nothing_is_called_as_its_repository(tmp_path: Path, folder: str, name: str) -> None:
    repository = tmp_path / "my_shop"
    (repository / ".git").mkdir(parents=True)
    (repository / folder).mkdir(parents=True, exist_ok=True)
    assert name_of(repository / folder) == name
