"""The man page is made from the commands: docs/reference/nuages.1, which a wheel brings to share/man."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click
import described
import pytest

from nuages.cli.main import GROUPS

pytestmark = pytest.mark.unit

FILE = Path(__file__).parents[3] / "docs/reference/nuages.1"
EXIT_CODES = {
    "0": "Done.",
    "1": "Something failed; the message says what, and what to do.",
    "2": "The command was called wrongly.",
    "3": "A check refused, and nothing was touched.",
    "4": "The release failed, and the last good one was brought back.",
    "5": "plan --exit-code, and there are changes.",
    "130": "Stopped with Ctrl-C; run the same command again to go on.",
}
VARIABLES = {
    "KUBECONFIG": "The kubeconfig files, as kubectl takes them.",
    "NO_COLOR": "Where it is set and not empty, nothing is coloured.",
    "XDG_CACHE_HOME": "Below it, in nuages, lies what can be made again: images, builds, names for completion.",
}


def escaped(text: str) -> str:
    """A text as roff takes it: no control at a line's beginning, a hyphen that can be copied."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...").replace("’", "\\(cq").replace("`", "")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def bold(text: str) -> str:
    return f"\\fB{escaped(text)}\\fR"


def usage(context: click.Context) -> str:
    pieces = " ".join(context.command.collect_usage_pieces(context))
    return f"{bold(context.command_path)} {escaped(pieces)}".strip()


def tagged(first: str, about: str) -> list[str]:
    return [".TP", first, escaped(about)]


def of_command(context: click.Context) -> list[str]:
    """A command's part: how it is called, what it does, its options."""
    lines = [f".SS {escaped(context.command_path)}", usage(context)]
    for paragraph in described.paragraphs(context.command):
        lines += [".PP", escaped(paragraph)]
    for option in described.options(context):
        value = "" if option.is_flag else f" \\fI{escaped(option.make_metavar(context))}\\fR"
        about = f"{option.help} Default: {option.default}." if option.show_default else str(option.help)
        lines += tagged(", ".join(map(bold, described.spellings(option))) + value, about)
    return lines


def made() -> str:
    """The whole page; it names no date, so that it changes with what it says alone."""
    top = {context.command_path.split()[1]: [] for context in described.COMMANDS}
    for context in described.COMMANDS:
        top[context.command_path.split()[1]].append(context)
    lines = [
        '.TH NUAGES 1 "" "nuages" "nuages"',
        ".SH NAME",
        "nuages, nua \\- any Django project from manage.py to production Kubernetes",
        ".SH SYNOPSIS",
        "\\fBnuages\\fR [\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGS\\fR]...",
        ".br",
        "\\fBnua\\fR [\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGS\\fR]...",
        ".SH DESCRIPTION",
        escaped(
            "One short file, nuages.yaml, says what a project needs. nuages reads the project, builds its image,"
            " renders plain Kubernetes objects, migrates, rolls out without losing a request, says why when something"
            " fails, and goes back only where that is safe."
        ),
        ".PP",
        escaped(
            "Results go to standard output, progress and errors to standard error. Most commands read nuages.yaml in"
            " the current folder (--file) and mean the environment local (--environment). nua is the same program under"
            " a name of three letters."
        ),
        ".SH OPTIONS",
    ]
    for option in described.options(described.ALL[0]):
        lines += tagged(", ".join(map(bold, described.spellings(option))), option.help or "")
    for title, commands in GROUPS.items():
        lines.append(f'.SH "{escaped(title.upper())}"')
        lines += [line for name in commands for context in top[name] for line in of_command(context)]
    lines.append('.SH "EXIT STATUS"')
    lines += [line for code, about in EXIT_CODES.items() for line in tagged(bold(code), about)]
    lines.append(".SH ENVIRONMENT")
    lines += [line for name, about in VARIABLES.items() for line in tagged(bold(name), about)]
    lines += [".SH FILES", *tagged("\\fInuages.yaml\\fR", "The spec of a project.")]
    lines += tagged("\\fI.nuages/clusters.json\\fR", "In which cluster an environment lives; meant to be committed.")
    return "\n".join(lines) + "\n"


def test_the_page_is_what_the_commands_are() -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        FILE.write_text(made())
    assert FILE.read_text() == made(), "UPDATE_GOLDEN=1 pytest tests/unit/docs writes it anew"


def test_the_short_name_has_a_page_that_leads_to_it() -> None:
    assert FILE.with_name("nua.1").read_text() == ".so man1/nuages.1\n"


def test_exit_codes_are_those_of_the_commands_page() -> None:
    page = (FILE.parent / "commands.md").read_text()
    assert re.findall(r"^\| (\d+) \|", page, re.MULTILINE) == list(EXIT_CODES)
