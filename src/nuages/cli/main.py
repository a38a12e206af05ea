"""The `nuages` command: which commands there are, and how an error ends one.

What a newcomer types first, `nuages` or `nuages --help`, is answered from this table alone; click is imported for a
command, and a command's module when it runs.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing costs 4 ms
if TYPE_CHECKING:
    from typing import NoReturn

NAMES = ("nuages", "nua")
"""What the program is installed as: the second one is for fingers, and the same."""

# What one wants -> command -> its line in --help; its module is nuages.cli.COMMAND. In the order in which a newcomer
# meets them.
GROUPS = {
    "Begin": {
        "init": "Read a Django project and write its nuages.yaml.",
        "inspect": "What is known of a Django project, and where it was read.",
        "check": "Check nuages.yaml; every finding at once, nothing touched.",
        "explain": "Why: what was concluded, changed in the settings, derived.",
        "config": "What nuages.yaml amounts to: get, explain a field, migrate.",
    },
    "Release": {
        "build": "Build the project's image.",
        "render": "Print the Kubernetes objects that a release would apply.",
        "plan": "What a deploy would change, before it does.",
        "deploy": "Bring the project live: build, migrate, roll out, verify.",
        "promote": "On with the release that waits: next share, or all of it.",
        "abort": "Take the release that waits back.",
        "rollback": "Bring an earlier release back, where that is safe.",
        "contract": "Take away now what migrations removed from the code.",
        "releases": "All releases: list, show one, compare two.",
        "lock": "Let nobody release, until unlock.",
        "unlock": "Let releases go on.",
    },
    "Look": {
        "status": "What runs, in which release, and what is wrong.",
        "doctor": "What works and what not: machine, cluster, rights, registry.",
        "top": "What each pod uses of CPU and memory.",
        "logs": "What the pods print, merged; -F goes on.",
        "open": "The app in a browser, or its address.",
    },
    "Run": {
        "run": "Run a command in a pod of its own, with what is live.",
        "manage": "Run a management command of the project.",
        "shell": "Django's shell, with what is live.",
        "dbshell": "The database's own client.",
        "createsuperuser": "Make an administrator's account.",
        "exec": "Run a command in a pod that serves, when one must.",
        "cp": "Files into a pod that serves, or out of it.",
        "port-forward": "A port of this machine that leads into a pod.",
        "dev": "The project in the cluster, edited here, served as saved.",
    },
    "Change": {
        "scale": "Another number of pods, until the next release.",
        "restart": "Pods made anew, without a release.",
        "maintenance": "A page in front of the app, and a way past it for staff.",
        "secrets": "Values of secrets: list, set, unset, import, rotate.",
        "env": "Environments from a template: up, list, sleep, wake, down.",
        "destroy": "Remove an environment; its data only when named.",
    },
    "Data": {
        "db": "The database: size, locks, copy, backup, restore.",
        "services": "The data stores: list, plan a change, apply it, history.",
        "backup": "The database's backups: make one, list, drill.",
        "restore": "Bring a backup back, beside what serves, then in its place.",
        "state": "What exists nowhere else, encrypted: export, import.",
    },
    "On this machine": {
        "cluster": "A real Kubernetes on this machine: up, down, status, load, kubeconfig.",
        "completion": "What a shell needs to complete commands and names.",
    },
}
GLIMPSED = ("status", "releases", "logs", "exec", "config")
"""What may be answered without click."""
ELSEWHERE = {"docs": "config explain", "proxy": "port-forward", "ps": "status", "tail": "logs -F"}
"""What people say elsewhere (Kamal, Fly, Heroku and Docker) -> the same in our words, which help and hints say."""
COMMANDS = {name: line for group in GROUPS.values() for name, line in group.items()}


def ours(words: list[str]) -> list[str]:
    """A command line with the command in our words, where it is said in another tool's."""
    for place, word in enumerate(words):
        if not word.startswith("-"):
            return [*words[:place], *ELSEWHERE.get(word, word).split(), *words[place + 1 :]]
    return words


def called() -> str:
    """The name it was called by: usage lines are to be typed as the line above them was."""
    name = os.path.basename(sys.argv[0])  # noqa: PTH119 - pathlib costs 10 ms
    return name if name in NAMES else NAMES[0]


def overview(width: int) -> str:
    """What `nuages --help` prints, folded for a terminal of this width."""
    name = called()
    lines = [
        f"Usage: {name} [OPTIONS] COMMAND [ARGS]...",
        "",
        "  From manage.py to production Kubernetes, and every release one you can trust.",
        "",
        "Options:",
        *_rows({"--version": "Show the version.", "--debug": "Show the traceback of an error."}, width),
        *_rows({"-h, --help": f"Show this page; {name} COMMAND --help says more."}, width),
        *(line for title, commands in GROUPS.items() for line in ("", f"{title}:", *_rows(commands, width))),
    ]
    return "\n".join(lines)


def _rows(table: dict[str, str], width: int) -> list[str]:
    import textwrap

    rows = []
    for name, text in table.items():
        first, *rest = textwrap.wrap(text, max(width - 19, 20))
        rows += [f"  {name:<15}  {first}", *(f"{'':19}{line}" for line in rest)]
    return rows


def main() -> NoReturn:
    """Run the command line and end with the exit code that the error, if any, stands for.

    0 done, 1 failed, 2 usage, 3 refused by a check, 4 rolled back, 130 interrupted.
    """
    try:
        if sys.argv[1:] in ([], ["-h"], ["--help"]):
            from nuages.cli.wording import columns

            print(overview(columns()))  # noqa: T201 - the console is not needed for it
            sys.exit(0)
        sys.argv[1:] = ours(sys.argv[1:])
        if sys.argv[1:2] == ["__complete"]:
            from nuages.cli.completing import main as complete

            complete(sys.argv[2:])
            sys.exit(0)
        if sys.argv[1:2] and sys.argv[1] in GLIMPSED:
            from nuages.cli.glimpse import glimpse

            if (code := glimpse(sys.argv[1], sys.argv[2:])) is not None:
                sys.exit(code)
        from nuages.cli.group import run

        sys.exit(run())
    except KeyboardInterrupt:  # where click is not there yet
        import click

        from nuages.cli.console import console

        sys.exit(console.error(click.Abort()))
    except BrokenPipeError:
        # The reader of our output left (`nuages render | head`); that is its right. Python would complain at exit.
        sys.stdout = None
        sys.exit(141)
