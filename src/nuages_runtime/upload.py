"""`python -m nuages_runtime.upload`: an image's static files into a bucket, before any page names them.

Told by the environment: NUAGES_BUCKET (s3://bucket/folder), NUAGES_STATIC_ROOT, NUAGES_STATIC_TREE (what stands before
names that have no hash of their own), NUAGES_INSTANCE, NUAGES_RELEASE, NUAGES_RUNNING, NUAGES_KEEP.

Each release leaves a list of its files beside them. Only what is on the list of a release that is over, and on no other
one's, is ever removed: whatever else lies in the bucket is somebody else's.

Exit codes: 0 all is there, 1 not; the last line on standard error says why.
"""

# boto3 is the image's.
# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import hashlib
import json
import mimetypes
import os
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from nuages_runtime.statics import lasting

LISTS = ".nuages"
FOREVER = "public, max-age=31536000, immutable"
A_MINUTE = "public, max-age=60"
AT_ONCE = 8
# Made beside others for servers that hand out what is compressed already; a CDN compresses by itself.
_COMPRESSED = (".gz", ".br")
_MANIFEST = "staticfiles.json"
# The most that one request removes: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
_PER_REQUEST = 1000


class Task(NamedTuple):
    """What is to be done, as the environment tells it."""

    bucket: str
    folder: str
    """In the bucket, with a slash at its end; "" for the whole."""
    root: Path
    tree: str
    instance: str
    release: int
    running: int | None
    keep: int


class Done(NamedTuple):
    """How it went, in numbers of files."""

    there: int
    uploaded: int
    removed: int


def task(environ: Mapping[str, str]) -> Task:
    """The task of an environment."""
    url = urlsplit(environ["NUAGES_BUCKET"])
    folder = url.path.strip("/")
    running = environ.get("NUAGES_RUNNING", "")
    return Task(
        url.netloc,
        f"{folder}/" if folder else "",
        Path(environ["NUAGES_STATIC_ROOT"]),
        environ.get("NUAGES_STATIC_TREE", ""),
        environ["NUAGES_INSTANCE"],
        int(environ["NUAGES_RELEASE"]),
        int(running) if running else None,
        int(environ.get("NUAGES_KEEP", "3")),
    )


def upload(client: Any, wanted: Task) -> Done:
    """Bring this release's list, then all files, then remove what no list has any more.

    The list comes first: what it names is not removed by another app or environment, whose release may end meanwhile.
    """
    below = f"{wanted.tree}/" if wanted.tree else ""
    names = {f"{wanted.folder}{below}{name}": wanted.root / name for name in files(wanted.root)}
    client.put_object(
        Bucket=wanted.bucket,
        Key=f"{wanted.folder}{LISTS}/{wanted.instance}/{wanted.release}.json",
        Body=json.dumps(sorted(names)).encode(),
        ContentType="application/json",
    )
    there = dict(_listed(client, wanted.bucket, wanted.folder))
    missing = {key: file for key, file in names.items() if not _same(key, file, there, tree=wanted.tree)}

    def put(key: str, file: Path) -> None:
        kind, packed = mimetypes.guess_type(file.name)
        text = kind and (kind.startswith("text/") or kind.endswith(("javascript", "json", "xml")))
        client.put_object(
            Bucket=wanted.bucket,
            Key=key,
            Body=file.read_bytes(),
            ContentType=f"{kind}; charset=utf-8"
            if text
            else kind
            if kind and not packed
            else "application/octet-stream",
            CacheControl=FOREVER if wanted.tree or lasting(key) else A_MINUTE,
        )

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(put, missing.keys(), missing.values()))
    return Done(len(names), len(missing), _prune(client, wanted))


def over(releases: set[int], wanted: Task) -> set[int]:
    """The releases whose pages nobody has any more: but for this one, the one that serves, and the newest."""
    newest = sorted(releases, reverse=True)[: wanted.keep + 1]
    return releases - {wanted.release, *newest, *([wanted.running] if wanted.running is not None else [])}


def files(root: Path) -> Iterator[str]:
    """The files below a folder that browsers ask for, by their names."""
    for file in sorted(root.rglob("*")):
        beside = file.suffix in _COMPRESSED and file.with_suffix("").is_file()
        if file.is_file() and not beside and file.name != _MANIFEST:
            yield file.relative_to(root).as_posix()


def _prune(client: Any, wanted: Task) -> int:
    """Remove the lists of releases that are over, and what is on no other list, this app's or another's."""
    there = {key for key, _ in _listed(client, wanted.bucket, wanted.folder)}
    lists = f"{wanted.folder}{LISTS}/"
    own = f"{lists}{wanted.instance}/"
    numbered = {int(number): key for key in there if key.startswith(own) and (number := key[len(own) : -5]).isdecimal()}
    ended = {numbered[number] for number in over(set(numbered), wanted)}
    if not ended:
        return 0
    kept, gone = set[str](), set[str]()
    for key in there:
        if key.startswith(lists):
            named = json.loads(client.get_object(Bucket=wanted.bucket, Key=key)["Body"].read())
            (gone if key in ended else kept).update(named)
    # The lists last: who is ended in between finds them, and goes on.
    for batch in (sorted((gone - kept) & there), sorted(ended)):
        for start in range(0, len(batch), _PER_REQUEST):
            keys = [{"Key": key} for key in batch[start : start + _PER_REQUEST]]
            client.delete_objects(Bucket=wanted.bucket, Delete={"Objects": keys, "Quiet": True})
    return len((gone - kept) & there)


def _listed(client: Any, bucket: str, folder: str) -> Iterator[tuple[str, str]]:
    """Each object's key, and what the store says of its content."""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder):
        for item in page.get("Contents", []):
            yield item["Key"], item["ETag"].strip('"')


def _same(key: str, file: Path, there: Mapping[str, str], *, tree: str) -> bool:
    """Whether the bucket has a file as it is; where the name tells the content, being there is enough."""
    if key not in there:
        return False
    return bool(tree) or lasting(key) or there[key] == hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()


def main() -> int:
    """Do it, and say how it went."""
    import boto3  # noqa: PLC0415 - the image's
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    style = {"addressing_style": "path"} if os.environ.get("AWS_ENDPOINT_URL_S3") else {}
    client = boto3.client("s3", config=Config(s3=style, retries={"total_max_attempts": 5}, connect_timeout=5))
    wanted = task(os.environ)
    try:
        done = upload(client, wanted)
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"nuages: the bucket {wanted.bucket} did not take the static files: {error}\n")
        return 1
    sys.stdout.write(
        f"{done.there} static files in {wanted.bucket}: {done.uploaded} uploaded, {done.removed} of others removed\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
