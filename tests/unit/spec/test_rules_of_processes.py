"""Schedules and what scales by itself: what would be refused later is refused now."""

from __future__ import annotations

import pytest

from nuages.errors import SpecInvalid
from nuages.spec.load import parse
from nuages.spec.rules.processes import known_zone, unreadable

pytestmark = pytest.mark.unit

HEAD = "apiVersion: nuages/v1\nname: {name}\nimage: registry.example.com/acme/blog\n"


def mistakes(text: str, name: str = "blog") -> list[tuple[str, str]]:
    try:
        parse((HEAD.format(name=name) + text).encode(), "nuages.yaml")
    except SpecInvalid as invalid:
        return sorted((finding.id, finding.place.path) for finding in invalid.findings)
    return []


@pytest.mark.parametrize(
    ("cron", "why"),
    [
        ("0 3 * * *", ""),
        ("*/5 1-5,22 1,15 jan-mar MON-fri", ""),
        ("@hourly", ""),
        ("? ? ? ? ?", ""),
        ("61 3 * * *", "minute 61 is not within 0-59"),
        ("0 3 * * 7", "weekday 7 is not within 0-6"),
        ("0 3 0 * *", "day 0 is not within 1-31"),
        ("5-1 3 * * *", "minute 5-1 ends before it begins"),
        ("*/0 3 * * *", "minute */0 steps by nothing"),
        ("x 3 * * *", '"x" is no minute'),
        ("TZ=UTC 3 * * *", '"TZ=UTC" is no minute'),
    ],
)
def test_a_cron_expression_is_read_as_kubernetes_reads_it(cron: str, why: str) -> None:
    assert unreadable(cron) == why


@pytest.mark.parametrize(
    ("name", "known"), [("Europe/Berlin", True), ("Etc/GMT+3", True), ("Mars/North", False), ("../UTC", False)]
)
def test_a_time_zone_is_one_of_the_database(name: str, known: bool) -> None:
    assert known_zone(name) is known


def test_a_schedule_that_could_not_run_is_refused() -> None:
    text = 'schedules: {a: {manage: [x], cron: "0 3 * * *", timeZone: Mars/North, startingDeadline: 5s}}\n'
    assert mistakes(text) == [("spec.E231", "schedules.a.startingDeadline"), ("spec.E231", "schedules.a.timeZone")]


@pytest.mark.parametrize(
    "way",
    [
        "run: {backup: {cron: '0 3 * * 7', to: {volume: 1Gi}}}",
        "cloudnativepg: {backup: {cron: '0 3 * * 7', bucket: {url: s3://blog-b}}}",
    ],
)
def test_backups_at_a_time_that_there_is_not_are_refused(way: str) -> None:
    found = mistakes(f"services: {{postgres: {{{way}}}}}\ndatabases: {{default: postgres}}\n")
    assert found == [("spec.E231", f"services.postgres.{way.partition(':')[0]}.backup.cron")]


def test_a_cron_jobs_name_has_52_characters() -> None:
    text = 'schedules: {a-rather-long-key: {manage: [x], cron: "0 3 * * *"}}\n'
    assert mistakes(text, name="a-name-of-thirty-characters-in") == [("spec.E230", "schedules.a-rather-long-key")]
    assert mistakes(text, name="a-name-of-twenty-four-ch") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web: {main: {autoscale: {min: 5, max: 3, cpu: 70}}}", [("spec.E232", "web.main.autoscale.min")]),
        ("web: {main: {autoscale: {min: 0, max: 3, cpu: 70}}}", [("spec.E232", "web.main.autoscale.min")]),
        ("web: {main: {autoscale: {max: 3}}}", [("spec.E232", "web.main.autoscale")]),
        ("web: {main: {autoscale: {max: 3, queueLength: 9}}}", [("spec.E233", "web.main.autoscale.queueLength")]),
        (
            "web: {main: {command: [x], autoscale: {max: 3, requestsPerSecond: 9}}}",
            [("spec.E233", "web.main.autoscale.requestsPerSecond")],
        ),
        (
            "workers: {w: {command: [x], autoscale: {max: 3, queueLength: 9}}}",
            [("spec.E233", "workers.w.autoscale.queueLength")],
        ),
        (
            "workers: {w: {command: [x], autoscale: {max: 3, requestsPerSecond: 9}}}",
            [("spec.E233", "workers.w.autoscale.requestsPerSecond")],
        ),
        ("workers: {w: {celery: {app: x}, autoscale: {min: 0, max: 3, queueLength: 9}}}", []),
        ("web: {main: {replicas: 3, autoscale: {min: 2, max: 3, cpu: 70, memory: 90}}}", []),
    ],
)
def test_what_scales_by_itself_says_by_what_and_how_far(text: str, expected: list[tuple[str, str]]) -> None:
    assert mistakes(text + "\n") == expected
