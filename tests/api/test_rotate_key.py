"""Another key to sign with, against a real API server with its controllers."""

from __future__ import annotations

import pytest
from test_release import BUILD, _nobody_answers, blog

from nuages.progress import Started, silent
from nuages.release import records, secrets
from nuages.release.deploy import deploy
from nuages.release.keeping import keys

pytestmark = pytest.mark.api
__all__ = ["_nobody_answers"]  # a fixture


async def test_a_key_signs_when_no_web_is_left_that_does_not_know_it(
    namespace, cluster, kubelet, tmp_path, monkeypatch
):
    async def believes(*_):
        """No pod answers here."""

    monkeypatch.setattr(keys, "_believes", believes)
    app = blog(namespace, tmp_path)
    await deploy(app, BUILD, cluster, silent)
    before = await held(cluster, namespace)
    steps = []
    await keys.rotate(app, "SECRET_KEY", cluster, steps.append)
    after = await held(cluster, namespace)
    assert after["SECRET_KEY"] != before["SECRET_KEY"]
    assert after[secrets.FALLBACKS] == before["SECRET_KEY"]
    titles = [event.title for event in steps if isinstance(event, Started)]
    assert titles.index("pods from before") > titles.index("web")
    history = await records.history(cluster, namespace, "blog", "local")
    said = ["the new SECRET_KEY signs", "pods learn the new SECRET_KEY", ""]
    assert [stored.record.message for stored in history] == said


async def held(cluster, namespace):
    """What the app's Secret has."""
    return secrets.decoded(await cluster.get("Secret", namespace, "blog-secrets"))
