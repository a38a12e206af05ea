"""Where an image comes from: an in-toto statement with SLSA's predicate, and the URL of the project's source.

The statement is not signed: it says what nuages did, and whoever trusts the registry may read it there.
https://slsa.dev/spec/v1.1/provenance, https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from nuages import __version__
from nuages.app.build import Build
from nuages.app.components import App
from nuages.errors import CommandFailed, MissingTool
from nuages.host.command import run

MEDIA_TYPE = "application/vnd.in-toto+json"
NAME = "provenance.intoto.json"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "https://nuages.dev/build/v1"
BUILDER = "https://nuages.dev/builder"


def statement(app: App, build: Build, materials: Mapping[str, str], source: str = "") -> bytes:
    """What went into an image: the project's revision, its lock, its base. No time and no machine's name: the same
    image has the same statement.

    Args:
        app: what the spec asked for.
        build: the image; its reference has a digest.
        materials: what was read, by name or URI -> its sha256 in hex.
        source: the URL that the project is fetched from, where it has one.
    """
    repository, _, digest = build.reference.partition("@")
    resolved: list[dict[str, object]] = [
        {"uri": uri, "digest": {"sha256": found.removeprefix("sha256:")}} for uri, found in sorted(materials.items())
    ]
    if build.revision:
        commit = build.revision.removesuffix("-dirty")
        where = f"git+{source}@{commit}" if source else f"git:{commit}"
        resolved.insert(0, {"uri": where, "digest": {"gitCommit": commit}})
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": repository, "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "name": app.name,
                    "environment": app.environment,
                    "django": {"settings": build.settings, "python": app.django.python},
                    "packages": sorted(app.build.packages),
                    "buildPackages": sorted(app.build.build_packages),
                },
                # Whether files differ from the revision: then it names only where the work began.
                "internalParameters": {"modified": build.revision.endswith("-dirty")},
                "resolvedDependencies": resolved,
            },
            "runDetails": {"builder": {"id": BUILDER, "version": {"nuages": __version__}}},
        },
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def revision(root: Path) -> str:
    """The commit that changed the project last, with "-dirty" where files differ from it; "" outside of git."""
    try:
        commit = run(["git", "-C", root, "log", "-1", "--format=%H", "--", "."]).strip()
        changed = commit and run(["git", "-C", root, "status", "--porcelain", "--", "."]).strip()
    except (MissingTool, CommandFailed):  # no git, no repository, or one without a commit
        return ""
    return commit + "-dirty" * bool(changed)


def source(root: Path) -> str:
    """The https URL of the project's remote `origin`, without a name or token in it; "" where there is none."""
    try:
        remote = run(["git", "-C", root, "remote", "get-url", "origin"]).strip()
    except (MissingTool, CommandFailed):
        return ""
    return public(remote)


def public(remote: str) -> str:
    """A remote as anybody may read it: git@host:a/b.git and https://token@host/a/b.git are https://host/a/b."""
    found = re.fullmatch(
        r"(?:(?:https?|ssh|git)://)?(?:[^@/]*@)?([A-Za-z0-9][\w.-]*)(?::\d+)?[:/]/?(.+?)(?:\.git)?/?", remote
    )
    return f"https://{found[1]}/{found[2]}" if found and "." in found[1] and "@" not in found[2] else ""
