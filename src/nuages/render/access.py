"""How the project's processes reach its services: by variables, in which a password only ever stands by reference.

https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/: a variable may
name those before it as $(NAME), and the kubelet puts their values in. Passwords are generated from URL-safe characters,
so nothing needs escaping.
"""

from __future__ import annotations

from collections.abc import Iterator

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render import postgres, redis

# Redis' databases: Django's cache is cleared by FLUSHDB, which must not reach the tasks. What a set beside the serving
# release sends has one of its own, so that no worker is given a task that only the other release knows.
CACHE, TASKS, TRIAL = "0", "1", "2"


def services(app: App) -> list[Object]:
    """The variables that lead to services: passwords first, then what is made of them, then what the spec asks for.

    What the spec declares itself, in `env` or `secrets`, is not set here a second time.
    """
    automatic = {name: value for name, value in _automatic(app).items() if not app.declares(name)}
    asked = {name: source for name, source in sorted(app.env.items()) if source.service}
    values = {name: told(app, source.service or "", source.key or "") for name, source in asked.items()}
    plain = {name: value for name, value in values.items() if asked[name].key != "password"}
    referred = [*automatic.values(), *plain.values()]
    return [
        *(item for service in ("postgres", "redis") for item in _password(app, service, referred)),
        *({"name": name, "value": value} for name, value in {**automatic, **plain}.items()),
        *(_reference(app, name, source.service or "") for name, source in asked.items() if source.key == "password"),
    ]


def told(app: App, service: str, key: str) -> str:
    """What a variable says of a service; a password in it is the name of the variable before it that has it."""
    if service == "postgres" and app.postgres:
        host, port, user, name = app.postgres.name, str(postgres.PORT), postgres.USER, app.name
        address = f"postgres://{user}:$({_password_variable(app, service)})@{host}:{port}"
    elif service == "redis" and app.redis:
        # The user that a password alone stands for (https://redis.io/docs/latest/commands/auth/).
        host, port, user, name = app.redis.name, str(redis.PORT), "default", CACHE
        address = f"redis://:$({_password_variable(app, service)})@{host}:{port}"
    else:
        raise AssertionError(f"a rule let the unknown service {service} pass")
    known = {"host": host, "port": port, "user": user, "name": name, "address": address, "url": f"{address}/{name}"}
    return known.get(key, "")


def _automatic(app: App) -> dict[str, str]:
    made = {}
    if app.postgres and app.databases.default:
        made["DATABASE_URL"] = told(app, "postgres", "url")
    if app.redis:
        made["REDIS_URL"] = told(app, "redis", "url")
        if app.celery:
            made["CELERY_BROKER_URL"] = f"{told(app, 'redis', 'address')}/{TASKS}"
    return made


def _password(app: App, service: str, values: list[str]) -> Iterator[Object]:
    """The variable with a service's password, where one of the values refers to it."""
    variable = _password_variable(app, service)
    if any(f"$({variable})" in value for value in values):
        yield _reference(app, variable, service)


def _password_variable(app: App, service: str) -> str:
    """POSTGRES_PASSWORD; another name where the spec has something of its own under it."""
    name = f"{service.upper()}_PASSWORD"
    return f"NUAGES_{name}" if app.declares(name) else name


def _reference(app: App, name: str, service: str) -> Object:
    owner, key = (
        (f"{app.name}-postgres", postgres.PASSWORD_KEY)
        if service == "postgres"
        else (f"{app.name}-redis", redis.PASSWORD_KEY)
    )
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": owner, "key": key}}}
