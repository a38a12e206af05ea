"""inspect(path) -> Facts: what the files of a Django project tell, each with where it was read."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from nuages.errors import UsageError
from nuages.findings import Place
from nuages.project import settings as source
from nuages.project.facts import Facts, Found, Variable
from nuages.project.requirements import dependencies, requires_python

_SKIPPED = {"venv", ".venv", "env", "node_modules", "site-packages", ".git", ".tox", "__pycache__"}


def inspect(path: Path) -> Facts:
    """Read the project in a folder, or in the one folder below it that has manage.py.

    Raises:
        UsageError: there is no manage.py, or it names no settings module.
    """
    root = _root(path)
    settings = _settings(root)
    modules = source.modules(root, settings.value)
    assigned = {name: found for module in modules for name, found in _assigned(module).items()}
    declared = dependencies(root)
    wanted = requires_python(root)
    return Facts(
        root=root,
        manage=Found("manage.py", Place("manage.py", 1)),
        settings=settings,
        wsgi=_wsgi(root, assigned),
        python=Found(wanted[0], Place(wanted[1])) if wanted else None,
        dependencies=declared,
        variables=_once(variable for module in modules for variable in source.variables(module)),
        database=_database(assigned, declared.packages if declared else {}),
        media_root=_setting(assigned, "MEDIA_ROOT"),
        static_root=_setting(assigned, "STATIC_ROOT"),
        whitenoise=any("whitenoise" in ast.dump(found.value) for found in _middleware(assigned)),
        admin="INSTALLED_APPS" in assigned and "django.contrib.admin" in ast.dump(assigned["INSTALLED_APPS"].value),
    )


def _root(path: Path) -> Path:
    if (path / "manage.py").is_file():
        return path.resolve()
    below = [found.parent for found in sorted(path.glob("*/manage.py")) if found.parent.name not in _SKIPPED]
    if len(below) == 1:
        return below[0].resolve()
    where = ", ".join(str(found.relative_to(path)) for found in below)
    raise UsageError(
        f"several manage.py below {path}: {where}" if below else f"no manage.py in {path}",
        hint="name the folder that has the project's manage.py: nuages init DIR",
    )


def _settings(root: Path) -> Found:
    """The settings module: wsgi.py's before manage.py's, because what serves is meant for production."""
    candidates = [path for path in sorted(root.glob("*/wsgi.py")) if path.parent.name not in _SKIPPED]
    for path in [*candidates, root / "manage.py"]:
        tree = source.parse(path)
        if tree and (named := source.environment_default(tree, "DJANGO_SETTINGS_MODULE")):
            return Found(named[0], Place(str(path.relative_to(root)), named[1]), sure=len(candidates) <= 1)
    raise UsageError(
        f"neither {root / 'manage.py'} nor a wsgi.py says which settings to use",
        hint="write django.settings into nuages.yaml",
    )


def _wsgi(root: Path, assigned: dict[str, source.Assignment]) -> Found | None:
    """WSGI_APPLICATION as servers write it, `package.wsgi:application`; a wsgi.py that is there, where it is not
    set.
    """
    if (named := assigned.get("WSGI_APPLICATION")) and (value := source.text(named.value)):
        module, _, attribute = value.rpartition(".")
        return Found(f"{module}:{attribute}", named.place)
    for path in sorted(root.glob("*/wsgi.py")):
        if path.parent.name not in _SKIPPED:
            return Found(f"{path.parent.name}.wsgi:application", Place(str(path.relative_to(root)), 1), sure=False)
    return None


def _assigned(module: source.Module) -> dict[str, source.Assignment]:
    return {found.name: found for found in source.assignments(module)}


def _middleware(assigned: dict[str, source.Assignment]) -> Iterable[source.Assignment]:
    return (found for name, found in assigned.items() if name in ("MIDDLEWARE", "STORAGES", "STATICFILES_STORAGE"))


def _setting(assigned: dict[str, source.Assignment], name: str) -> Found | None:
    found = assigned.get(name)
    return Found(ast.unparse(found.value), found.place) if found else None


def _database(assigned: dict[str, source.Assignment], packages: dict[str, str]) -> Found | None:
    """The engine that DATABASES names, or the one that the drivers among the dependencies can only mean."""
    found = assigned.get("DATABASES")
    if found is None:
        return None
    written = ast.unparse(found.value).lower()
    drivers = {
        "psycopg": "postgresql",
        "psycopg2": "postgresql",
        "psycopg2-binary": "postgresql",
        "mysqlclient": "mysql",
    }
    for driver, engine in drivers.items():
        if driver in packages:
            return Found(engine, found.place, sure=engine in written)
    named = next(
        (engine for engine in ("postgresql", "postgis", "mysql", "oracle", "sqlite") if engine in written), None
    )
    return Found({"postgis": "postgresql", "sqlite": "sqlite3"}.get(named, named), found.place) if named else None


def _once(variables: Iterable[Variable]) -> tuple[Variable, ...]:
    """Each variable once: the first place that requires it, or else the first that reads it."""
    found: dict[str, Variable] = {}
    for variable in variables:
        known = found.get(variable.name)
        if known is None or (variable.required and not known.required):
            found[variable.name] = variable
    return tuple(sorted(found.values(), key=lambda variable: (variable.place.file, variable.place.line, variable.name)))
