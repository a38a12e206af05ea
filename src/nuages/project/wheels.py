"""The newest Python for which pinned distributions have wheels: an older pin has to be compiled, and often can't be.

Only distributions whose sources need more than a C compiler (libraries, Rust), or whose old C no longer compiles. The
versions are the first with a wheel for that Python, as PyPI lists their files.
"""

from __future__ import annotations

import re

OLDEST = 10
# For Python 3.11, 3.12, 3.13, 3.14.
_FIRST = {
    "aiohttp": ("3.8.3", "3.9", "3.10.6", "3.13"),
    "cffi": ("1.15.1", "1.16", "1.17", "2.0"),
    "frozenlist": ("1.3.3", "1.4.1", "1.5", "1.8"),
    "gevent": ("22.10", "23.9", "24.10.1", "25.9"),
    "greenlet": ("2.0", "3.0", "3.1", "3.2.4"),
    "httptools": ("0.5", "0.6.1", "0.6.2", "0.7"),
    "lxml": ("4.9.2", "4.9.3", "5.3", "6.0.1"),
    "multidict": ("6.0.3", "6.0.5", "6.1", "6.7"),
    "numpy": ("1.23.2", "1.26", "2.1", "2.3.2"),
    "orjson": ("3.8.1", "3.9.3", "3.10.7", "3.11.4"),
    "pandas": ("1.5.1", "2.1.1", "2.2.3", "2.3.3"),
    "pillow": ("9.3", "10.1", "10.4", "12.0"),
    "psycopg-binary": ("3.1.4", "3.1.13", "3.2.3", "3.2.11"),
    "psycopg2-binary": ("2.9.5", "2.9.9", "2.9.10", "2.9.11"),
    "pydantic-core": ("2.0", "2.10", "2.20", "2.41"),
    "pyyaml": ("6.0", "6.0.1", "6.0.2", "6.0.3"),
    "rpds-py": ("0.7", "0.10", "0.20", "0.27.1"),
    "uvloop": ("0.17", "0.18", "0.21", "0.22"),
    "yarl": ("1.8.2", "1.9.3", "1.13", "1.22"),
}


def newest(packages: dict[str, str]) -> int:
    """The highest 3.x; distributions that are not pinned set no bound.

    psycopg alone gets the psycopg-binary of its own version in the image.
    """
    if "psycopg" in packages and not {"psycopg-binary", "psycopg-c"} & packages.keys():
        packages = {**packages, "psycopg-binary": packages["psycopg"]}
    bounds = [_bound(_FIRST[name], version) for name, version in packages.items() if version and name in _FIRST]
    return min(bounds, default=OLDEST + len(_FIRST["cffi"]))


def _bound(first: tuple[str, ...], version: str) -> int:
    return OLDEST + sum(_parts(version) >= _parts(each) for each in first)


def _parts(version: str) -> tuple[int, ...]:
    """The numbers of a version, zeros at its end left out: 1.17.0 is 1.17."""
    numbers = [int(each) for each in re.findall(r"\d+", re.split(r"[^\d.]", version)[0])]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
