"""A save in a folder of this machine, until what was saved is served from the pod of `nuages dev`.

Three kinds of files: Python (the server starts anew), a template (Django reads it again), a static file. Each round
writes a word and asks until the answer has it. Beside it: how long the server itself takes to start, as it says.
"""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.blog import Blog, live
from benchmarks.measure import NUAGES, say, table

PYTHON, TEMPLATE, STATIC = "Python", "template", "static file"
GOAL = 1.0
PATIENCE = 60.0
VIEW = """
from django.http import HttpResponse
urlpatterns = [path("word/", lambda request: HttpResponse("WORD")), *urlpatterns]
"""
FILES = {
    PYTHON: ("blog/urls.py", VIEW, "/word/"),
    TEMPLATE: ("posts/templates/posts/_footer.html", "<p>WORD</p>", "/"),
    STATIC: ("posts/static/posts/blog.css", "/* WORD */", "/static/posts/blog.css"),
}


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks dev", description=__doc__)
    parser.add_argument("--cluster", default="nuages", help="the local cluster; brought up where it does not run")
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args(argv)
    samples: dict[str, list[float]] = {kind: [] for kind in FILES}
    with tempfile.TemporaryDirectory() as work, live(Path(work), options.cluster, "bench-dev") as (blog,):
        texts = {kind: (blog.folder / path).read_text() for kind, (path, _, _) in FILES.items()}
        with developed(blog) as address:
            for number in range(options.rounds):
                for kind, (path, added, page) in FILES.items():
                    word = f"word-{number}-of-{len(kind)}"
                    began = time.perf_counter()
                    (blog.folder / path).write_text(texts[kind] + added.replace("WORD", word))
                    until(address + page, word)
                    samples[kind].append(time.perf_counter() - began)
    table(samples)
    worst = max(sorted(found)[len(found) // 2] for found in samples.values())
    say(f"the slowest median: {worst:.2f} s  (goal below {GOAL:.0f} s)")


@contextmanager
def developed(blog: Blog) -> Iterator[str]:
    """`nuages dev` beside the body; where it serves."""
    command = [NUAGES, "dev", "--no-frontends"]
    with subprocess.Popen(command, cwd=blog.folder, env=blog.env, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = iter(process.stdout or ())
            address = next(found[1] for line in lines if (found := re.search(r"(http://localhost:\d+)", line)))
            until(address + "/", "")
            yield address
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)


def until(address: str, word: str) -> None:
    """Ask until the answer has a word in it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
                if word.encode() in answer.read():
                    return
        except (OSError, urllib.error.URLError):
            pass
    raise TimeoutError(f"{word} was never served at {address}")
