"""What a failed build or start says it misses, and which Debian package has it."""

from __future__ import annotations

import pytest

from nuages.image import cures, interpreters, providers

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("output", "package"),
    [
        ("psycopg2/psycopg.h:36:10: fatal error: libpq-fe.h: No such file or directory", "libpq-dev"),
        ("fatal error: Python.h: No such file or directory", "python3-dev"),
        ("src/x.c:1:10: fatal error: libxml/xpath.h: No such file or directory", "libxml2-dev"),
        ("Error: pg_config executable not found.", "libpq-dev"),
        ("/bin/sh: 1: mysql_config: not found", "default-libmysqlclient-dev"),
        (
            "Can not find valid pkg-config name.\nPackage 'mysqlclient' not found",
            "default-libmysqlclient-dev",
        ),
        ("error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory", "gcc"),
        ("error: [Errno 2] No such file or directory: 'gcc'", "gcc"),
        ("/bin/sh: 1: curl-config: not found", "libcurl4-openssl-dev"),
        ("error: can't find Rust compiler", "cargo"),
        ("/usr/bin/ld: cannot find -lpython3.13: No such file or directory", "libpython3.13-dev"),
        ("CMake must be installed; unable to execute 'cmake'", "cmake"),
    ],
)
def test_what_a_build_misses_is_named_by_its_debian_package(output: str, package: str) -> None:
    assert package in providers.needed(output)
    assert package in cures.cure(output)


@pytest.mark.parametrize(
    ("output", "package"),
    [
        ("ImportError: libpq.so.5: cannot open shared object file: No such file or directory", "libpq5"),
        ("ImportError: failed to find libmagic.  Check your installation", "libmagic1"),
        ("OSError: cannot load library 'libgobject-2.0-0': libgobject-2.0-0: cannot open", "libpango-1.0-0"),
        ("ImportError: libGL.so.1: cannot open shared object file", "libgl1"),
        ("ImportError: No module named 'x'", ""),
    ],
)
def test_a_library_that_a_program_does_not_find_is_named_by_its_debian_package(output: str, package: str) -> None:
    found = providers.library(output)
    assert found.startswith(package)
    assert bool(found) == bool(package)


def test_a_driver_s_header_names_what_runs_it_and_the_way_without_a_compiler() -> None:
    advice = cures.cure("fatal error: libpq-fe.h: No such file or directory")
    assert "packages: [libpq5]" in advice
    assert "psycopg[binary]" in advice


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            "error: Failed to fetch: `https://u:p@index.example.com/simple/x/`\n  cause: dns error",
            "the package index at index.example.com does not answer",
        ),
        (
            "error: Failed to fetch: `https://index.example.com/simple/x/`\n  cause: HTTP status client error (401 U)",
            "the package index at index.example.com refuses",
        ),
        ("error: failed to write: No space left on device (os error 28)", "the disk is full"),
        (
            "  × Failed to build `lxml==4.9.1`\n  fatal error: libxml/xpath.h: No such file",
            "lxml==4.9.1 could not be built",
        ),
        ("error: Hash mismatch for `django==5.2`", "a package is not what the lock says: its hash differs"),
        ("error: something else", "the project's dependencies could not be installed"),
    ],
)
def test_a_failed_installation_is_one_clear_line(output: str, message: str) -> None:
    failed = cures.not_installed(output)
    assert (failed.message, failed.exit_code) == (message, 1)
    assert "u:p" not in f"{failed.message}{failed.hint}"


def test_a_missing_wheel_names_the_pythons_that_have_one() -> None:
    said = (
        "error: Distribution `x==1 @ registry` can't be installed because it doesn't have a wheel for the current "
        "platform\nhint: You're using CPython 3.13 (`cp313`), but `x` (v1) only has wheels with the following Python "
        "ABI tags: `cp310`, `cp39`, `cp311`"
    )
    assert cures.wheels(said) == ["3.9", "3.10", "3.11"]
    assert "3.11" in cures.cure(said)


def test_pythons_of_this_machine_are_found_newest_first(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("3.12.1", "3.12.10", "3.11.2"):
        program = tmp_path / "versions" / version / "bin" / f"python{version.rpartition('.')[0]}"
        program.parent.mkdir(parents=True)
        program.touch(mode=0o755)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    found = [path for path in interpreters.candidates("3.12") if path.is_relative_to(tmp_path)]
    assert [path.parent.parent.name for path in found] == ["3.12.10", "3.12.1"]
    assert {"3.11", "3.12"} <= set(interpreters.there())
