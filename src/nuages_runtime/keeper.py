"""`python -m nuages_runtime.keeper NAMESPACE`: ends an environment whose time is over.

Runs in the namespace itself, by a CronJob, with the right to read and delete that one. The time stands on the namespace
(nuages.dev/expires), and is read again before anything is deleted: whoever gave it more time has it.

Exit codes: 0 deleted, or not yet its time; 1 the cluster said no.
"""

from __future__ import annotations

import json
import os
import ssl
import sys
import time
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

EXPIRES = "nuages.dev/expires"
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def main(namespace: str) -> None:
    """Look, and delete where the time has come; only the very namespace that was looked at."""
    metadata = asked("GET", namespace)["metadata"]
    ends = (metadata.get("annotations") or {}).get(EXPIRES, "")
    if not over(ends, time.time()):
        print(f"{namespace} has time until {ends or 'somebody removes it'}", flush=True)  # noqa: T201
        return
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": metadata["uid"]}}
    asked("DELETE", namespace, options)
    print(f"{namespace} had time until {ends}, and is removed", flush=True)  # noqa: T201


def over(ends: str, now: float) -> bool:
    """Whether a time as it is written down has come; what can't be read never comes."""
    try:
        return datetime.fromisoformat(ends).timestamp() <= now
    except (ValueError, TypeError):
        return False


def asked(method: str, namespace: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """One request about the namespace."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    address = f"[{host}]" if ":" in host else host
    request = urllib.request.Request(
        f"https://{address}:{port}/api/v1/namespaces/{namespace}",
        method=method,
        data=json.dumps(body).encode() if body else None,
        headers={
            "Authorization": f"Bearer {(ACCOUNT / 'token').read_text().strip()}",
            "Content-Type": "application/json",
        },
    )
    context = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    with urllib.request.urlopen(request, context=context, timeout=30) as answer:  # noqa: S310
        told: dict[str, Any] = json.load(answer)
    return told


if __name__ == "__main__":
    main(sys.argv[1])
