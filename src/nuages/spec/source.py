"""The spec's parts about the project itself: where it is, what may be added to it, how its image is built."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from nuages.spec.forms import Command, DebianPackage, Group, Module, Part, ProjectPath
from nuages.spec.releases import Checks


class Overlay(Part, frozen=True, kw_only=True):
    """What nuages may add to the project's settings at run time; the project's own choice always wins."""

    enabled: Annotated[bool, Meta(description="Whether it adds anything at all.")] = True
    hosts: Annotated[bool, Meta(description="ALLOWED_HOSTS and CSRF_TRUSTED_ORIGINS from the spec's hosts.")] = True
    proxy: Annotated[bool, Meta(description="SECURE_PROXY_SSL_HEADER where a proxy overwrites the header.")] = True
    secret_key: Annotated[bool, Meta(description="SECRET_KEY in place of startproject's.")] = True
    debug: Annotated[bool, Meta(description="DEBUG off.")] = True
    databases: Annotated[bool, Meta(description="DATABASES from DATABASE_URL, and pool settings.")] = True
    caches: Annotated[bool, Meta(description="CACHES from REDIS_URL.")] = True
    static: Annotated[bool, Meta(description="Static files served where the project serves none.")] = True
    media: Annotated[bool, Meta(description="STORAGES from media.bucket: uploads go there.")] = True
    logging: Annotated[bool, Meta(description="Logs in the form that observability.logs names.")] = True
    celery: Annotated[
        bool,
        Meta(description="Celery's broker from CELERY_BROKER_URL; a task is noted as taken when it leaves a Redis."),
    ] = True


class Django(Part, frozen=True, kw_only=True):
    """The project and how its code is reached."""

    root: Annotated[str, Meta(description="The folder of manage.py, relative to nuages.yaml.", examples=["."])] = "."
    settings: Annotated[
        Module | None,
        Meta(description="The settings module; left out, the one that manage.py names.", examples=["blog.settings"]),
    ] = None
    python: Annotated[
        Annotated[str, Meta(pattern=r"^3\.[0-9]+$", title="a Python version")],
        Meta(description="The Python of the image: 3.x, its newest patch.", examples=["3.13"]),
    ] = "3.13"
    overlay: Annotated[
        Overlay,
        Meta(
            description="What nuages may add to the settings; false leaves them alone, a map switches parts off.",
            examples=[{"static": False}],
        ),
    ] = Overlay()
    checks: Annotated[Checks, Meta(description="Django's own checks for deployment.")] = Checks()


class Dependencies(Part, frozen=True, kw_only=True):
    """Where the Python dependencies are declared; what is left out is found."""

    file: Annotated[
        ProjectPath | None,
        Meta(
            description="The file: a requirements file, a lock, or pyproject.toml.",
            examples=["requirements/production.txt"],
        ),
    ] = None
    extras: Annotated[
        list[Group], Meta(description="Extras of the project that are installed.", examples=[["postgres"]])
    ] = field(default_factory=list)
    groups: Annotated[list[Group], Meta(description="Dependency groups that are installed.", examples=[["prod"]])] = (
        field(default_factory=list)
    )


class Frontend(Part, frozen=True, kw_only=True):
    """What Node builds in a stage of its own, before static files are collected."""

    directory: Annotated[ProjectPath, Meta(description="The folder of package.json.", examples=["assets"])] = "."
    command: Annotated[
        Command,
        Meta(description="What builds it, after the packages are installed.", examples=[["npm", "run", "build"]]),
    ]
    output: Annotated[
        ProjectPath, Meta(description="The folder it writes, relative to the project's root.", examples=["assets/dist"])
    ]


class BuildOptions(Part, frozen=True, kw_only=True):
    """What the image needs beside the project and its Python dependencies."""

    packages: Annotated[
        list[DebianPackage], Meta(description="Debian packages at run time.", examples=[["libmagic1"]])
    ] = field(default_factory=list)
    build_packages: Annotated[
        list[DebianPackage],
        Meta(
            description="Debian packages for building dependencies only; not in the image.",
            examples=[["libpq-dev", "gcc"]],
        ),
    ] = field(default_factory=list)
    dependencies: Annotated[
        Dependencies,
        Meta(description="Where the Python dependencies are declared.", examples=[{"groups": ["prod"]}]),
    ] = Dependencies()
    commands: Annotated[
        list[Command],
        Meta(
            description="Run in the project without a network, before static files are collected; what they write is "
            "in the image.",
            examples=[[["python", "manage.py", "compress", "--force"]]],
        ),
    ] = field(default_factory=list)
    dockerfile: Annotated[
        ProjectPath | None,
        Meta(description="The project's own Dockerfile, built instead.", examples=["Dockerfile"]),
    ] = None
    frontend: Annotated[Frontend | None, Meta(description="What Node builds before static files are collected.")] = None
