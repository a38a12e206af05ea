"""How a person at a terminal leaves a program that has every other key. Pure, and quick to import."""

from __future__ import annotations


class Detached(Exception):
    """Whoever was attached left on purpose."""


class Leaving:
    """Finds Enter ~ . in what is typed; a tilde after Enter is held back until the next key, and ~~ is one tilde."""

    def __init__(self) -> None:
        """At the beginning of a line."""
        self._fresh, self._held = True, False

    def passed(self, data: bytes) -> bytes:
        """What of the keys goes to the program.

        Raises:
            Detached: the person leaves.
        """
        out = bytearray()
        for key in data:
            if self._held:
                self._held = False
                if key == ord("."):
                    raise Detached
                if key != ord("~"):
                    out.append(ord("~"))
            elif self._fresh and key == ord("~"):
                self._held = True
                continue
            out.append(key)
            self._fresh = key in b"\r\n"
        return bytes(out)
