"""The overlay: how long `django.setup()` takes with it, beside settings that say the same by themselves; and Python
without Django, which the hook must not slow down.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tests.runtime import environments, styles

from benchmarks.measure import Samples, ratio, say, table

GOAL = 30
"""Milliseconds that the hook and the overlay may add to Django's own."""
PARTS = "hosts,proxy,secret-key,debug,databases,caches,static,logging,celery"
NAMES = ("django.setup(), overlay", "django.setup()", "python -c pass, overlay", "python -c pass")
# What the overlay makes of a new project, written down: the driver of a database is no cost of the overlay's.
BY_ITSELF = """
from proj.settings import *

DEBUG = False
ALLOWED_HOSTS = ["blog.example.com"]
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "blog", "HOST": "localhost"}}
"""
# Runs inside, so that what is measured is Python and not the container around it. Interleaved, as all benchmarks are.
INSIDE = """
import json, os, subprocess, sys, time

programs = ["import django; django.setup()", "pass"]
plain = {key: value for key, value in os.environ.items() if not key.startswith("NUAGES_")}
plain["DJANGO_SETTINGS_MODULE"] = "proj.by_itself"
competitors = [(program, env) for program in programs for env in (dict(os.environ), plain)]
samples = [[] for _ in competitors]
for number in range(int(sys.argv[1]) + 1):
    for offset in range(len(competitors)):
        each = (number + offset) % len(competitors)
        program, env = competitors[each]
        before = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], env=env, check=True)
        if number:  # once unmeasured: Python writes its byte code
            samples[each].append(time.perf_counter() - before)
json.dump(samples, sys.stdout)
"""


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks overlay", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--environment", choices=environments.MATRIX, default="django6.1-python3.13")
    options = parser.parse_args(argv)

    say(f"in {options.environment}")
    environment = environments.ensure(options.environment)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        styles.write(folder, {**styles.STYLES["plain settings"], "proj/by_itself.py": BY_ITSELF})
        (folder / "inside.py").write_text(INSIDE)
        env = {
            "DJANGO_SETTINGS_MODULE": "proj.settings",
            "NUAGES_OVERLAY": PARTS,
            "NUAGES_COMPONENT": "web",
            "NUAGES_HOSTS": "blog.example.com",
            "NUAGES_ORIGINS": "https://blog.example.com",
            "NUAGES_PROXY": "https",
            "NUAGES_LOGS": "json",
            "SECRET_KEY": "only-for-this-measurement-0f1e2d3c",
            "DATABASE_URL": "postgres://blog:blog@localhost/blog",
            "REDIS_URL": "redis://localhost:6379/0",
            # Byte code is in the image; here it is written once, for Django and for the overlay alike.
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": "/app/bytecode",
        }
        ended = environment.run(["python", "inside.py", str(options.rounds)], folder, env, timeout=600)
        if ended.code:
            raise SystemExit(ended.err)
    samples: Samples = dict(zip(NAMES, json.loads(ended.out), strict=True))
    table(samples, "ms")
    ratio(samples, NAMES[0], NAMES[1], f"at most {GOAL} ms more")
    ratio(samples, NAMES[2], NAMES[3], "1.00: nothing is imported before Django")
    added = (median(samples[NAMES[0]]) - median(samples[NAMES[1]])) * 1000
    print(f"added to Django's own: {added:.1f} ms (goal at most {GOAL})")
