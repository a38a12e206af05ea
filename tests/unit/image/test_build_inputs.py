"""What goes into a build: the environment the project is asked in, the installer's recipe and its credentials."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from nuages.app.build import Build
from nuages.app.components import App, resolve
from nuages.findings import Place
from nuages.image import facts
from nuages.image.dependencies import CERTIFICATES, recipe, variables
from nuages.project.facts import Dependencies, Facts, Found, Variable
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

SPEC = """\
name: shop
image: registry.example.com/shop
services: {postgres: {run: {}}}
databases: {default: postgres}
env: {COLOR: orange, MEDIA: /srv/media, PARTNER: acme}
environments: {local: {}}
"""


def app(spec: str = SPEC) -> App:
    return resolve(parse(spec.encode(), "nuages.yaml"), "local")


def variable(name: str, *, required: bool = True, kind: str = "str", setting: str = "") -> Variable:
    return Variable(name=name, place=Place(), required=required, kind=kind, setting=setting)


def project(*variables: Variable, kind: str = "requirements", files: tuple[str, ...] = ("requirements.txt",)) -> Facts:
    found = Found("shop.settings", Place())
    return Facts(
        root=Path("/shop"),
        manage=found,
        settings=found,
        variables=variables,
        dependencies=Dependencies(kind=kind, files=files, packages={}),
    )


def test_required_variables_get_harmless_values_and_no_secret() -> None:
    known = facts.variables(
        project(variable("SECRET_KEY"), variable("DATABASE_URL", kind="db"), variable("WORKERS", kind="int")), app()
    )
    assert known == {
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "SECRET_KEY": "only-for-the-build",
        "DATABASE_URL": "postgres://build:build@localhost:5432/build",
        "WORKERS": "1",
    }


def test_what_the_spec_says_counts_where_it_shapes_the_image_or_is_required() -> None:
    known = facts.variables(
        project(
            variable("COLOR", required=False, setting="COLOR"),
            variable("MEDIA", required=False, setting="MEDIA_ROOT"),
            variable("PARTNER"),
        ),
        app(),
    )
    assert (known["MEDIA"], known["PARTNER"]) == ("/srv/media", "acme")
    assert "COLOR" not in known, "a change of it would build another image"


def test_a_label_is_read_back_as_it_was_written() -> None:
    build = Build(
        reference="r@sha256:1", wsgi="a:b", settings="a", migrations={"x": ["0001"]}, media_root="/m", user=1000
    )
    assert "sha256" not in facts.label(build)
    assert facts.read("r@sha256:1", facts.label(build)) == build
    assert facts.read("other@sha256:2", facts.label(build)) == msgspec.structs.replace(
        build, reference="other@sha256:2"
    )


def test_requirements_are_installed_with_a_driver_and_a_server_where_the_project_has_none() -> None:
    script = recipe(project(), app())
    assert "uv pip install --python /venv/bin/python -r requirements.txt" in script
    assert "import gunicorn" in script
    assert "import psycopg" in script
    assert "psycopg" not in recipe(project(), app("name: shop\nimage: r/shop\nenvironments: {local: {}}"))


def test_a_lock_is_installed_as_it_is_locked() -> None:
    script = recipe(project(kind="uv.lock", files=("pyproject.toml", "uv.lock")), app())
    assert "uv export --quiet --frozen --no-dev" in script
    assert "--require-hashes" in script


def test_packages_for_building_are_installed_first() -> None:
    script = recipe(project(), app(SPEC + "build: {buildPackages: [gcc, libpq-dev]}"))
    assert script.index("gcc libpq-dev") < script.index("uv pip install")


def test_the_machine_s_index_is_passed_on_and_its_certificates_are_where_the_container_has_them(
    tmp_path: Path,
) -> None:
    (tmp_path / "here.pem").touch()
    environ = {
        "PIP_INDEX_URL": "https://user:password@index.example.com/simple",
        "HTTPS_PROXY": "http://proxy:3128",
        "PIP_CERT": str(tmp_path / "here.pem"),
        "PIP_FIND_LINKS": "/opt/wheels",
        "UV_PUBLISH_TOKEN": "a secret of the machine, and none of the installation",
        "HOME": "/root",
    }
    assert variables(environ) == {
        "PIP_INDEX_URL": environ["PIP_INDEX_URL"],
        "UV_DEFAULT_INDEX": environ["PIP_INDEX_URL"],
        "HTTPS_PROXY": "http://proxy:3128",
        "SSL_CERT_FILE": CERTIFICATES,
    }
