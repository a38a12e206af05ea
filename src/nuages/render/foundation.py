"""What everything else stands on: the namespace, and the account the pods run under."""

from __future__ import annotations

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.labels import CONFIG, ENVIRONMENT, MANAGER, TEMPLATE, metadata

_POD_SECURITY = "pod-security.kubernetes.io"


def namespace(app: App) -> Object:
    """The namespace, which admits only pods that keep to `restricted`. It holds data, so nothing prunes it."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": app.namespace,
            "labels": {
                "app.kubernetes.io/part-of": app.name,
                "app.kubernetes.io/managed-by": MANAGER,
                ENVIRONMENT: app.environment,
                **({TEMPLATE: app.template} if app.template else {}),
                **{f"{_POD_SECURITY}/{mode}": "restricted" for mode in ("enforce", "audit", "warn")},
            },
            "annotations": {"nuages.dev/data": "true"},
        },
    }


def account(app: App) -> Object:
    """An account of the app's own without any right: `default` may be given some by others."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(app, app.name, CONFIG),
        "automountServiceAccountToken": False,
    }
