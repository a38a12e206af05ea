from __future__ import annotations

import inspect

import pytest

from nuages_runtime.serve import Numbers, asgi_worker, gunicorn, uvicorn, version_of

pytestmark = pytest.mark.unit

ENVIRON = {
    "NUAGES_PORT": "9000",
    "NUAGES_WORKERS": "2",
    "NUAGES_THREADS": "8",
    "NUAGES_TIMEOUT": "61",
    "NUAGES_GRACEFUL_TIMEOUT": "60",
}


def test_time_outs_and_sizes_are_those_of_the_environment() -> None:
    line = gunicorn(Numbers(ENVIRON), (27, 0, 1))
    assert line[-1] == "nuages_runtime.wsgi:application"
    wanted = {"--bind=0.0.0.0:9000", "--workers=2", "--threads=8", "--timeout=61", "--graceful-timeout=60"}
    assert wanted <= set(line)


def test_connections_outlive_those_of_a_load_balancer_and_the_heartbeat_is_in_memory() -> None:
    line = gunicorn(Numbers({}), (27,))
    assert {"--worker-tmp-dir=/dev/shm", "--keep-alive=75", "--worker-class=gthread"} <= set(line)


@pytest.mark.parametrize(("workers", "replaced"), [("1", False), ("2", True)])
def test_a_process_is_replaced_now_and_then_where_others_answer_meanwhile(workers: str, replaced: bool) -> None:
    line = gunicorn(Numbers({"NUAGES_WORKERS": workers}), (27,))
    assert ({"--max-requests=10000", "--max-requests-jitter=1000"} <= set(line)) is replaced
    assert any(option.startswith("--max-requests") for option in line) is replaced


@pytest.mark.parametrize(
    ("version", "known"),
    [((20, 1, 0), False), ((23, 0, 0), False), ((25, 0, 3), False), ((25, 1), True), ((27,), True)],
)
def test_the_control_socket_is_refused_only_where_gunicorn_has_one(version: tuple[int, ...], known: bool) -> None:
    assert ("--no-control-socket" in gunicorn(Numbers({}), version)) is known


def test_asgi_is_served_by_gunicorns_own_worker_without_threads() -> None:
    line = gunicorn(Numbers({"NUAGES_INTERFACE": "asgi"}), (26, 1))
    assert "--worker-class=asgi" in line
    assert line[-1] == "nuages_runtime.asgi:application"
    assert not any(option.startswith("--threads") for option in line)


def test_an_old_gunicorn_without_uvicorn_serves_no_asgi_and_says_what_would() -> None:
    with pytest.raises(SystemExit, match=r"web\.\*\.server: uvicorn"):
        asgi_worker((23, 0, 0))


def test_uvicorn_gets_only_options_that_it_has() -> None:
    def old(app, *, host="", port=0, workers=None, timeout_keep_alive=5): ...

    options = uvicorn(Numbers({"NUAGES_INTERFACE": "asgi", "NUAGES_PORT": "9000"}), inspect.signature(old).parameters)
    assert options == {"host": "0.0.0.0", "port": 9000, "workers": 1, "timeout_keep_alive": 75}


@pytest.mark.parametrize(
    ("workers", "more", "limited"),
    [("1", ["limit_max_requests_jitter"], False), ("2", ["limit_max_requests_jitter"], True), ("2", [], False)],
)
def test_a_process_of_uvicorn_ends_only_where_others_answer_and_one_comes_in_its_place(
    workers: str, more: list[str], limited: bool
) -> None:
    options = uvicorn(Numbers({"NUAGES_WORKERS": workers}), dict.fromkeys(["limit_max_requests", *more]))
    assert bool(options) is limited


def test_what_is_not_installed_has_no_version() -> None:
    assert version_of("no-such-distribution") == ()
    assert version_of("pytest") >= (8,)
