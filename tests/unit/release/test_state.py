"""What exists nowhere else: into an encrypted file, and out of it."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pyrage
import pytest

from nuages.app.components import App, resolve
from nuages.errors import Refused, UsageError
from nuages.release.keeping import state
from nuages.release.keeping.state import State
from nuages.release.secrets import decoded, encoded
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "blog-postgres", "uid": "1", "resourceVersion": "7", "labels": {"a": "b"}, "namespace": "x"},
    "data": {"user": encoded(b"app_b"), "password": encoded(b"hunter2"), "old-user": encoded(b"app")},
}
STATE = State(
    app="blog", environment="local", made=datetime(2026, 11, 21, tzinfo=UTC), by="me@here", objects=[SECRET],
    database=b"PGDMP",
)  # fmt: skip
KEY = pyrage.x25519.Identity.generate()


def app() -> App:
    spec = (
        b"{name: blog, image: r.example.com/blog, django: {settings: b}, web: {main: {}}, "
        b"services: {postgres: {run: {}}}, databases: {default: postgres}, environments: {local: {}}}"
    )
    return resolve(parse(spec, "nuages.yaml"), "local")


def test_what_is_written_is_read_by_the_key_alone() -> None:
    text = state.encrypted(STATE, [str(KEY.to_public())], "")
    assert text.startswith("-----BEGIN AGE ENCRYPTED FILE-----")
    assert "hunter2" not in text
    assert state.decrypted(text, f"# a comment\n{KEY}\n", "") == STATE
    with pytest.raises(Refused) as refused:
        state.decrypted(text, str(pyrage.x25519.Identity.generate()), "")
    assert refused.value.findings[0].id == "release.E393"


def test_a_file_of_somebody_else_is_none_of_ours() -> None:
    text = pyrage.encrypt(b"hello", [KEY.to_public()], armored=True).decode()
    with pytest.raises(Refused, match="nothing was touched"):
        state.decrypted(text, str(KEY), "")


@pytest.mark.parametrize(
    "other",
    [
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "me"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "another"}},
        SECRET | {"type": "kubernetes.io/service-account-token"},
    ],
)
def test_who_knows_a_public_key_has_nothing_made_by_its_owner(other: dict[str, object]) -> None:
    forged = msgspec.structs.replace(STATE, objects=[SECRET, other])
    with pytest.raises(Refused) as refused:
        state.decrypted(state.encrypted(forged, [str(KEY.to_public())], ""), str(KEY), "")
    assert refused.value.findings[0].id == "release.E393"


def test_a_recipient_that_is_no_key_is_a_mistake_of_the_command_line() -> None:
    with pytest.raises(UsageError):
        state.encrypted(STATE, ["age1nonsense"], "")


def test_what_the_old_cluster_added_stays_behind() -> None:
    assert state._bare(SECRET)["metadata"] == {"name": "blog-postgres", "labels": {"a": "b"}}


def test_a_new_postgres_is_told_of_the_one_role_it_has() -> None:
    placed = state._placed(app(), state._bare(SECRET))
    assert decoded(placed) == {"user": b"app", "password": b"hunter2"}
    assert placed["metadata"]["namespace"] == "blog-local"


def test_only_what_a_deploy_could_not_make_again_is_kept() -> None:
    def config(kind: str | None) -> dict[str, object]:
        labels = {"nuages.dev/kind": kind} if kind else {}
        return {"kind": "ConfigMap", "metadata": {"name": "x", "labels": labels}}

    assert [state._kept(config(kind)) for kind in ("release", "runs", None)] == [True, True, False]
