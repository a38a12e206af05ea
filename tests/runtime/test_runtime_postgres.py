from __future__ import annotations

import json
from pathlib import Path

import pytest
from environments import Environment
from postgres import ENCODED
from styles import STYLES, write

pytestmark = pytest.mark.runtime

# Many threads at a time, as many requests would; each is asked whether it still has its connection after one.
ASKED = """
import json, threading
import django
django.setup()
from django.conf import settings
from django.db import connection
from nuages_runtime.startup import missing

def ask(pids, kept):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid() FROM pg_sleep(0.02)")
        pids.append(cursor.fetchone()[0])
    connection.close_if_unusable_or_obsolete()
    kept.append(connection.connection is not None)
    connection.close()

pids, kept = [], []
threads = [threading.Thread(target=ask, args=(pids, kept)) for _ in range(9)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
answer = {"missing": missing(), "connections": len(set(pids)), "answers": len(pids), "kept": all(kept)}
print(json.dumps({**answer, "default": settings.DATABASES["default"]}, default=str))
if getattr(connection, "pool", None):
    connection.close_pool()
"""


def given(address: str, scheme: str, interface: str, component: str = "web") -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "proj.settings",
        "NUAGES_OVERLAY": "databases,secret-key",
        "NUAGES_COMPONENT": component,
        "NUAGES_INTERFACE": interface,
        "NUAGES_POOL": "3",
        "SECRET_KEY": "made-in-the-cluster",
        "DATABASE_URL": f"{scheme}://blog:{ENCODED}@{address}/blog",
    }


@pytest.mark.parametrize(("scheme", "interface"), [("postgres", "wsgi"), ("postgresql", "asgi")])
def test_a_project_of_sqlite_works_on_postgres_as_it_is(
    environment: Environment, database: str, tmp_path: Path, scheme: str, interface: str
) -> None:
    write(tmp_path, STYLES["plain settings"])
    (tmp_path / "asked.py").write_text(ASKED)
    migrate = given(database, scheme, interface, "migrate")
    ended = environment.run(["python", "-m", "nuages_runtime.migrate"], tmp_path, migrate)
    assert ended.code == 0, ended.out + ended.err
    assert ended.out.strip().endswith("nuages: migrations are applied")
    asked = environment.run(["python", "asked.py"], tmp_path, given(database, scheme, interface))
    assert asked.code == 0, asked.err
    told = json.loads(asked.out)
    assert told["missing"] == []
    pooled = interface == "asgi" and environment.django >= (5, 1)
    assert (told["default"].get("OPTIONS", {}).get("pool") is not None) == pooled
    assert told["answers"] == 9
    assert not pooled or told["connections"] <= 3
    assert told["kept"] is (interface == "wsgi")
