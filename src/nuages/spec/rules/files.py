"""What static files and uploads say that only means something with the rest of the spec."""

from __future__ import annotations

from collections.abc import Iterator

from nuages.spec.model import EnvironmentSpec
from nuages.spec.validate import Mistake


def broken(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """Every rule about files that a spec breaks."""
    given = [name for name in ("image", "nginx", "bucket") if getattr(spec.static, name) is not None]
    if len(given) > 1:
        yield Mistake("spec.E240", ("static",), f"has {' and '.join(given)}", "one of them serves the files")
    overlay = spec.django.overlay
    for part, bucket, path in (
        ("static", spec.static.bucket, ("static", "bucket")),
        ("media", spec.media.bucket if spec.media else None, ("media", "bucket")),
    ):
        if bucket and not (overlay.enabled and getattr(overlay, part)):
            message = (
                f"and nothing tells the project of it: django.overlay.{part if overlay.enabled else 'enabled'} is off"
            )
            hint = f"overlay: {{{part}: true}}, unless its settings read {_READ[part]} themselves"
            yield Mistake("spec.W241", path, message, hint, at_key=True)


_READ = {"static": "NUAGES_STATIC_URL", "media": "AWS_STORAGE_BUCKET_NAME"}
