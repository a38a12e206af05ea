"""The command line as a whole: what is there, what is imported, how it ends."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nuages.cli.group import nuages
from nuages.cli.main import COMMANDS, ELSEWHERE, ours, overview


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "nuages", *arguments], capture_output=True, text=True, check=False)


def test_every_command_of_the_table_is_there_and_has_help():
    context = nuages.make_context("nuages", ["check"])
    for name in COMMANDS:
        command = nuages.get_command(context, name)
        assert command is not None
        assert command.help, name


@pytest.mark.parametrize("word", ELSEWHERE)
def test_a_word_of_another_tool_is_the_command_in_ours(word: str):
    command = ELSEWHERE[word].split()[0]
    assert word not in COMMANDS
    assert run("--debug", word, "--help").stdout == run(*ELSEWHERE[word].split(), "--help").stdout
    assert run(word, "--help").stdout.startswith(f"Usage: nuages {command} ")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("ps -w", "status -w"),
        ("--debug tail web", "--debug logs -F web"),
        ("run -- ps", "run -- ps"),
        ("logs tail", "logs tail"),
        ("--debug", "--debug"),
        ("", ""),
    ],
)
def test_only_the_command_itself_may_be_such_a_word(said: str, meant: str):
    assert ours(said.split()) == meant.split()


def by_name(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As the installed scripts do it; one of them may not be on this machine."""
    code = f"import sys; sys.argv[0] = '/usr/bin/{name}'; from nuages.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("name", "shown"), [("nuages", "nuages"), ("nua", "nua"), ("-c", "nuages")])
def test_usage_lines_say_the_name_it_was_called_by(name: str, shown: str):
    assert by_name(name, "--help").stdout.startswith(f"Usage: {shown} [OPTIONS] COMMAND")
    assert by_name(name, "secrets", "set", "--help").stdout.startswith(f"Usage: {shown} secrets set ")
    assert f"{shown} check --help" in by_name(name, "check", "--nothing").stderr


def test_ctrl_c_amid_a_quick_answer_is_told_as_any_other():
    code = (
        "import sys\n"
        "from nuages.cli import glimpse, main\n"
        "def stopped(*asked): raise KeyboardInterrupt\n"
        "glimpse.glimpse = stopped\n"
        "sys.argv = ['nuages', 'status']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.endswith("interrupted; run the same command again to go on\n")
    assert "Traceback" not in done.stderr


def test_a_name_typed_wrong_is_met_with_the_right_one_and_exit_code_2():
    done = run("deplyo")
    assert done.returncode == 2
    assert "did you mean deploy?" in done.stderr


@pytest.mark.parametrize("arguments", [("check", "-f", "nowhere.yaml"), ("deploy", "-f", "nowhere.yaml")])
def test_a_file_that_is_not_there_is_a_usage_error_in_one_line(arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert "nowhere.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_first_page_imports_nothing_that_takes_time():
    """Start-up counts: not even click is loaded for it."""
    slow = {"click", "httpx2", "yaml", "msgspec", "jsonschema_rs", "asyncio"}
    code = (
        "import sys, contextlib, io\n"
        "from nuages.cli import main\n"
        "sys.argv = ['nuages', '--help']\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main()\n"
        f"print(sorted({slow} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_explains_a_field_asks_no_cluster_and_takes_no_model_apart():
    slow = {"asyncio", "httpx2", "jsonschema_rs", "nuages.spec.model"}
    code = (
        "import sys, contextlib, io\n"
        "from nuages.cli import main\n"
        "sys.argv = ['nuages', 'config', 'explain', 'web']\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main()\n"
        f"print(sorted({slow} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_first_page_fits_the_terminal_and_names_every_command(width):
    page = overview(width)
    assert all(f"\n  {name}" in page for name in COMMANDS)
    assert max(map(len, page.split("Options:")[1].splitlines())) <= width


def test_a_reader_that_leaves_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -m nuages --help | head -1", shell=True, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
