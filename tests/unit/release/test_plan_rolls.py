"""What starts anew and why, and how long it took before."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from nuages.release.plan.objects import paired
from nuages.release.plan.rolls import rolls, took
from nuages.release.plan.shape import Action, Change, Field
from nuages.release.record import Outcome, Passed

from .examples import NOON, live, record, stored

pytestmark = pytest.mark.unit

WEB = "spec.template.spec.containers[web]"


def change(*fields, action=Action.UPDATE, rolled=True):
    return Change(
        action=action,
        kind="Deployment",
        name="blog-web-main",
        rolls=rolled,
        fields=tuple(Field(path=path, before=before, after=after) for path, before, after in fields),
    )


def env_from(config, secret):
    return f'[{{"configMapRef":{{"name":"{config}"}}}},{{"secretRef":{{"name":"{secret}"}}}}]'


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ([(f"{WEB}.image", "1", "2")], ("image",)),
        ([(f"{WEB}.envFrom", env_from("a", "s"), env_from("b", "s"))], ("configuration",)),
        ([(f"{WEB}.envFrom", env_from("a", "s"), env_from("a", "t"))], ("secrets",)),
        ([(f"{WEB}.env[NUAGES_WORKERS].value", "1", "2")], ("NUAGES_WORKERS",)),
        ([(f"{WEB}.image", "1", "2"), (f"{WEB}.env[NUAGES_RELEASE].value", "1", "2")], ("image",)),
        ([(f"{WEB}.resources.limits.memory", "1", "2")], ("resources.limits.memory",)),
        ([("spec.template.metadata.labels.x", "1", "2")], ("metadata.labels.x",)),
        ([("spec.replicas", "1", "2")], ()),
    ],
)
def test_why_pods_start_anew_is_said_in_a_developers_words(fields, why) -> None:
    (roll,) = rolls([(change(*fields), {"spec": {"replicas": 3}})])
    assert (roll.why, roll.pods) == (why, 3)


def test_more_replicas_start_nothing_anew_and_a_new_workload_is_new() -> None:
    wanted = {"spec": {"replicas": 3}}
    assert rolls([(change(("spec.replicas", "2", "3"), rolled=False), wanted)]) == []
    (roll,) = rolls([(change(action=Action.CREATE, rolled=False), wanted)])
    assert roll.why == ("new",)


def passed(number, *, template=None, outcome=Outcome.LIVE, **seconds):
    phases = tuple(
        Passed(phase=name, started=NOON, ended=NOON + timedelta(seconds=took)) for name, took in seconds.items()
    )
    made = record(number, template=template or number, passed=phases)
    return stored(made.closed(outcome, NOON))


def test_the_last_release_that_rolled_tells_how_long_it_takes() -> None:
    history = [
        passed(5, web=99, outcome=Outcome.FAILED),
        passed(4, web=0, template=3),
        passed(3, web=8),
        passed(2, web=30, expand=4),
        passed(1, services=12, web=40),
    ]
    told = [(one.phase, one.seconds, one.release) for one in took(history, ["services", "expand", "web"])]
    assert told == [("expand", 4.0, 2), ("web", 8.0, 3)]


def test_without_a_release_nothing_is_known() -> None:
    assert took([], ["web"]) == []
    assert took([live(1)], ["web"]) == []


def config(name, **data):
    return {"kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_what_has_a_hash_in_its_name_is_one_change_of_what_it_holds() -> None:
    old, new = config("blog-env-0123456789", COLOR="orange", OLD="1"), config("blog-env-9876543210", COLOR="maroon")
    changes = [
        Change(action=Action.CREATE, kind="ConfigMap", name="blog-env-9876543210"),
        Change(action=Action.REMOVE, kind="ConfigMap", name="blog-env-0123456789"),
        Change(action=Action.REMOVE, kind="ConfigMap", name="blog-env-5555555555"),
    ]
    told = paired(changes, [old], [new], lambda text: text)
    assert [(one.action, one.name, one.replaces) for one in told] == [
        (Action.UPDATE, "blog-env-9876543210", "blog-env-0123456789"),
        (Action.REMOVE, "blog-env-5555555555", ""),
    ]
    assert [msgspec.structs.astuple(field) for field in told[0].fields] == [
        ("data.COLOR", "orange", "maroon"),
        ("data.OLD", "1", None),
    ]
