"""The command line: each command parses, calls one function and shows what came back. No logic lives here."""

from nuages.cli.main import main

__all__ = ["main"]
