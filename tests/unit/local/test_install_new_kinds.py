"""Add-ons bring definitions and objects of these kinds: the API server serves such a kind a moment later."""

from __future__ import annotations

import pytest

from nuages.errors import CommandFailed
from nuages.local import install
from nuages.local.addons import ADDONS
from nuages.local.info import ClusterInfo

pytestmark = pytest.mark.unit
UNSERVED = (
    'resource mapping not found for name: "traefik" namespace: "" from "STDIN": no matches for kind "GatewayClass" in '
    'version "gateway.networking.k8s.io/v1"\nensure CRDs are installed first'
)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What kubectl says to each apply, the first one first; "" is that it went well."""
    given: list[str] = []

    def run(argv: list[str], **_: object) -> str:
        if "apply" in argv and (said := given.pop(0)):
            raise CommandFailed("`kubectl apply` ended with exit code 1", detail=said)
        return ""

    monkeypatch.setattr(install, "run", run)
    monkeypatch.setattr(install.time, "sleep", lambda _: None)
    return given


def test_a_kind_that_is_not_served_yet_is_applied_again(answers: list[str]) -> None:
    answers += [UNSERVED, UNSERVED, ""]
    install.apply(ClusterInfo(name="one", context="one"), [ADDONS["traefik"]])
    assert answers == []


def test_what_is_wrong_for_another_reason_is_said_at_once(answers: list[str]) -> None:
    answers += ["the server is currently unable to handle the request", ""]
    with pytest.raises(CommandFailed, match="kubectl apply"):
        install.apply(ClusterInfo(name="one", context="one"), [ADDONS["traefik"]])
    assert len(answers) == 1
