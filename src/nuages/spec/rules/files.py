"""What static files and uploads say that only means something with the rest of the spec."""

from __future__ import annotations

from collections.abc import Iterator

from nuages.spec.document import Path
from nuages.spec.model import Bucket, EnvironmentSpec
from nuages.spec.validate import Mistake


def broken(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """Every rule about files that a spec breaks."""
    given = [name for name in ("image", "nginx", "bucket") if getattr(spec.static, name) is not None]
    if len(given) > 1:
        yield Mistake("spec.E240", ("static",), f"has {' and '.join(given)}", "one of them serves the files")
    yield from _beside(spec)
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


def _beside(spec: EnvironmentSpec) -> Iterator[Mistake]:
    """What lies where static files do is read by everybody; an upload of the same name is written over, and removed."""
    static = spec.static.bucket
    if static is None:
        return
    backups, kept = _backups(spec)
    media = spec.media.bucket if spec.media else None
    if media and _folder(media) == _folder(static):
        hint = f"a folder of their own: {static.url.rstrip('/')}/static"
        yield Mistake("spec.E240", ("static", "bucket", "url"), "is where uploads are", hint)
    if backups and _folder(backups).startswith(_folder(static)):
        yield Mistake("spec.E240", kept, "is where static files are, which everybody may read", "a bucket of their own")


def _backups(spec: EnvironmentSpec) -> tuple[Bucket | None, Path]:
    """The bucket that backups go to, and where it stands."""
    postgres = spec.services.postgres
    if postgres and postgres.cloudnativepg and (archive := postgres.cloudnativepg.backup):
        return archive.bucket, ("services", "postgres", "cloudnativepg", "backup", "bucket", "url")
    backup = postgres.run.backup if postgres and postgres.run else None
    return (backup.to.bucket if backup else None), ("services", "postgres", "run", "backup", "to", "bucket", "url")


def _folder(bucket: Bucket) -> str:
    return f"{(bucket.endpoint or '').rstrip('/')} {bucket.url.rstrip('/')}/"


_READ = {"static": "NUAGES_STATIC_URL", "media": "AWS_STORAGE_BUCKET_NAME"}
