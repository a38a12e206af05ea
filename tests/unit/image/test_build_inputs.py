"""What goes into a build: the environment the project is asked in, the installer's recipe and its credentials."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from nuages.app.build import Build
from nuages.app.components import App, resolve
from nuages.errors import BuildFailed
from nuages.findings import Place
from nuages.image import build, dependencies, facts, made
from nuages.image.network import CERTIFICATES, shell, variables, without_credentials
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
        project(variable("STRIPE_KEY"), variable("DB", kind="db"), variable("WORKERS", kind="int")), app()
    )
    assert known == {
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "SECRET_KEY": facts.SECRET_KEY,
        "NUAGES_OVERLAY": "hosts,proxy,secret-key,debug,databases,caches,static,media,logging,celery",
        # What pods get, so that the changes to the settings that are explained are the ones that happen.
        "NUAGES_HOSTS": "*",
        "NUAGES_LOGS": "json",
        "DATABASE_URL": "postgres://build:build@localhost:5432/build",
        "STRIPE_KEY": "only-for-the-build",
        "DB": "postgres://build:build@localhost:5432/build",
        "WORKERS": "1",
        # Declared, and read where nobody saw it.
        "COLOR": "orange",
        "MEDIA": "/srv/media",
        "PARTNER": "acme",
    }


def test_what_the_settings_never_name_gets_its_value_or_a_harmless_one() -> None:
    said = app(SPEC.replace("PARTNER: acme", "HOST: {service: postgres, key: host}") + "secrets: {TOKEN: {}}\n")
    known = facts.variables(project(), said)
    assert (known["HOST"], known["TOKEN"]) == ("localhost", "only-for-the-build")


def test_without_the_overlay_nothing_is_added_to_the_settings() -> None:
    assert "NUAGES_OVERLAY" not in facts.variables(project(), app(SPEC + "django: {overlay: false}\n"))


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
        "HOME": str(tmp_path),
    }
    assert variables(environ) == {
        "PIP_INDEX_URL": environ["PIP_INDEX_URL"],
        "UV_DEFAULT_INDEX": environ["PIP_INDEX_URL"],
        "HTTPS_PROXY": "http://proxy:3128",
        "SSL_CERT_FILE": CERTIFICATES,
        "NODE_EXTRA_CA_CERTS": CERTIFICATES,
        "GIT_SSL_CAINFO": CERTIFICATES,
    }


def test_variables_that_an_index_line_names_are_passed_on_and_no_others() -> None:
    assert variables({"TOKEN": "s3cret", "OTHER": "x"}, ["TOKEN", "MISSING"])["TOKEN"] == "s3cret"
    assert "OTHER" not in variables({"OTHER": "x"}, [])


def test_variables_are_written_as_a_shell_reads_them() -> None:
    assert shell({"TOKEN": "it's $HOME"}) == """export TOKEN='it'"'"'s $HOME'\n"""


def test_no_credential_is_shown() -> None:
    said = "Failed to fetch: `https://user:pa$$@index.example.com/simple/x/` and git+ssh://git@host/x"
    assert without_credentials(said) == ("Failed to fetch: `https://index.example.com/simple/x/` and git+ssh://host/x")


def test_a_full_disk_is_one_line_and_other_errors_stay_what_they_are() -> None:
    with pytest.raises(BuildFailed, match="the disk is full"), build._room():
        Path("/dev/full").write_text("x")
    with pytest.raises(FileNotFoundError), build._room():
        Path("/nowhere/x").read_text()


def test_half_a_file_of_an_interrupted_build_counts_for_nothing(tmp_path: Path) -> None:
    torn = tmp_path / "layer.json"
    torn.write_text('{"told": {"sett')
    assert made._before(torn) is None
    assert dependencies._kept(tmp_path) is None


def test_an_environment_that_is_begun_anew_is_not_taken_for_whole(tmp_path: Path) -> None:
    (tmp_path / "layer.json").write_text("{}")
    with dependencies._fresh(tmp_path) as environment:
        assert environment.is_dir()
        assert not (tmp_path / "layer.json").exists()


def test_code_of_packages_gets_the_credentials_of_its_own_registry_only(tmp_path: Path) -> None:
    npmrc = tmp_path / ".npmrc"
    npmrc.write_text("//registry.example.com/:_authToken=secret")
    machine = {
        "HOME": str(tmp_path),
        "PIP_INDEX_URL": "https://a:b@pypi.example.com/simple",
        "NPM_CONFIG_REGISTRY": "https://npm.example.com",
        "HTTPS_PROXY": "http://proxy.example.com",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    python = variables(machine, tools=["python"])
    assert {"PIP_INDEX_URL", "UV_DEFAULT_INDEX", "HTTPS_PROXY"} <= python.keys()
    assert not [name for name in python if name.startswith(("NPM", "AWS"))]
    node = variables(machine, tools=["node"])
    assert {"NPM_CONFIG_REGISTRY", "NPM_CONFIG_USERCONFIG", "HTTPS_PROXY"} <= node.keys()
    assert not [name for name in node if name.startswith(("PIP", "UV", "AWS"))]
    assert [name for name in variables(machine, tools=[]) if "CERT" not in name and "CA" not in name] == ["HTTPS_PROXY"]


def test_a_variable_that_no_shell_can_name_breaks_no_build() -> None:
    assert shell({"npm_config_//host/:_authToken": "x", "A": "two\nlines '"}) == "export A='two\nlines '\"'\"''\n"


@pytest.mark.parametrize(
    ("module", "said"),
    [("shop.setings", "django.settings"), ("shop", "django.settings"), ("redis", "requirements")],
)
def test_a_module_that_is_missing_is_no_package_where_django_settings_names_it(module, said):
    output = (
        f"Traceback (most recent call last):\n  File \"x\", line 1\nModuleNotFoundError: No module named '{module}'"
    )
    assert said in facts.does_not_load(output, "shop.setings").hint
