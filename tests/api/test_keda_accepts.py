"""What is rendered for KEDA is what KEDA's own definitions allow."""

from __future__ import annotations

import keda
import pytest
from test_render_is_accepted import missing, rendered

from nuages.app.components import resolve
from nuages.spec.load import parse

pytestmark = pytest.mark.api

SPEC = """\
name: blog
image: registry.example.com/acme/blog
workers:
  default: {celery: {app: blog, queues: [a, b]}, autoscale: {min: 0, max: 4, queueLength: 20, cpu: 80, memory: 90}}
services: {BROKER}
environments: {local: {namespace: NAMESPACE}}
"""
EXTERNAL = "{external: {host: mq.internal, secret: mq, tls: verify-full, authority: mq-ca}}"


@pytest.mark.parametrize(
    "broker",
    ["redis: {run: {}}", "rabbitmq: {run: {}}", f"redis: {EXTERNAL}", f"rabbitmq: {EXTERNAL}"],
)
async def test_a_scaled_object_and_what_it_asks_with_are_kept_as_they_were_sent(cluster, namespace, broker):
    await keda.installed(cluster)
    text = SPEC.replace("BROKER", broker).replace("NAMESPACE", namespace)
    made = rendered(resolve(parse(text.encode(), "nuages.yaml"), "local"))
    own = [item for item in made.workers if item["apiVersion"].startswith("keda.sh/")]
    assert {item["kind"] for item in own} == {"ScaledObject", "TriggerAuthentication"}
    for item in own:
        kept = await cluster.apply(item)
        assert missing(item["spec"], kept["spec"]) == []
        again = await cluster.apply(item)
        assert again["metadata"]["resourceVersion"] == kept["metadata"]["resourceVersion"]
