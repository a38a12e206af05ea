"""What an installer is given for a project, and what is added beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nuages.app.components import App, resolve
from nuages.errors import BuildFailed, Refused
from nuages.image import additions, installation
from nuages.project import requirements
from nuages.spec.load import parse

pytestmark = pytest.mark.unit
PUBLIC = "pypi" + ".org"

SPEC = "name: shop\nimage: registry.example.com/shop\nenvironments: {local: {}}\n"
POSTGRES = "services: {postgres: {run: {}}}\ndatabases: {default: postgres}\n"


def app(more: str = "") -> App:
    return resolve(parse((SPEC + more).encode(), "nuages.yaml"), "local")


def of(root: Path, more: str = "") -> installation.Installation:
    return installation.of(root, app(more), "3.13.5")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A repository with a lock for all of it, and the project as one of its members."""
    (tmp_path / ".git").mkdir()
    member = tmp_path / "apps" / "shop"
    member.mkdir(parents=True)
    about = 'version = "1"\nrequires-python = ">=3.11"\n'
    (tmp_path / "pyproject.toml").write_text(
        f'[project]\nname = "all"\n{about}[tool.uv.workspace]\nmembers = ["apps/*"]\n'
    )
    (member / "pyproject.toml").write_text(f'[project]\nname = "shop"\n{about}dependencies = ["django>=5"]\n')
    (tmp_path / "uv.lock").write_text(
        'version = 1\nrequires-python = ">=3.11"\n[manifest]\nmembers = ["all", "shop"]\n'
        '[[package]]\nname = "all"\nversion = "1"\nsource = {virtual = "."}\n'
        '[[package]]\nname = "shop"\nversion = "1"\nsource = {virtual = "apps/shop"}\n'
        'dependencies = [{name = "django"}]\n'
        '[package.metadata]\nrequires-dist = [{name = "django", specifier = ">=5"}]\n'
        '[[package]]\nname = "django"\nversion = "5.2"\nsource = {registry = "https://index.example.com/simple"}\n'
        'sdist = {url = "https://index.example.com/d.tar.gz", hash = "sha256:' + "a" * 64 + '", size = 1}\n'
    )
    return member


def test_the_lock_of_a_workspace_says_what_its_member_installs(workspace: Path) -> None:
    assert [line.partition(" ")[0] for line in of(workspace).lines] == ["django==5.2"]
    known = requirements.dependencies(workspace)
    assert known is not None
    assert (known.kind, known.packages) == ("uv.lock", {"django": "5.2"})


def test_a_folder_that_is_no_member_says_itself_what_it_installs(workspace: Path) -> None:
    top = workspace.parents[1] / "pyproject.toml"
    top.write_text(f'{top.read_text()}exclude = ["apps/shop"]\n')
    assert of(workspace).lines == ("django>=5",)


