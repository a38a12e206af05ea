"""Whatever stands in a spec, it is read or refused with findings that have a place; it never crashes."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
import yaml

from nuages.app.components import resolve
from nuages.checks.app import check
from nuages.errors import SpecInvalid
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

WHOLE: dict[str, Any] = {
    "apiVersion": "nuages/v1",
    "name": "blog",
    "image": "registry.example.com/acme/blog",
    "django": {"root": ".", "settings": "blog.settings", "python": "3.13", "overlay": {"static": False}},
    "build": {
        "packages": ["libmagic1"],
        "buildPackages": ["gcc"],
        "dependencies": {"file": "requirements.txt", "extras": ["postgres"], "groups": ["prod"]},
        "commands": [["python", "manage.py", "compress"]],
        "frontend": {"directory": "assets", "command": ["npm", "run", "build"], "output": "assets/dist"},
    },
    "web": {
        "main": {"replicas": 3, "requestTimeout": "30s", "resources": {"cpu": "100m", "memory": "256Mi"}},
        "live": {"interface": "asgi", "server": "uvicorn", "routes": ["/ws/"], "port": 9000},
        "own": {"command": ["serve"], "routes": ["/own"]},
    },
    "workers": {
        "default": {"celery": {"app": "blog", "queues": ["celery"], "pool": "threads", "concurrency": 4}},
        "mail": {"command": ["python", "manage.py", "qcluster"], "longestTask": "1m", "replicas": 2},
    },
    "beat": {"celery": {"app": "blog"}, "resources": {"memory": "128Mi"}},
    "migrations": {"timeout": "30m", "lockTimeout": "2s", "resources": {"memory": "512Mi"}},
    "services": {
        "postgres": {"run": {"version": "17", "storage": "1Gi"}},
        "redis": {"run": {"version": "8", "storage": "1Gi"}},
    },
    "databases": {"default": {"service": "postgres"}},
    "media": {"volume": {"size": "1Gi", "accessMode": "ReadWriteMany"}},
    "volumes": {"data": {"path": "data", "size": "1Gi"}, "cache": {"path": "var/cache", "temporary": True}},
    "expose": {"kind": "ingress", "hosts": ["blog.example.com"], "class": "traefik", "tls": {"issuer": "letsencrypt"}},
    "env": {
        "COLOR": {"value": "orange"},
        "FLAG": {"configMap": "flags", "key": "x"},
        "DB_HOST": {"service": "postgres", "key": "host"},
    },
    "secrets": {"SECRET_KEY": {"generate": True}, "DSN": {}},
    "observability": {"metrics": True, "logs": "json"},
    "environments": {"local": {"web": {"main": {"replicas": 1}}}, "production": {"expose": None}},
}
ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    10**30,
    1.5,
    2.0,
    float("inf"),
    "",
    "x",
    "30",
    "no",
    "\u00e9",
    [],
    [None],
    {},
    {"x": {}},
    [[]],
    "9" * 5000,
]


def paths(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, entry in entries for found in [(*above, key), *paths(entry, (*above, key))]]


def mutated(chance: random.Random) -> dict[str, Any]:
    """The whole spec with a few things replaced, removed, renamed or added."""
    spec = copy.deepcopy(WHOLE)
    for _ in range(chance.randint(1, 5)):
        *above, key = chance.choice(paths(spec))
        holder = spec
        for part in above:
            holder = holder[part]
        match chance.randint(0, 3):
            case 0:
                holder[key] = copy.deepcopy(chance.choice(ODD))
            case 1:
                del holder[key]
            case 2 if isinstance(holder, dict):
                holder[f"{key}s"] = holder.pop(key)
            case _ if isinstance(holder, dict):
                holder[chance.choice(["", "x", "Name", "<<", "memory", "main"])] = copy.deepcopy(chance.choice(ODD))
        if not paths(spec):
            break
    return spec


@pytest.mark.parametrize("seed", range(150))
def test_any_spec_is_read_or_refused_at_places_in_the_file(seed: int) -> None:
    text = yaml.safe_dump(mutated(random.Random(seed)), sort_keys=False)
    try:
        spec = parse(text.encode(), "nuages.yaml")
    except SpecInvalid as invalid:
        assert invalid.findings
        lines = text.count("\n") + 1
        assert all(1 <= finding.place.line <= lines and finding.place.column >= 1 for finding in invalid.findings)
        assert len(set(invalid.findings)) == len(invalid.findings)
    else:
        for environment in spec.environments:
            check(resolve(spec, environment))


@pytest.mark.parametrize(
    "raw", [b"\x00", b"a: \x01", b"[" * 3000, b"a: " + b"9" * 5000, b"%YAML 9.9\n---\na: 1", b"{a: b}: c", b"&"]
)
def test_hostile_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(SpecInvalid):
        parse(raw, "nuages.yaml")
