"""Values as people and programs read them. Quick to import."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Seconds as a person says them: 0.4 s, 12 s, 3 min 20 s."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def document(value: object, indent: int | None = 2) -> str:
    """A value of release/picture.py as JSON."""
    import json

    return json.dumps(plain(value), indent=indent, ensure_ascii=False)


def plain(value: object) -> object:
    """A value of release/picture.py for JSON: what has names becomes an object."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(each) for name, each in value._asdict().items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value