def test_a_list_of_ranges_is_resolved_with_its_constraints(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("--pre\n-c limits.txt\ndjango>=5\n")
    (tmp_path / "limits.txt").write_text("asgiref<4\n")
    found = of(tmp_path)
    assert (found.lines, found.constraints, found.arguments) == (
        ("django>=5",),
        ("asgiref<4",),
        ("--prerelease=allow",),
    )


def test_a_lock_leaves_nothing_to_resolve_and_every_hash_is_checked(tmp_path: Path) -> None:
    (tmp_path / "Pipfile.lock").write_text('{"default": {"django": {"version": "==5.2", "hashes": ["sha256:a"]}}}')
    found = of(tmp_path)
    assert found.lines == ("django==5.2 --hash=sha256:a",)
    assert found.arguments == ("--no-deps", "--require-hashes")


def test_a_uv_lock_is_exported_by_uv_without_its_dev_group(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["ours"]\n'
        '[tool.uv.sources]\nours = {path = "libs/ours", editable = true}\n'
    )
    (tmp_path / "libs" / "ours").mkdir(parents=True)
    (tmp_path / "libs" / "ours" / "pyproject.toml").write_text('[project]\nname = "ours"\nversion = "1"\n')
    (tmp_path / "uv.lock").write_text(
        'version = 1\nrequires-python = ">=3.11"\n[[package]]\nname = "shop"\nversion = "1"\nsource = {virtual = "."}\n'
        'dependencies = [{name = "ours"}]\n[package.metadata]\n'
        'requires-dist = [{ name = "ours", editable = "libs/ours" }]\n'
        '[[package]]\nname = "ours"\nversion = "1"\nsource = {editable = "libs/ours"}\n'
    )
    found = of(tmp_path)
    assert found.lines == ("-e ./libs/ours",)
    assert found.local == ("./libs/ours",)
    assert len(found.digests) == 1


def test_a_broken_uv_lock_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n')
    (tmp_path / "uv.lock").write_text("version = 1\nnonsense = [\n")
    with pytest.raises(Refused, match=r"uv\.lock can't be read"):
        of(tmp_path)


def test_requirements_that_include_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-r more.txt\n")
    (tmp_path / "more.txt").write_text("-r requirements.txt\n")
    with pytest.raises(Refused, match="includes it again"):
        of(tmp_path)


def test_several_indexes_are_searched_as_pip_does_and_no_credential_is_an_argument(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        f"--extra-index-url https://u:p@i.example.com/s\n-i https://{PUBLIC}/simple\nx\n"
    )
    found = of(tmp_path)
    assert found.indexes == ("--extra-index-url https://u:p@i.example.com/s",)
    assert found.arguments == ("--index-strategy=unsafe-best-match",)


def test_variables_of_an_index_line_are_named(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-i https://${USER_NAME}:${TOKEN}@i.example.com/s\nx\n")
    assert of(tmp_path).variables == ["TOKEN", "USER_NAME"]


def test_a_path_outside_of_the_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-e ../other\n")
    with pytest.raises(Refused, match="lies outside of the project"):
        of(tmp_path)


def test_a_comment_in_pyproject_changes_nothing_that_is_installed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["django"]\n')
    before = of(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["django"]\n[tool.ruff]\n')
    assert of(tmp_path) == before


def test_poetry_without_a_lock_is_put_into_python_s_own_words(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.poetry.dependencies]\npython = "^3.11"\ndjango = "^5.2"\nours = {path = "libs/ours"}\n'
        'tool = {git = "https://example.com/t.git", tag = "v1"}\n'
        '[[tool.poetry.source]]\nname = "x"\nurl = "https://i.example.com/s"\npriority = "supplemental"\n'
    )
    found = of(tmp_path)
    assert found.lines == ("django>=5.2,<6", "-e ./libs/ours", "tool @ git+https://example.com/t.git@v1")
    assert found.git
    assert found.indexes == ("--extra-index-url https://i.example.com/s",)


@pytest.mark.parametrize(
    ("command", "skipped"),
    [("[uwsgi, --http, ':8000', --module, shop.wsgi]", ()), ("[daphne, shop.asgi:a]", ("uwsgi",))],
)
def test_a_server_that_nothing_starts_is_not_compiled(tmp_path: Path, command: str, skipped: tuple[str, ...]) -> None:
    (tmp_path / "requirements.txt").write_text("django\nuWSGI>=2.0 ; sys_platform != 'win32'\n")
    found = of(tmp_path, f"web: {{main: {{command: {command}}}}}\n")
    assert found.skipped == skipped
    assert len(found.lines) == 2 - len(skipped)


def test_a_project_that_says_nothing_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="says nowhere what to install"):
        of(tmp_path)


def added(installed: dict[str, str], more: str = POSTGRES) -> list[str]:
    return [addition.line() for addition in additions.wanted(app(more), installed)]


def test_what_is_missing_is_added_pinned() -> None:
    server = next(iter(app().web.values())).server
    assert {line.partition("==")[0] for line in added({"django": "5.2"})} >= {
        server,
        "prometheus-client",
        "psycopg",
        "psycopg-binary",
        "whitenoise",
    }


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg2-binary"])
def test_a_driver_that_is_there_stays_alone(driver: str) -> None:
    assert not [line for line in added({driver: "2.9"}) if line.startswith("psycopg")]


def test_a_psycopg_without_its_library_gets_the_one_of_its_own_version() -> None:
    assert [line for line in added({"psycopg": "3.1.5"}) if line.startswith("psycopg")] == ["psycopg-binary==3.1.5"]
    assert not [line for line in added({"psycopg": "3.1.5", "psycopg-c": "3.1.5"}) if line.startswith("psycopg")]


@pytest.mark.parametrize(
    ("line", "installed"),
    [
        ("./libs/ours", "./libs/ours"),
        ("libs/ours", "./libs/ours"),
        ("-e libs/ours[pdf]", "-e ./libs/ours[pdf]"),
        ("-e file:libs/ours", "-e ./libs/ours"),
        ("./libs/ours[pdf] ; python_version > '3'", "./libs/ours[pdf] ; python_version > '3'"),
        (".", "-e ./."),
        ("libs/none", "libs/none"),
    ],
)
def test_a_local_package_is_found_as_pip_finds_it(line: str, installed: str, tmp_path: Path) -> None:
    (tmp_path / "libs" / "ours").mkdir(parents=True)
    (tmp_path / "requirements.txt").write_text(f"{line}\n")
    found = of(tmp_path)
    assert found.lines == (installed,)
    assert found.local == (() if "none" in line else (installed.removeprefix("-e ").partition("[")[0],))


def test_a_local_package_that_is_copied_is_built_anew_when_its_code_changes(tmp_path: Path) -> None:
    (tmp_path / "libs" / "ours").mkdir(parents=True)
    seen = {}
    for line in ("./libs/ours", "-e ./libs/ours"):
        (tmp_path / "requirements.txt").write_text(f"{line}\n")
        for code in ("one", "two"):
            (tmp_path / "libs" / "ours" / "code.py").write_text(code)
            seen[line, code] = of(tmp_path)
    assert seen["./libs/ours", "one"] != seen["./libs/ours", "two"]
    assert seen["-e ./libs/ours", "one"] == seen["-e ./libs/ours", "two"]


def test_a_library_of_the_spec_s_own_is_enough_for_psycopg() -> None:
    assert not [
        line for line in added({"psycopg": "3.1.5"}, f"{POSTGRES}build: {{packages: [libpq5]}}\n") if "psy" in line
    ]


def test_an_addition_that_goes_with_a_package_of_the_project_is_held_to_its_version() -> None:
    pins = additions.pins(additions.wanted(app(POSTGRES), {"psycopg": "3.1.5"}))
    assert (pins["psycopg-binary"], pins["h11"]) == ("3.1.5", additions.PINS["h11"])


def test_celery_on_redis_gets_the_module_that_its_transport_imports() -> None:
    assert "packaging==26.3" in added({"celery": "5.7.0", "redis": "8.0"})
    assert "packaging==26.3" not in added({"celery": "5.7.0"})


def test_nothing_is_added_that_the_spec_switches_off() -> None:
    off = "django: {overlay: false}\nobservability: {metrics: false}\nweb: {main: {command: [daphne, x]}}\n"
    assert added({"django": "5.2"}, off) == []


def test_every_addition_is_held_to_what_is_installed() -> None:
    held = additions.constraints({"click": "7.0", "own": ""}, additions.PINS)
    assert "click==7.0" in held
    assert "h11==0.16.0" in held
    assert not [line for line in held if line.startswith("own")]


def test_what_is_installed_is_read_from_the_names_of_its_metadata(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.13" / "site-packages"
    for name in ("Django-5.2.1.dist-info", "psycopg2_binary-2.9.10.dist-info", "old_one-1.0-py3.13.egg-info", "x"):
        (packages / name).mkdir(parents=True)
    assert additions.distributions(tmp_path) == {"django": "5.2.1", "psycopg2-binary": "2.9.10", "old-one": "1.0"}
