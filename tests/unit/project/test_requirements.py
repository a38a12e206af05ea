"""Requirements files as pip reads them, and which of several files counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from nuages.errors import Refused
from nuages.project import requirement_files, requirements
from nuages.project.requirements import Options

pytestmark = pytest.mark.unit
PUBLIC = "pypi" + ".org"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_txt", ".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_includes_constraints_and_options_become_one_list(tmp_path: Path) -> None:
    write(
        tmp_path,
        requirements_txt="--pre\n-r more/base.txt\n-c limits.txt\n"
        "django==5.2 \\\n    # why\n    --hash=sha256:a  # ok\n-e .\n",
        more__base_txt="gunicorn>=23 ; python_version >= '3.8'\n-r other.txt\n",
        more__other_txt="./wheels/ours.whl\n",
        limits_txt="asgiref<4\n",
    )
    listed = requirement_files.read(tmp_path, "requirements.txt")
    assert listed.files == ("requirements.txt", "more/base.txt", "more/other.txt", "limits.txt")
    assert listed.lines == (
        "gunicorn>=23 ; python_version >= '3.8'",
        "./wheels/ours.whl",
        "django==5.2      --hash=sha256:a",
        "-e .",
    )
    assert (listed.constraints, listed.options, listed.problems) == (("asgiref<4",), ("--pre",), ())


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (f"-i https://{PUBLIC.replace('.', '.python.')}/simple", ()),
        (f"--index-url=https://{PUBLIC}/simple/", ()),
        ("-i https://u:p@index.example.com/simple", ("--index-url https://u:p@index.example.com/simple",)),
        ("--extra-index-url https://${TOKEN}@i.example.com/s", ("--extra-index-url https://${TOKEN}@i.example.com/s",)),
        ("-f ./wheels", ("--find-links ./wheels",)),
    ],
)
def test_an_index_line_is_kept_unless_it_names_the_public_index(
    tmp_path: Path, line: str, kept: tuple[str, ...]
) -> None:
    write(tmp_path, requirements_txt=f"{line}\ndjango\n")
    assert requirement_files.read(tmp_path, "requirements.txt").indexes == kept


def test_no_credential_of_an_index_is_among_the_facts(tmp_path: Path) -> None:
    write(tmp_path, requirements_txt="--index-url https://user:password@index.example.com/simple?key=1\ndjango\n")
    found = requirements.dependencies(tmp_path)
    assert found
    assert found.indexes == ("https://index.example.com/simple",)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("-r requirements.txt\n", "more.txt includes requirements.txt, which includes it again"),
        ("-r nowhere.txt\n", "more.txt includes nowhere.txt, which is not there"),
        ("-r https://example.com/r.txt\n", "more.txt includes a file from the network"),
    ],
)
def test_what_can_t_be_included_is_named_with_its_line(tmp_path: Path, more: str, message: str) -> None:
    write(tmp_path, requirements_txt="-r more.txt\ndjango\n", more_txt=f"\n{more}")
    (problem,) = requirement_files.read(tmp_path, "requirements.txt").problems
    assert (problem.message, problem.place, problem.exit_code) == (message, "more.txt:2", 3)


def test_the_most_exact_file_counts(tmp_path: Path) -> None:
    project = '[project]\nname = "x"\ndependencies = ["django"]\n'
    files = {
        "setup.cfg": "[options]\ninstall_requires =\n    django\n",
        "pyproject.toml": project,
        "Pipfile": '[packages]\ndjango = "*"\n',
        "requirements.txt": "django\n",
        "Pipfile.lock": '{"default": {}}',
        "pdm.lock": "",
        "poetry.lock": "",
        "uv.lock": "",
    }
    kinds = []
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        found = requirements.locate(tmp_path)
        assert found
        kinds.append(found.kind)
    assert kinds == [*reversed(requirements.KINDS)]


def test_requirements_above_the_project_s_folder_count_up_to_the_repository(tmp_path: Path) -> None:
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    root = tmp_path / "repository" / "backend"
    root.mkdir()
    write(tmp_path, requirements_txt="flask\n")
    assert requirements.dependencies(root) is None
    write(tmp_path / "repository", requirements_txt="django==5.2\n")
    found = requirements.dependencies(root)
    assert found
    assert (found.files, found.packages) == (("../requirements.txt",), {"django": "5.2"})


def test_the_file_that_the_spec_names_counts_before_any_other(tmp_path: Path) -> None:
    write(tmp_path, requirements_txt="django\n", deploy__web_txt="django==5.2\n")
    found = requirements.dependencies(tmp_path, Options("deploy/web.txt"))
    assert found
    assert (found.kind, found.packages) == ("requirements", {"django": "5.2"})
    with pytest.raises(Refused, match=r"there is no deploy/other\.txt"):
        requirements.dependencies(tmp_path, Options("deploy/other.txt"))


def test_a_setup_py_is_read_where_it_writes_its_list_out(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text(
        "from setuptools import setup\nsetup(install_requires=['Django>=5', 'gunicorn'])\n"
    )
    found = requirements.dependencies(tmp_path)
    assert found
    assert (found.kind, set(found.packages)) == ("setup.py", {"django", "gunicorn"})


def test_comments_stand_before_a_pinned_python(tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text("# which one\n\n3.12  # the one\n")
    assert requirements.requires_python(tmp_path) == ("3.12", ".python-version")
