from __future__ import annotations

import pytest

from nuages_runtime.serve import APPLICATION, arguments

pytestmark = pytest.mark.unit


def test_time_outs_and_sizes_are_those_of_the_environment() -> None:
    environ = {
        "NUAGES_PORT": "9000",
        "NUAGES_WORKERS": "2",
        "NUAGES_THREADS": "8",
        "NUAGES_TIMEOUT": "61",
        "NUAGES_GRACEFUL_TIMEOUT": "60",
    }
    line = arguments(environ, (27, 0, 1))
    assert line[-1] == APPLICATION
    wanted = {"--bind=0.0.0.0:9000", "--workers=2", "--threads=8", "--timeout=61", "--graceful-timeout=60"}
    assert wanted <= set(line)


def test_the_heartbeat_is_in_memory_and_connections_outlive_those_of_a_load_balancer() -> None:
    assert {"--worker-tmp-dir=/dev/shm", "--keep-alive=75", "--worker-class=gthread"} <= set(arguments({}, (27,)))


@pytest.mark.parametrize(
    ("version", "known"), [((23, 0, 0), False), ((25, 0, 3), False), ((25, 1), True), ((27, 0, 1), True)]
)
def test_the_control_socket_is_refused_only_where_gunicorn_has_one(version: tuple[int, ...], known: bool) -> None:
    assert ("--no-control-socket" in arguments({}, version)) is known
