"""A release whose pods the cluster refuses: it ends at once, though a StatefulSet and a Job tell it in no status."""

from __future__ import annotations

import time

import faultstory
import pytest
from admission import asked, denying

from nuages.errors import ReleaseFailed
from nuages.progress import silent
from nuages.release.deploy import deploy

pytestmark = pytest.mark.api
QUICK = 300.0
"""Seconds; without a look at events it would be ten minutes, or the half hour that a migration may take."""


async def test_a_data_store_whose_pods_are_refused_ends_the_release_at_once(cluster, namespace, tmp_path):
    app = faultstory.app(namespace, tmp_path, "first")
    with denying(tmp_path) as (url, authority):
        async with asked(cluster, namespace, url, authority) as name:
            begun = time.monotonic()
            with pytest.raises(ReleaseFailed) as failed:
                await deploy(app, faultstory.BUILDS["first"], cluster, silent)
    assert time.monotonic() - begun < QUICK
    assert f"the admission webhook {name} refuses it  (diag.D063)" in failed.value.detail
