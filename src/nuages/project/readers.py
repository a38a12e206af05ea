"""How settings read the environment: each library's call, as what it says of the variable.

django-environ, environs, python-decouple, dj-database-url and its kin, os.environ. One place for both ways of reading
settings: by walking over a file (settings.py) and by following it (follow.py).
"""

from __future__ import annotations

import ast
from typing import NamedTuple

# What a reader's method or cast makes of the text; what is not here stays text.
KINDS = {
    **dict.fromkeys(("int", "float", "decimal", "port"), "int"),
    **dict.fromkeys(("bool", "boolean", "strtobool", "get_bool_from_env"), "bool"),
    **dict.fromkeys(("list", "tuple", "set", "csv", "Csv", "split"), "list"),
    **dict.fromkeys(("db", "db_url", "dj_db_url"), "db"),
    **dict.fromkeys(("cache", "cache_url", "dj_cache_url"), "cache"),
    **dict.fromkeys(("email", "email_url", "dj_email_url"), "email"),
}
ENVIRON = ("os.environ", "environ")
GET = ("os.environ.get", "environ.get", "os.getenv", "getenv", "os.environ.setdefault", "os.environ.pop")
READERS = ("env", "config", "_env", "get_env", "Env", "decouple_config")
# A whole URL read by a library of its own: the variable it means unless told otherwise, and what it becomes.
URLS = {
    "dj_database_url.config": ("DATABASE_URL", "db"),
    "django_cache_url.config": ("CACHE_URL", "cache"),
    "dj_email_url.config": ("EMAIL_URL", "email"),
}
# Methods of a reader that mean one variable where none is named.
UNNAMED = {"db": "DATABASE_URL", "db_url": "DATABASE_URL", "cache": "CACHE_URL", "cache_url": "CACHE_URL",
           "email": "EMAIL_URL", "email_url": "EMAIL_URL"}  # fmt: skip
_VALUE_URLS = {"DatabaseURLValue": "DATABASE_URL", "CacheURLValue": "CACHE_URL", "EmailURLValue": "EMAIL_URL"}
# Words on which django-environ, environs and decouple have methods that read nothing.
NOT_READING = {"read_env", "read_envfile", "prefixed", "seal", "dump", "get_values", "parse_value"}

# Variables of platforms that say "you are there": never to be set, and not to be asked for.
PLATFORM = frozenset(
    {
        "DYNO",
        "HEROKU_APP_NAME",
        "RENDER",
        "RENDER_EXTERNAL_HOSTNAME",
        "FLY_APP_NAME",
        "RAILWAY_ENVIRONMENT",
        "VERCEL",
        "GAE_APPLICATION",
        "GAE_ENV",
        "AWS_EXECUTION_ENV",
        "RDS_HOSTNAME",
        "WEBSITE_HOSTNAME",
        "CI",
        "GITHUB_WORKFLOW",
        "GITHUB_ACTIONS",
        "TRAVIS",
        "CIRCLECI",
        "PLATFORM_APPLICATION_NAME",
        "APP_ENGINE_ID",
        "OPENSHIFT_BUILD_NAME",
        "GITPOD_WORKSPACE_ID",
        "CODESPACES",
        "CODESPACE_NAME",
        "PYTHONANYWHERE_SITE",
        "KUBERNETES_SERVICE_HOST",
    }
)


class Call(NamedTuple):
    """One call that reads a variable, as it is written."""

    name: str
    required: bool
    default: ast.expr | None
    kind: str


def url_call(called: str, node: ast.Call) -> Call | None:
    """`dj_database_url.config(env=..., default=...)` and its kin."""
    if called not in URLS:
        return None
    name, kind = URLS[called]
    keywords = keywords_of(node)
    default = keywords.get("default") or (node.args[0] if node.args else None)
    return Call(text(keywords.get("env")) or name, default is None and kind == "db", default, kind)


def get_call(called: str, node: ast.Call) -> Call | None:
    """`os.environ.get("X", default)`, `os.getenv("X")`."""
    name = _name(node)
    if called not in GET or not name:
        return None
    return Call(name, False, _nth(node, 1, keywords_of(node).get("default")), "str")


def reader_call(method: str, node: ast.Call) -> Call | None:
    """`env("X", default=...)`, `env.bool("X", False)`, `config("X", cast=int)`; `method` is "" for the first."""
    if method in NOT_READING:
        return None
    keywords = keywords_of(node)
    name = _name(node)
    if name is None and not node.args and "var" in keywords:
        name = text(keywords["var"])
    name = name or (UNNAMED.get(method) if not node.args else None)
    if not name:
        return None
    cast = keywords.get("cast")
    kind = KINDS.get(method or (ast.unparse(cast).partition("(")[0] if cast else ""), "str")
    positional = _nth(node, 1, None)
    if not method and isinstance(positional, ast.Name) and positional.id in KINDS:  # django-environ: env("X", bool, d)
        kind, positional = KINDS[positional.id], _nth(node, 2, None)
    default = keywords.get("default", positional)
    return Call(name, default is None, default, kind)


def configured(kind: str, node: ast.Call, setting: str) -> Call | None:
    """`values.BooleanValue(True)` of django-configurations, for the setting that it is assigned to."""
    keywords = keywords_of(node)
    if text(keywords.get("environ")) == "false":
        return None
    url = _VALUE_URLS.get(kind)
    prefix = "" if url else text(keywords.get("environ_prefix", ast.Constant("DJANGO")))
    name = text(keywords.get("environ_name")) or url or setting
    required = kind == "SecretValue" or text(keywords.get("environ_required")) == "true"
    default = None if required else _nth(node, 0, keywords.get("default"))
    made = {"Boolean": "bool", "Integer": "int", "List": "list", "DatabaseURL": "db", "CacheURL": "cache"}
    return Call(f"{prefix}_{name}" if prefix else name, required, default, made.get(kind.removesuffix("Value"), "str"))


def keywords_of(node: ast.Call) -> dict[str, ast.expr]:
    """A call's keyword arguments."""
    return {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}


def text(node: ast.AST | None) -> str | None:
    """A literal as an environment variable would hold it; None where it is no literal."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            return str(node.value).lower()
        return "" if node.value is None else str(node.value)
    if isinstance(node, ast.List | ast.Tuple):
        parts = [text(element) for element in node.elts]
        return None if None in parts else ",".join(part for part in parts if part is not None)
    return None


def is_name(name: object) -> bool:
    """Whether a text can be an environment variable's name as people write them."""
    return isinstance(name, str) and name.replace("_", "").isalnum() and not name[0].isdigit()


def _name(node: ast.Call) -> str | None:
    if not node.args or not isinstance(node.args[0], ast.Constant):
        return None
    name = node.args[0].value
    return name if isinstance(name, str) and name and is_name(name) else None


def _nth(node: ast.Call, index: int, otherwise: ast.expr | None) -> ast.expr | None:
    return node.args[index] if len(node.args) > index else otherwise
