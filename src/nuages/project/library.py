"""What functions of libraries, and methods of values, come to: those that settings are made with."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from nuages.project import readers
from nuages.project.known import RANDOM, UNKNOWN, Symbol, database, guarded

if TYPE_CHECKING:
    from nuages.project.follow import World

PURE: dict[Any, set[str]] = {
    str: {
        "lower", "upper", "strip", "lstrip", "rstrip", "split", "rsplit", "startswith", "endswith", "replace", "join",
        "partition", "rpartition", "title", "capitalize", "removeprefix", "removesuffix", "splitlines", "format",
        "casefold", "isdigit", "count",
    },
    list: {"append", "extend", "insert", "remove", "index", "copy", "pop", "count"},
    dict: {"get", "update", "setdefault", "pop", "keys", "values", "items", "copy"},
    tuple: {"index", "count"},
    set: {"add", "update", "union", "discard"},
}  # fmt: skip
BUILTINS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (bool, int, float, str, list, tuple, set, dict, len, any, all, sorted, filter, min, max)
}
_PATHS: dict[str, Callable[..., Any]] = {
    "os.path.join": posixpath.join,
    "os.path.dirname": posixpath.dirname,
    "os.path.abspath": posixpath.normpath,
    "os.path.realpath": posixpath.normpath,
    "os.path.normpath": posixpath.normpath,
    "os.path.basename": posixpath.basename,
    "pathlib.Path": PurePosixPath,
    "pathlib.PurePath": PurePosixPath,
    "os.fspath": str,
    "json.loads": json.loads,
    "urllib.parse.urlparse": urlparse,
    "urllib.parse.urlsplit": urlparse,
}
_EXISTS = {"os.path.exists", "os.path.isfile", "os.path.isdir"}
_RANDOM = {
    "django.core.management.utils.get_random_secret_key",
    "secrets.token_urlsafe",
    "secrets.token_hex",
    "secrets.token_bytes",
    "os.urandom",
    "uuid.uuid4",
    "random.SystemRandom",
    "random.choice",
    "random.choices",
}
# What raises where its argument is None: the variable behind it is required, whatever reads it.
NOT_OF_NONE = {"builtins.int", "builtins.float", "builtins.list", "builtins.len", "json.loads", "pathlib.Path",
               "os.path.join", "ast.literal_eval"}  # fmt: skip
READER_MAKERS = {"environ.Env", "environ.FileAwareEnv", "environs.Env", "environs.FileAwareEnv", "decouple.Config",
                  "decouple.AutoConfig"}  # fmt: skip
READER_OBJECTS = {"decouple.config", "environs.env", "environ.env"}
_STRTOBOOL = {"distutils.util.strtobool", "decouple.strtobool", "setuptools.distutils.util.strtobool"}
_TRUE = {"y", "yes", "t", "true", "on", "1", "ok"}


def library(dotted: str, arguments: list[Any], named: dict[str, Any], world: World) -> Any:
    """What a function that is imported returns: `os.path.join`, `bool`, `dj_database_url.parse`."""
    if dotted in _RANDOM:
        return RANDOM
    if dotted.startswith("builtins."):
        made = BUILTINS.get(dotted[9:])
        if made is None or any(argument is UNKNOWN or isinstance(argument, Symbol) for argument in arguments):
            return RANDOM if arguments and arguments[0] is RANDOM else UNKNOWN
        if made is filter:
            return guarded(lambda: [each for each in arguments[1] if each])
        return guarded(lambda: made(*arguments, **named))
    if dotted in ("os.getenv", *readers.GET) and arguments and readers.is_name(arguments[0]):
        default = arguments[1] if len(arguments) > 1 else named.get("default")
        return world.read(arguments[0], required=False, default=default, kind="str")
    if UNKNOWN in arguments:
        return UNKNOWN
    if dotted in ("os.makedirs", "os.mkdir") and arguments:
        world.makes(arguments[0])
    if dotted.startswith("urllib.") and not (arguments and isinstance(arguments[0], str)):
        return UNKNOWN
    if dotted in _PATHS:
        return guarded(lambda: _PATHS[dotted](*(str(each) if isinstance(each, PurePosixPath) and dotted[:2] == "os"
                                                 else each for each in arguments)))  # fmt: skip
    if dotted in _EXISTS:
        return world.exists(str(arguments[0])) if arguments else UNKNOWN
    if dotted == "os.getcwd":
        return str(world.root)
    if dotted in _STRTOBOOL and arguments:
        return str(arguments[0]).lower() in _TRUE
    if dotted == "dj_database_url.parse" and arguments and isinstance(arguments[0], str):
        return database(arguments[0])
    if dotted in ("split_settings.tools.include", "split_settings.tools.optional"):
        return world.include(dotted, arguments)
    if dotted == "builtins.open" or dotted.endswith(".open"):
        world.fails()
    return UNKNOWN


def method(owner: Any, name: str, arguments: list[Any], named: dict[str, Any], world: World) -> Any:
    """What a method of a known value returns."""
    if isinstance(owner, PurePosixPath):
        if name in ("resolve", "absolute", "expanduser"):
            return owner
        if name in ("exists", "is_file", "is_dir"):
            return world.exists(str(owner))
        if name in ("joinpath", "with_name", "as_posix", "relative_to", "with_suffix"):
            return guarded(lambda: getattr(owner, name)(*arguments))
        if name == "mkdir":
            world.makes(owner)
        if name in ("read_text", "open", "read_bytes"):
            world.fails()
        return UNKNOWN
    if name in PURE.get(type(owner), set()) or (isinstance(owner, dict) and name in PURE[dict]):
        if isinstance(owner, str) and any(argument is UNKNOWN for argument in arguments):
            return UNKNOWN
        made = guarded(lambda: getattr(owner, name)(*arguments, **named))
        return list(made) if name in ("keys", "values", "items") and made is not UNKNOWN else made
    return UNKNOWN
