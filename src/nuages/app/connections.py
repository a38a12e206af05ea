"""How many processes and threads serve and work, and whether the database has a connection for each of them.

Every thread that answers a request, or runs a task, holds one connection while it does (Django keeps connections per
thread: https://docs.djangoproject.com/en/stable/ref/databases/#connection-management). A rollout runs old and new pods
side by side.
"""

from __future__ import annotations

import math

import msgspec

# A thread waits for the database most of the time: four keep a process busy without queueing on Python's lock.
THREADS_PER_WORKER = 4
# Celery's pools, per core (https://docs.celeryq.dev/en/stable/userguide/concurrency/): a process computes, a thread or
# a greenlet mostly waits, and solo is one task at a time.
TASKS_PER_CORE = {"prefork": 1, "threads": 4, "gevent": 10, "solo": 0}
# What a worker that is no Celery may open in one pod: it can't be known, and most fork a handful of processes.
COMMAND_CONNECTIONS = 4
# Beat reads its schedule from the database where django-celery-beat keeps it there.
BEAT_CONNECTIONS = 1
# What a process opens to Redis at worst: each thread or task one for the cache, and one for the tasks it sends.
CLIENTS_PER_THREAD = 2
# A Celery worker beside its tasks: it takes tasks, listens to its siblings and is spoken to.
CLIENTS_PER_WORKER = 3
# Redis' maxclients where nothing else is said (https://redis.io/docs/latest/develop/reference/clients/).
REDIS_CLIENTS = 10_000
# The migrate Job: one that migrates, one that holds the advisory lock. It is over when a rollout begins, so that what a
# person runs by hand finds them free.
MIGRATE_CONNECTIONS = 2
# A backup: one session holds the snapshot, one dumps.
BACKUP_CONNECTIONS = 2
# Its exporter, beside what it asks each time.
EXPORTER_CONNECTIONS = 2
# What CloudNativePG has in each instance: its manager asks how it goes, and tells Prometheus.
OPERATOR_CONNECTIONS = 4
# A command at its time opens one.
SCHEDULE_CONNECTIONS = 1
# PgBouncer's own port (https://www.pgbouncer.org/config.html#listen_port).
POOLER_PORT = 6432
# PostgreSQL keeps these for superusers (superuser_reserved_connections, default 3).
RESERVED_CONNECTIONS = 3
# What one backend may take at worst, in work memory and caches; 10 MiB is the usual rule of thumb.
BYTES_PER_CONNECTION = 10 * 1024 * 1024
SMALLEST_MAX_CONNECTIONS = 20
# Beyond this a pooler serves better than more backends.
LARGEST_MAX_CONNECTIONS = 500


class Processes(msgspec.Struct, frozen=True, kw_only=True):
    """The server's processes in one pod, and the threads in each."""

    workers: int
    """One per core that is set aside, at least one."""
    threads: int
    """In each of them; each holds a connection to the database while it answers."""


def processes(millicores: int, size: int | None = None) -> Processes:
    """One worker per core set aside, at least one: the node's cores are not the pod's (gunicorn's 2n+1 counts
    those).

    Args:
        millicores: the CPU that is set aside.
        size: how many connections a process may open, so how many threads it has; None for what is usual.
    """
    return Processes(workers=max(1, math.ceil(millicores / 1000)), threads=size or THREADS_PER_WORKER)


def surge(replicas: int) -> int:
    """How many pods more a rollout may start: a quarter, as a Deployment's own default, and at least one."""
    return max(1, math.ceil(replicas / 4))


def max_connections(memory_bytes: int) -> int:
    """What PostgreSQL can serve: half of its memory for backends (a quarter is shared buffers, a quarter the page
    cache).
    """
    return min(LARGEST_MAX_CONNECTIONS, max(SMALLEST_MAX_CONNECTIONS, memory_bytes // 2 // BYTES_PER_CONNECTION))


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """How one pod of a worker runs its tasks."""

    concurrency: int
    """How many tasks at once."""
    per_process: int
    """The most connections one of its processes opens."""
    connections: int
    """The most that all of them open."""


def pool(kind: str, concurrency: int | None, millicores: int) -> Pool:
    """What a Celery worker's pool runs at once: what is declared, or else what the CPU request allows."""
    at_once = 1 if kind == "solo" else concurrency or max(1, math.ceil(millicores / 1000)) * TASKS_PER_CORE[kind]
    return Pool(concurrency=at_once, per_process=1 if kind == "prefork" else at_once, connections=at_once)


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """Connections wanted at worst, and those there are."""

    wanted: int
    """What all that serves and works opens in the middle of a rollout, and what is beside."""
    available: int
    """PostgreSQL's max_connections."""
    beside: int
    """What is wanted beside all that serves and works: the migrate Job, schedules, a backup, PostgreSQL's reserve."""
    memory_megabytes: int
    """How much memory PostgreSQL would need for what is wanted, in steps of 256 MiB."""

    @property
    def fits(self) -> bool:
        """Whether every thread finds a connection, in the middle of a rollout too."""
        return self.wanted <= self.available


def budget(components: list[int], available: int, passing: int = 0) -> Budget:
    """The sum of what each component wants at worst, and what is wanted beside them.

    Args:
        components: what is always there.
        available: PostgreSQL's max_connections.
        passing: what comes and goes, schedules and backups.
    """
    beside = MIGRATE_CONNECTIONS + RESERVED_CONNECTIONS + passing
    wanted = sum(components) + beside
    needed = wanted * BYTES_PER_CONNECTION * 2
    step = 256 * 1024 * 1024
    return Budget(
        wanted=wanted, available=available, beside=beside, memory_megabytes=math.ceil(needed / step) * step // 1024**2
    )
