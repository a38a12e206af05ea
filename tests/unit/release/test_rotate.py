"""What a rotation writes, and whose pods it waits for."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from nuages.release.keeping import rotation

pytestmark = pytest.mark.unit


def test_the_verifier_is_the_one_of_rfc_7677() -> None:
    salt = "W22ZaJ0SNY7soEsUEjb6gQ=="
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    message = f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s={salt},i=4096,c=biws,r={nonce}"
    written = rotation.verifier("pencil", base64.b64decode(salt))
    kind, parameters, keys = written.split("$")
    stored, server = (base64.b64decode(key) for key in keys.split(":"))
    assert (kind, parameters) == ("SCRAM-SHA-256", f"4096:{salt}")
    signature = hmac.digest(server, message.encode(), "sha256")
    assert base64.b64encode(signature) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    signed = hmac.digest(stored, message.encode(), "sha256")
    client = bytes(a ^ b for a, b in zip(proof, signed, strict=True))
    assert hashlib.sha256(client).digest() == stored


@pytest.mark.parametrize(("current", "turn"), [("app", "app_b"), ("app_b", "app")])
def test_two_roles_take_turns(current: str, turn: str) -> None:
    assert rotation.other(current) == turn


@pytest.mark.parametrize(
    ("part", "does"),
    [
        ({"env": [{"valueFrom": {"secretKeyRef": {"name": "blog-postgres", "key": "password"}}}]}, True),
        ({"initContainers": [{"envFrom": [{"secretRef": {"name": "blog-postgres"}}]}]}, True),
        ({"volumes": [{"secret": {"secretName": "blog-postgres"}}]}, True),
        ({"env": [{"valueFrom": {"secretKeyRef": {"name": "blog-secrets", "key": "password"}}}]}, False),
    ],
)
def test_who_reads_the_password_is_found_wherever_it_is_named(part: dict[str, object], does: bool) -> None:
    assert rotation.reads({"spec": part}, "blog-postgres") is does


@pytest.mark.parametrize(
    ("keys", "is_blind"), [(["password"], True), (["user", "password"], False), (["user"], False), ([], False)]
)
def test_who_is_told_a_password_and_not_whose_it_is_would_be_locked_out(keys: list[str], is_blind: bool) -> None:
    env = [{"name": key, "valueFrom": {"secretKeyRef": {"name": "blog-postgres", "key": key}}} for key in keys]
    pod = {"template": {"spec": {"containers": [{"env": env}]}}}
    assert rotation.blind({"kind": "Deployment", "spec": pod}, "blog-postgres") is is_blind
    assert rotation.blind({"kind": "CronJob", "spec": {"jobTemplate": {"spec": pod}}}, "blog-postgres") is is_blind
    assert not rotation.blind({"kind": "Deployment", "spec": pod}, "shop-postgres")


class Pods:
    """What was last seen: these pods."""

    def __init__(self, *pods: dict[str, object]) -> None:
        self._pods = list(pods)

    def get(self, kind: str, name: str) -> None:
        """None is asked for here."""

    def items(self, kind: str) -> list[dict[str, object]]:
        """All of them."""
        return self._pods


def pod(
    name: str, component: str, hour: int, phase: str = "Running", owner: str = "Job", stamp: str = ""
) -> dict[str, object]:
    env = [{"valueFrom": {"secretKeyRef": {"name": "blog-postgres", "key": "password"}}}]
    about = {
        "name": name,
        "labels": {"app.kubernetes.io/component": component},
        "creationTimestamp": f"2026-01-01T{hour:02}:00:00Z",
        "ownerReferences": [{"kind": owner}],
        "annotations": {rotation.ROTATED: stamp},
    }
    return {"metadata": about, "spec": {"containers": [{"env": env}]}, "status": {"phase": phase}}


def test_the_old_password_stays_until_nobody_is_left_who_was_told_it() -> None:
    seen = Pods(
        pod("web-old", "web", 9, owner="ReplicaSet"),
        pod("web-new", "web", 12, owner="ReplicaSet", stamp="now"),
        pod("web-late", "web", 12, owner="ReplicaSet"),  # of a release that knew nothing of the stamp
        pod("backup-runs", "backup", 9),
        pod("backup-waits", "backup", 9, phase="Pending"),
        pod("backup-over", "backup", 9, phase="Succeeded"),
        pod("backup-new", "backup", 12),
        pod("shell", "run", 9, owner=""),
        pod("postgres-0", "postgres", 9, owner="StatefulSet"),
    )
    since = datetime(2026, 1, 1, 11, tzinfo=UTC)
    found = rotation.left("blog-postgres", "now", since, seen)
    assert [one["metadata"]["name"] for one in found] == ["web-old", "web-late", "backup-runs", "shell"]


@pytest.mark.parametrize(
    ("owner", "ends", "seconds", "gives_up"),
    [
        ("", None, 30, False),
        ("", None, 61, True),  # a shell that somebody has open
        ("Job", None, 7200, False),  # it ends in the time that a Job has
        ("ReplicaSet", 3600, 1800, False),  # a task of an hour
        ("ReplicaSet", 3600, 3661, True),  # its node is lost
    ],
)
def test_who_never_ends_by_itself_is_waited_for_a_minute(
    owner: str, ends: int | None, seconds: int, gives_up: bool
) -> None:
    began = datetime(2026, 1, 1, 11, tzinfo=UTC)
    about: dict[str, object] = {"name": "x"}
    about |= {"ownerReferences": [{"kind": owner, "controller": True}]} if owner else {}
    about |= {"deletionTimestamp": f"{began + timedelta(seconds=ends):%Y-%m-%dT%H:%M:%SZ}"} if ends else {}
    assert rotation.stays({"metadata": about}, began, began + timedelta(seconds=seconds)) is gives_up


def test_who_holds_a_rotation_up_is_named_with_who_started_it() -> None:
    about = {"name": "blog-shell-x", "namespace": "blog-local", "annotations": {"nuages.dev/by": "ada@laptop"}}
    failed = rotation._held_up([{"metadata": about}])
    assert "blog-shell-x (ada@laptop) was told the old password" in failed.message
    assert "delete pod blog-shell-x" in failed.detail
