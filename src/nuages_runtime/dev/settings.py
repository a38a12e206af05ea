"""What the overlay does to the settings in the pod of `nuages dev`, after all its other parts: DEBUG, no https where
there is none, and mail that goes nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nuages_runtime.overlay.change import ADDED, REPLACED, Change, World

BACKEND = "nuages_runtime.dev.mail.Backend"
_HERE = ["localhost", ".localhost", "127.0.0.1", "[::1]"]
_PLAIN = "nothing answers to https where it is developed"


def developing(world: World) -> Iterator[Change]:
    """Whatever the project says: whoever develops wants to see."""
    if not world.variable("NUAGES_DEV"):
        return
    if world.own.get("DEBUG") is not True:
        yield Change("DEBUG", REPLACED if "DEBUG" in world.own else ADDED, "nuages dev", True)
    own = world.own.get("ALLOWED_HOSTS")
    hosts = list(own) if isinstance(own, list | tuple) else []
    if missing := [host for host in _HERE if host not in hosts and "*" not in hosts]:
        yield Change("ALLOWED_HOSTS", REPLACED if own else ADDED, "it is asked for by these", [*hosts, *missing])
    for setting in ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"):
        if world.own.get(setting):
            yield Change(setting, REPLACED, _PLAIN, False)
    if world.own.get("SECURE_HSTS_SECONDS"):
        yield Change("SECURE_HSTS_SECONDS", REPLACED, "a browser would remember it for localhost", 0)
    yield from _mail(world)


def _mail(world: World) -> Iterator[Change]:
    """EMAIL_BACKEND; in MAILERS where the project has that, beside which Django 6.1 refuses the other."""
    why = "mail is caught, and shown"
    mailers = world.own.get("MAILERS")
    if isinstance(mailers, Mapping):
        caught = {name: {"BACKEND": BACKEND} for name in mailers} or {"default": {"BACKEND": BACKEND}}
        yield Change("MAILERS", REPLACED, why, caught)
    else:
        action = REPLACED if "EMAIL_BACKEND" in world.own else ADDED
        yield Change("EMAIL_BACKEND", action, why, BACKEND)
