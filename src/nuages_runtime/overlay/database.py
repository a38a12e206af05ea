"""DATABASES from DATABASE_URL, where the project has none or a SQLite file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import parse_qsl, unquote

from nuages_runtime.overlay.change import ADDED, KEPT, REPLACED, Change, World, split

ENGINES = {
    **dict.fromkeys(("postgres", "postgresql", "pgsql", "psql"), "postgresql"),
    "postgis": "postgis",
    **dict.fromkeys(("mysql", "mysql2", "mariadb"), "mysql"),
}
_GIS = "django.contrib.gis.db.backends"
_PLAIN = "django.db.backends"
# What a project says of its connection whatever the engine is.
_CARRIED = ("ATOMIC_REQUESTS", "AUTOCOMMIT", "CONN_MAX_AGE", "CONN_HEALTH_CHECKS", "TIME_ZONE")
_IN_QUERY: dict[str, Callable[[str], object]] = {
    "conn_max_age": int,
    "conn_health_checks": lambda text: text.lower() in ("1", "true", "yes", "on"),
}
CURSORS = "DISABLE_SERVER_SIDE_CURSORS"
# Idle connections are closed by servers and by what lies between; a minute outlives any burst of requests.
MAX_AGE = 60
# As long as psycopg's pool waits for a connection that is free: less than any request may take.
POOL_TIMEOUT = 10
_HERE = ("localhost", "127.0.0.1", "::1")


def databases(world: World) -> Iterator[Change]:
    """The default database; where PgBouncer shares connections out between transactions, without what outlives one.

    https://docs.djangoproject.com/en/stable/ref/databases/#transaction-pooling-server-side-cursors
    """
    for change in _databases(world):
        yield _pooled(change, world) if world.variable("NUAGES_POOLER") == "transaction" else change


def _pooled(change: Change, world: World) -> Change:
    value = world.own.get("DATABASES") if change.value is None else change.value
    if not isinstance(value, Mapping):
        return change
    entry = value.get("default")
    if not isinstance(entry, Mapping) or CURSORS in entry:
        return change
    if not str(entry.get("ENGINE") or "").endswith((".postgresql", ".postgis")):
        return change
    made = {**value, "default": {**entry, CURSORS: True}}
    why = f"{change.why}; {CURSORS}, for PgBouncer gives a connection back after each transaction"
    return Change(change.setting, REPLACED if change.action == KEPT else change.action, why, made)


def _databases(world: World) -> Iterator[Change]:
    """The default database from DATABASE_URL; a server of the project's own choice is kept, and said where it can't be
    reached from a pod.
    """
    own = world.own.get("DATABASES")
    declared = own if isinstance(own, Mapping) else {}
    default = declared.get("default") or {}
    engine = str(default.get("ENGINE") or "")
    url = world.variable("DATABASE_URL")
    left = _left_behind(default, engine, url, world)
    if not replaceable(engine) and not left:
        if relaxed := _without_demand(default, url):
            why = "the service in this cluster may have no TLS: sslmode require became prefer"
            yield Change("DATABASES", REPLACED, why, {**declared, "default": relaxed})
        else:
            yield Change("DATABASES", KEPT, _why_kept(default, engine, url))
        return
    if not url:
        if engine.endswith((".sqlite3", ".spatialite")):
            yield Change("DATABASES", KEPT, "a SQLite file, and DATABASE_URL is not in the environment")
        return
    kind = split(url).scheme
    if kind and kind.partition("+")[0] not in ENGINES:
        yield Change("DATABASES", KEPT, f"DATABASE_URL is of the kind {kind}")
        return
    entry = parse(url)
    entry["ENGINE"] = _engine(str(entry["ENGINE"]), engine, world)
    carried = {key: default[key] for key in _CARRIED if key in default}
    if _many_at_a_time(world):  # what suited a file and its threads
        carried.pop("CONN_MAX_AGE", None)
    entry = {**carried, **entry}
    connections(entry, world)
    why = "from DATABASE_URL"
    if engine:
        place = f"at {default.get('HOST') or 'localhost'}" if left else "a SQLite file in the pod"
        why += f"; the project's is {place}"
    yield Change("DATABASES", REPLACED if default else ADDED, why, {**declared, "default": entry})


def replaceable(engine: str) -> bool:
    """Whether an ENGINE is none that a cluster could serve: absent, the dummy, a SQLite file."""
    return engine.rpartition(".")[2] in ("", "dummy", "sqlite3", "spatialite")


def _left_behind(default: Mapping[str, object], engine: str, url: str, world: World) -> bool:
    """Whether a server is the developer's own: on localhost or in a compose file, by no variable's word, and
    DATABASE_URL has its kind.
    """
    host = default.get("HOST") or ""
    kind = ENGINES.get(split(url).scheme.partition("+")[0], "")
    known = {"postgis": "postgresql"}
    same = known.get(engine.rpartition(".")[2], engine.rpartition(".")[2]) == known.get(kind, kind)
    return bool(kind) and same and ((host in ("", *_HERE) and not world.said(host)) or world.of_compose(host))


def _without_demand(default: Mapping[str, object], url: str) -> dict[str, object] | None:
    """An entry whose OPTIONS demand TLS of the server of DATABASE_URL, which is a Service of this namespace and is said
    to have none: with the demand as a wish. `dj_database_url.config(ssl_require=True)` is for a platform's server.
    """
    options = default.get("OPTIONS")
    if not isinstance(options, Mapping) or options.get("sslmode") != "require":
        return None
    host = str(default.get("HOST") or "")
    if not url or host != split(url).hostname or "." in host or "sslmode" in split(url).query:
        return None
    return {**default, "OPTIONS": {**options, "sslmode": "prefer"}}


def parse(url: str) -> dict[str, object]:
    """An entry of DATABASES from a URL: every part percent-decoded, the query as the driver's OPTIONS.

    `ENGINE` is the last part alone. A socket's folder may be the host, percent-encoded (%2Frun%2Fpostgresql).

    Raises:
        ValueError: it is no URL; the message has nothing of it.
    """
    parts = split(url)
    if not parts.scheme:
        raise ValueError("DATABASE_URL is no URL: what its password has beside letters and digits is written like %40")
    host = parts.netloc.rpartition("@")[2]
    host = host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    entry: dict[str, object] = {
        "ENGINE": ENGINES[parts.scheme.partition("+")[0]],
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(host),
        "PORT": parts.port or "",
    }
    options: dict[str, object] = {}
    for key, text in parse_qsl(parts.query):
        if convert := _IN_QUERY.get(key.lower()):
            entry[key.upper()] = convert(text)
        else:
            options[key] = int(text) if text.isdecimal() else text
    if options:
        entry["OPTIONS"] = options
    return entry


def connections(entry: dict[str, object], world: World) -> None:
    """Add to an entry how its connections are kept, where nothing says so; only what its engine has.

    A pool where one process serves many requests at a time (ASGI): there a kept connection would belong to a task that
    is gone. Otherwise each thread keeps its own, checked before it is used again.
    """
    if world.variable("NUAGES_COMPONENT") != "web" or "CONN_MAX_AGE" in entry:
        return
    if _many_at_a_time(world):
        most = world.variable("NUAGES_POOL")
        pooled = str(entry["ENGINE"]).endswith((".postgresql", ".postgis")) and world.django >= (5, 1)
        if pooled and most.isdecimal() and int(most) and world.installed("psycopg_pool"):
            options = entry.get("OPTIONS")
            pool = {"min_size": 1, "max_size": int(most), "timeout": POOL_TIMEOUT}
            entry["OPTIONS"] = {**(options if isinstance(options, dict) else {}), "pool": pool}
        return
    entry["CONN_MAX_AGE"] = MAX_AGE
    entry.setdefault("CONN_HEALTH_CHECKS", True)


def _many_at_a_time(world: World) -> bool:
    return (world.variable("NUAGES_COMPONENT"), world.variable("NUAGES_INTERFACE")) == ("web", "asgi")


def _engine(kind: str, own: str, world: World) -> str:
    """The engine's full name: of the family that the project chose (GeoDjango, django-prometheus), if it has it."""
    family, _, last = own.rpartition(".")
    if last == "spatialite" or family == _GIS:
        return f"{_GIS}.{'postgis' if kind == 'postgresql' else kind}"
    if kind == "postgis":
        return f"{_GIS}.postgis"
    if family not in ("", _PLAIN) and world.installed(f"{family}.{kind}"):
        return f"{family}.{kind}"
    return f"{_PLAIN}.{kind}"


def _why_kept(default: Mapping[str, object], engine: str, url: str) -> str:
    host = str(default.get("HOST") or "")
    kind = engine.rpartition(".")[2]
    if url and split(url).scheme.partition("+")[0] in ENGINES:
        given = parse(url)
        if (host, default.get("NAME")) == (given["HOST"], given["NAME"]):
            return "read from the environment"
    if host in _HERE:
        return f"the project's own {kind}, but its HOST is {host}: in a pod that is the pod itself"
    return f"the project's own {kind}" + (f" at {host}" if host else "")
