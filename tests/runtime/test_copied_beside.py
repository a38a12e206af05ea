"""A copy that is brought beside a database that serves: whole, or not at all, and nothing is left of an attempt."""

from __future__ import annotations

import subprocess

import pytest
from postgres import PASSWORD

from nuages.host.command import environment, run
from nuages.image import base
from nuages.render import backup_scripts
from nuages.render import clone_scripts as scripts

pytestmark = pytest.mark.runtime

STORY = r"""
set -u
plain() { psql -XqAt "$@"; }
for one in origin copied; do
    plain -d postgres -c "create database $one"
    plain -d $one -c "create table django_migrations (app text, name text)" \
        -c "insert into django_migrations values ('posts', '0001')" \
        -c "create table \"Odd 'name\" (what text); insert into \"Odd 'name\" values ('$one')"
done
try() { INTO=copied_copying_$1 bash -c "$BESIDE" | tr -d ' ' | sed 's/"bytes":[0-9]\+/"bytes":0/'; names; }
names() { plain -d postgres -c "select datname from pg_database where datname ~ 'copied' order by 1" | xargs; }
plain -d origin -c "insert into django_migrations values ('posts', '0002')"
plain -d copied -c "insert into django_migrations values ('posts', '0003''s')"
try 1
export ANYWAY=yes
try 2
plain -d copied_copying_2 -c "select what from \"Odd 'name\""
bash -c "$DROP" drop copied_copying_
ROOM=20000000 try 3
plain -d postgres -c 'create database "copied_before_1"'
bash -c "$ASIDE" drop copied_before_1 copied_befor_2
names
bash -c "$ASIDE" drop copied_before_1 | tr 1-9 0 | tr -s 0
names
for one in origin copied; do plain -d postgres -c "drop database $one with (force)"; done
"""
EXPECTED = """\
{"missing":"posts.0003's","ahead":"posts.0002","bytes":null,"tables":0,"rows":0}
copied
{"missing":"posts.0003's","ahead":"posts.0002","bytes":0,"tables":2,"rows":3}
copied copied_copying_2
origin
copied
copied copied_before_1
{"bytes": 0}
copied
"""


def test_a_copy_is_whole_or_not_there_and_attempts_leave_nothing(database: str) -> None:
    host, _, port = database.partition(":")
    container = run(["buildah", "from", "--pull-never", base.in_storage("postgres:17")]).strip()
    there = {"HOST": host, "USER": "blog", "PASSWORD": PASSWORD}
    told = {
        **{f"PG{name}": value for name, value in there.items()},
        **{f"FROM_{name}": value for name, value in there.items()},
        "PGPORT": port,
        "PGDATABASE": "copied",
        "FROM_DATABASE": "origin",
        "BESIDE": scripts.BESIDE,
        "DROP": scripts.DROP,
        "ASIDE": backup_scripts.DROP,
        "ROOM": str(1 << 40),
        "ANYWAY": "",
        "BEFORE": "copied_copying_",
    }
    argv = [
        *("buildah", "run", "--isolation=chroot", "--network=host"),
        *(f"--env={name}={value}" for name, value in told.items()),
        *(container, "--", "bash", "-c", STORY),
    ]
    try:
        done = subprocess.run(argv, env=environment(), text=True, capture_output=True, check=False, timeout=120)
    finally:
        run(["buildah", "rm", container])
    assert done.stdout == EXPECTED, done.stderr
    assert "failed: no room" in done.stderr
    assert "failed: there is no database copied_befor_2; there are: blog copied copied_before_1" in done.stderr
