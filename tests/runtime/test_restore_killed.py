"""A restore's last step, killed at any moment: one of the two databases answers by the app's name, and it goes on."""

from __future__ import annotations

import subprocess

import pytest
from postgres import PASSWORD

from nuages.host.command import environment, run
from nuages.image import base
from nuages.render import backup_scripts as scripts

pytestmark = pytest.mark.runtime

# All of it in one container, beside users who are never without a connection for long. What is killed is the session of
# the script, with all that it started, as when a pod is; what answers then is either database, whole.
STORY = r"""
set -u
plain() { psql -XqAt "$@"; }
answers() { for ((i = 0; i < 300; i++)); do plain -c 'select what from rows' 2> /dev/null && return; sleep 0.1; done; }
switch() { bash -c "$SWITCH" switch "$@" > /dev/null || echo "switch $* failed"; }
# What the server still does for a client that is gone is done by then, also what that one said with its last breath:
# its session looks idle until the server has read it.
settled() {
    for ((i = 0; i < 600; i++)); do
        [[ $(plain -d postgres -c "$BUSY") = 0 ]] && return
        sleep 0.1
    done
}
for one in switched new; do
    plain -d postgres -c "create database $one"
    plain -d $one -c "create table rows (what text); insert into rows values ('$one')"
done
ask='while :; do PGAPPNAME=user psql -Xqc "select pg_sleep(0.2)" > /tmp/said 2>&1; done'
for user in 1 2; do setsid bash -c "$ask" & done
users=$(jobs -p)
switch new before
answers
switch before new
for seconds in 0.02 0.05 0.08 0.11 0.14 0.18 0.25; do
    setsid bash -c "$SWITCH" switch new before > /tmp/killed 2>&1 &
    sleep $seconds
    kill -9 -- -$! 2> /tmp/said
    wait $! 2> /tmp/said
    settled
    found=$(answers)
    [[ $found = switched || $found = new ]] || echo "nothing answers after $seconds s"
    [[ $found = switched ]] || switch before new
done
# One that an earlier nuages left closed is opened by the next try.
plain -d postgres -c 'alter database switched allow_connections false'
switch new before
answers
for user in $users; do kill -9 -- -$user; done
for one in switched new before; do plain -d postgres -c "drop database if exists $one with (force)"; done 2> /tmp/said
"""


BUSY = "select count(*) from pg_stat_activity where application_name = 'psql' and pid <> pg_backend_pid()"


def test_a_switch_that_is_killed_leaves_no_database_closed_and_goes_on(database: str) -> None:
    host, _, port = database.partition(":")
    container = run(["buildah", "from", "--pull-never", base.in_storage("postgres:17")]).strip()
    told = {"PGHOST": host, "PGPORT": port, "PGUSER": "blog", "PGPASSWORD": PASSWORD, "PGDATABASE": "switched"}
    argv = [
        *("buildah", "run", "--isolation=chroot", "--network=host"),
        *(f"--env={name}={value}" for name, value in {**told, "SWITCH": scripts.SWITCH, "BUSY": BUSY}.items()),
        *(container, "--", "bash", "-c", STORY),
    ]
    try:
        done = subprocess.run(argv, env=environment(), text=True, capture_output=True, check=False, timeout=300)
    finally:
        run(["buildah", "rm", container])
    assert done.stdout.split("\n") == ["new", "new", ""], done.stderr
