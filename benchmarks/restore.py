"""A database of 1 GB: its backup, the drill that proves it, and the restore that serves by it.

Beside it `pg_dump` and `pg_restore` by hand, in the database's own pod: what counting every row, reading the dump back
and a server of its own cost. The rows are text that does not compress to nothing, as people write.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import yaml

from benchmarks.blog import Blog, live
from benchmarks.measure import NUAGES, say, seconds

# 400 bytes a row, half of it random: about 450 with all that PostgreSQL keeps beside them.
FILLED = """
CREATE TABLE letters AS SELECT number, now() - number * interval '1 second' AS written,
    (SELECT string_agg(md5(number::text || part::text), ' ' ORDER BY part) FROM generate_series(1, 6) AS part)
    || repeat(' as people write', 12) AS body FROM generate_series(1, {rows}) AS number;
ALTER TABLE letters ADD PRIMARY KEY (number); CREATE INDEX ON letters (written);
"""
ROWS_OF_A_GIGABYTE = 2_100_000
DUMPED = 'pg_dump -U "$POSTGRES_USER" -Fc blog > "$PGDATA/bench.dump"'
RESTORED = 'createdb -U "$POSTGRES_USER" bench && pg_restore -U "$POSTGRES_USER" --jobs=2 -d bench "$PGDATA/bench.dump"'


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks restore", description=__doc__)
    parser.add_argument("--cluster", default="nuages", help="the local cluster; brought up where it does not run")
    parser.add_argument("--gigabytes", type=float, default=1.0)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as work, live(Path(work), options.cluster, "bench-restore") as (blog,):
        _with_backups(blog)
        blog.deploy("--no-build")
        say("filling")
        _nuages(blog, "dbshell", "-c", FILLED.format(rows=int(ROWS_OF_A_GIGABYTE * options.gigabytes)))
        pod = ("exec", "blog-postgres-0", "--", "sh", "-c")
        by_hand = [seconds(*blog.kubectl, *pod, text) for text in (DUMPED, RESTORED)]
        blog.ask(*pod, 'dropdb -U "$POSTGRES_USER" bench; rm "$PGDATA/bench.dump"')
        say("backup")
        took = [seconds(NUAGES, "backup", env=blog.env, cwd=blog.folder)]
        (made,) = json.loads(_nuages(blog, "backup", "list", "--json"))["backups"]
        took.append(seconds(NUAGES, "backup", "drill", env=blog.env, cwd=blog.folder))
        took.append(seconds(NUAGES, "restore", "--yes", env=blog.env, cwd=blog.folder))
        rows = [
            ("pg_dump by hand", by_hand[0]),
            ("nuages backup", took[0]),
            ("pg_restore by hand", by_hand[1]),
            ("nuages backup drill", took[1]),
            ("nuages restore, switched", took[2]),
        ]
        print(f"{made['holds'] / 1e9:.2f} GB, {made['rows']} rows, {made['bytes'] / 1e6:.0f} MB dumped")
        for name, each in rows:
            print(f"{name:28}{each:8.1f} s")


def _with_backups(blog: Blog) -> None:
    spec = yaml.safe_load(blog.spec.read_text())
    run = spec["services"]["postgres"]["run"]
    run |= {"storage": "8Gi", "backup": {"cron": "0 2 * * *", "keep": 2, "to": {"volume": "4Gi"}}}
    blog.spec.write_text(yaml.safe_dump(spec))


def _nuages(blog: Blog, *arguments: str) -> str:
    done = subprocess.run(
        [NUAGES, *arguments], cwd=blog.folder, env=blog.env, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout
