"""`python -m nuages_runtime.dumps keep|list|fetch`: backups between a pod's folder and a bucket.

Told by the environment: NUAGES_BUCKET (s3://bucket/folder), KEEP. A backup is a folder of files, of which `about.json`
is brought last and taken away first: where it is, all of the others are.

Exit codes: 0 done, 1 not; the last line on standard error says why.
"""

# boto3 is the image's.
# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PLACE = Path("/backups")
ABOUT = "about.json"


class Store:
    """The folder of a bucket in which backups are."""

    def __init__(self, client: Any, url: str) -> None:
        """Nothing is asked yet."""
        parts = urlsplit(url)
        folder = parts.path.strip("/")
        self._client = client
        self._bucket = parts.netloc
        self._folder = f"{folder}/" if folder else ""

    def complete(self) -> list[str]:
        """The ids of those that are whole, the oldest first."""
        there = (key.removeprefix(self._folder).split("/") for key in self._keys(""))
        return sorted(parts[0] for parts in there if len(parts) == 2 and parts[0][:1] == "2" and parts[1] == ABOUT)

    def keep(self, folder: Path, number: int) -> bytes:
        """Bring a backup there, and remove the oldest beyond so many; answers what it says of itself."""
        for file in sorted(folder.iterdir(), key=lambda one: one.name == ABOUT):
            self._client.upload_file(str(file), self._bucket, f"{self._folder}{folder.name}/{file.name}")
        for old in self.complete()[:-number]:
            for key in sorted(self._keys(f"{old}/"), key=lambda one: not one.endswith(f"/{ABOUT}")):
                self._client.delete_object(Bucket=self._bucket, Key=key)
        return (folder / ABOUT).read_bytes()

    def about(self, id_: str) -> bytes:
        """What one says of itself."""
        found: bytes = self._client.get_object(Bucket=self._bucket, Key=f"{self._folder}{id_}/{ABOUT}")["Body"].read()
        return found

    def fetch(self, id_: str, into: Path) -> None:
        """Bring one here; `about.json` last."""
        folder = into / id_
        folder.mkdir()
        for key in sorted(self._keys(f"{id_}/"), key=lambda one: one.endswith(f"/{ABOUT}")):
            self._client.download_file(self._bucket, key, str(folder / key.rpartition("/")[2]))

    def _keys(self, below: str) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{self._folder}{below}"
        )
        return [item["Key"] for page in pages for item in page.get("Contents", [])]


def main(arguments: list[str]) -> int:
    """Do it, and say how it went."""
    import boto3  # noqa: PLC0415 - the image's
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    style = {"addressing_style": "path"} if os.environ.get("AWS_ENDPOINT_URL_S3") else {}
    client = boto3.client("s3", config=Config(s3=style, retries={"total_max_attempts": 5}, connect_timeout=5))
    store = Store(client, os.environ["NUAGES_BUCKET"])
    try:
        return _done(store, arguments)
    except (BotoCoreError, ClientError, boto3.exceptions.Boto3Error) as error:
        sys.stderr.write(f"failed: the bucket of {os.environ['NUAGES_BUCKET']} said: {error}\n")
        return 1


def _done(store: Store, arguments: list[str]) -> int:
    match arguments:
        case ["keep"]:
            made = max(PLACE.glob(f"2*/{ABOUT}"))
            sys.stdout.write(store.keep(made.parent, int(os.environ["KEEP"])).decode())
        case ["list"]:
            for one in store.complete():
                sys.stdout.write(store.about(one).decode())
        case ["fetch", wanted]:
            known = store.complete()
            if not known or (wanted and wanted not in known):
                said = (
                    f"there is no backup {wanted}; there are: {' '.join(known[-5:])}"
                    if known
                    else "there is no backup yet"
                )
                sys.stderr.write(f"failed: {said}\n")
                return 1
            store.fetch(wanted or known[-1], PLACE)
        case _:
            sys.stderr.write("keep, list, or fetch ID\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
