"""What is found out about a project: each fact with the file and line it was read from, and how sure it is."""

from __future__ import annotations

from pathlib import Path

import msgspec

from nuages.findings import Finding, Place


class Found(msgspec.Struct, frozen=True):
    """A value, and where the project says so; `sure` is False where it was concluded and not read."""

    value: str
    place: Place
    sure: bool = True


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """An environment variable that the settings read."""

    name: str
    place: Place
    required: bool
    """Without it the settings do not load: no default is given."""
    default: str | None = None
    """The default as text, where it is a literal."""
    kind: str = "str"
    """What it is made into: str, int, bool, list, or db where it is parsed as a database URL."""
    setting: str = ""
    """The setting that it becomes, where it is read in an assignment: SECRET_KEY, DATABASES."""
    sure: bool = True
    """False where `required` was concluded (from a `raise`, from a branch that could not be followed), not read."""
    suggestion: str | None = None
    """A value that is known to be accepted: the setting's own in a module below, or an example file's."""


class Worker(msgspec.Struct, frozen=True):
    """A process that takes work from a queue and is no Celery."""

    name: str
    command: tuple[str, ...]
    place: Place


class Frontend(msgspec.Struct, frozen=True):
    """A build of JavaScript or CSS whose output the project serves."""

    directory: str
    """The folder of package.json, relative to the project."""
    command: tuple[str, ...]
    output: str
    """The folder that it writes, relative to the project; "." where it writes in several places."""
    place: Place


class Dependencies(msgspec.Struct, frozen=True, kw_only=True):
    """Which file says what to install, and what that is."""

    kind: str
    """uv.lock, poetry.lock, pdm.lock, Pipfile.lock, requirements, Pipfile or pyproject."""
    files: tuple[str, ...]
    """All files that decide what is installed, relative to the project: included ones too."""
    packages: dict[str, str]
    """Normalised distribution name -> exact version, or "" where the file does not pin it."""
    extras: tuple[str, ...] = ()
    """The project's own extras that are installed."""
    groups: tuple[str, ...] = ()
    """The groups that are installed beside what always is."""
    indexes: tuple[str, ...] = ()
    """Package indexes that the files name, without credentials; the usual one is left out."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """A project as its files tell it."""

    root: Path
    """The folder of manage.py."""
    manage: Found
    settings: Found
    wsgi: Found | None = None
    python: Found | None = None
    """The range of Python versions that the project declares."""
    dependencies: Dependencies | None = None
    variables: tuple[Variable, ...] = ()
    database: Found | None = None
    """The engine's short name: postgresql, sqlite3, mysql."""
    media_root: Found | None = None
    static_root: Found | None = None
    whitenoise: bool = False
    admin: bool = False
    """Whether django.contrib.admin is installed, so that somebody has to be able to sign in."""
    asgi: Found | None = None
    """The ASGI application as servers write it, `package.asgi:application`."""
    interface: Found | None = None
    """wsgi or asgi: which of both is to serve."""
    channels: Found | None = None
    celery: Found | None = None
    """The Celery app as `celery -A` takes it."""
    beat: Found | None = None
    """What is scheduled: the schedule's setting, or django_celery_beat."""
    queues: tuple[str, ...] = ()
    """Celery's queues beside the default one, that one first; () where there is only that."""
    task_limit: Found | None = None
    """The longest that a Celery task may take, in seconds."""
    workers: tuple[Worker, ...] = ()
    redis: Found | None = None
    """What does not work without a Redis: the cache, the broker, a queue."""
    cache: Found | None = None
    """The default cache's backend."""
    storage: Found | None = None
    """The backend of uploaded files, where it is no folder."""
    frontend: Frontend | None = None
    packages: tuple[Found, ...] = ()
    """Debian packages that the dependencies load at run time."""
    build_packages: tuple[Found, ...] = ()
    """Debian packages that building a dependency takes."""
    groups: tuple[Found, ...] = ()
    """Dependency groups that are not installed by default, and needed."""
    commands: tuple[Worker, ...] = ()
    """What has to run when the image is built: compilemessages, compress."""
    volumes: tuple[Found, ...] = ()
    """Folders that the project writes to, relative to it; uploads have a place of their own."""
    static_url: Found | None = None
    django: Found | None = None
    """The version of Django that is installed, or the range that is asked for."""
    secret_key: Found | None = None
    """Where SECRET_KEY comes from: variable, random, fixed or absent."""
    debug: Found | None = None
    """DEBUG where no variable is set: true, false, or "" where it could not be followed."""
    ssl_redirect: Found | None = None
    """SECURE_SSL_REDIRECT, where it is on when no variable is set."""
    """NAME=VALUE that turns it off; "" where no variable does."""
    secure_cookies: Found | None = None
    """Cookies that are sent over https only; the same."""
    configuration: Found | None = None
    """The class that django-configurations is to use."""
    environment: dict[str, str] = {}
    """Values that variables must have for the project to serve in production, found by trying: DEBUG's off."""
    database_variables: dict[str, str] = {}
    """Variables that lead to PostgreSQL: what each is: host, port, user, password, name, url, or =VALUE."""
    redis_variables: dict[str, str] = {}
    """Variables that lead to a Redis: each as url, address (no database number), host or port."""
    gates: tuple[Found, ...] = ()
    """Variables of a hosting platform whose presence changes the settings."""
    hints: tuple[Found, ...] = ()
    """What Procfile, Dockerfile, app.json and the like say: read, and not believed."""
    problems: tuple[Finding, ...] = ()
    """Why the project can't be deployed as it is."""

    @property
    def name(self) -> str:
        """What to call the app: the folder's name in lower case, as Kubernetes takes it."""
        letters = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in self.root.name.lower())
        return letters.strip("-0123456789")[:30].rstrip("-") or "app"

    @property
    def geographic(self) -> bool:
        """Whether the project needs a PostgreSQL with PostGIS."""
        return any(problem.id == "project.W214" for problem in self.problems)

    def has(self, distribution: str) -> bool:
        """Whether the project's dependencies name a distribution."""
        return self.dependencies is not None and distribution in self.dependencies.packages

    def variable(self, name: str) -> Variable | None:
        """The first place where the settings read a variable."""
        return next((variable for variable in self.variables if variable.name == name), None)
