"""What a project's settings need and nobody gives is refused before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import shop

from nuages.app.components import App, resolve
from nuages.errors import Refused
from nuages.project import match
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

SPEC = """\
name: shop
image: registry.example.com/acme/shop
secrets: {SECRET_KEY: {generate: true}}
environments: {local: }
"""


def app(more: str = "") -> App:
    text = SPEC.replace("secrets: {SECRET_KEY: {generate: true}}\n", "") if more.startswith("secrets") else SPEC
    return resolve(parse((text + more).encode(), "nuages.yaml"), "local")


def lacking(folder: Path, more: str = "") -> list[str]:
    """The variables that are said to be missing, as `nuages check` and a deploy say it."""
    found = [finding for finding in match.findings(folder, app(more)) if finding.id == match.MISSING]
    try:
        match.settled(folder, app(more))
    except Refused as refused:
        assert list(refused.findings) == found
    else:
        assert found == []
    return [finding.message.split()[6].rstrip(",") for finding in found]


def test_a_variable_that_nobody_gives_is_refused_at_its_line(tmp_path: Path) -> None:
    root = shop(tmp_path, 'STRIPE = os.environ["STRIPE_KEY"]\n')
    assert lacking(root) == ["STRIPE_KEY"]
    (found,) = [finding for finding in match.findings(root, app()) if finding.id == match.MISSING]
    assert (found.place.file, found.place.line) == ("shop/settings.py", 12)
    assert found.hint == "env: {STRIPE_KEY: …} in nuages.yaml, or secrets: {STRIPE_KEY: {}}"


@pytest.mark.parametrize(
    "more",
    [
        "env: {STRIPE_KEY: pk}\n",
        "secrets: {STRIPE_KEY: {}, SECRET_KEY: {generate: true}}\n",
        "build: {dockerfile: Dockerfile}\n",  # it may say it by ENV
        "django: {checks: {ignore: [app.E170]}}\n",  # something else of the cluster gives it
    ],
)
def test_one_that_is_given_is_not(tmp_path: Path, more: str) -> None:
    root = shop(tmp_path, 'STRIPE = os.environ["STRIPE_KEY"]\n', files={"Dockerfile": "FROM scratch\n"})
    assert lacking(root, more) == []


@pytest.mark.parametrize(
    "settings",
    [
        'if os.environ.get("STAGE", "dev") == "dev":\n    STRIPE = os.environ["STRIPE_KEY"]\n',
        'STRIPE = os.environ.get("STRIPE_KEY")\n',
        'try:\n    STRIPE = os.environ["STRIPE_KEY"]\nexcept KeyError:\n    STRIPE = ""\n',
        'try:\n    try:\n        import stripe\n        STRIPE = os.environ["STRIPE_KEY"]\n    except ImportError:\n'
        '        pass\nexcept KeyError:\n    STRIPE = ""\n',
        'try:\n    try:\n        STRIPE = os.environ["STRIPE_KEY"]\n    finally:\n        pass\nexcept KeyError:\n'
        '    STRIPE = ""\n',
    ],
)
def test_what_this_environment_does_not_read_is_not_missing(tmp_path: Path, settings: str) -> None:
    assert lacking(shop(tmp_path, settings), "env: {STAGE: production}\n") == []


def test_what_is_read_before_and_after_a_package_is_looked_for_is_missing(tmp_path: Path) -> None:
    looks = "try:\n    import stripe\nexcept ImportError:\n    stripe = None\n"
    assert lacking(shop(tmp_path, f'{looks}STRIPE = os.environ["STRIPE_KEY"]\n')) == ["STRIPE_KEY"]
    before = looks.replace("    import", '    STRIPE = os.environ["STRIPE_KEY"]\n    import')
    assert lacking(shop(tmp_path, before)) == ["STRIPE_KEY"]


def test_what_only_this_environment_reads_is(tmp_path: Path) -> None:
    settings = 'if os.environ.get("STAGE", "dev") == "dev":\n    STRIPE = os.environ["STRIPE_KEY"]\n'
    assert lacking(shop(tmp_path, settings)) == ["STRIPE_KEY"]


@pytest.mark.parametrize(
    "settings",
    [
        'os.environ.setdefault("STRIPE_KEY", "pk")\nSTRIPE = os.environ["STRIPE_KEY"]\n',
        'os.environ["STRIPE_KEY"] = "pk"\nSTRIPE = os.environ["STRIPE_KEY"]\n',
        'os.environ.update({"STRIPE_KEY": "pk"})\nSTRIPE = os.environ["STRIPE_KEY"]\n',
        'for key in ("STRIPE_KEY",):\n    os.environ.setdefault(key, "pk")\nSTRIPE = os.environ["STRIPE_KEY"]\n',
        'from contextlib import suppress\nwith suppress(KeyError):\n    STRIPE = os.environ["STRIPE_KEY"]\n',
        "try:\n    import stripe\nexcept ImportError:\n    stripe = None\nelse:\n"
        '    STRIPE = os.environ["STRIPE_KEY"]\n',
        'try:\n    import stripe\n    STRIPE = os.environ["STRIPE_KEY"]\nexcept (ImportError, OSError):\n    pass\n',
        'if os.path.exists("/run/secrets/stripe"):\n    STRIPE = open("/run/secrets/stripe").read()\n'
        'else:\n    STRIPE = os.environ["STRIPE_KEY"]\n',
    ],
)
def test_what_the_project_may_give_itself_is_not_refused(tmp_path: Path, settings: str) -> None:
    assert lacking(shop(tmp_path, settings)) == []


@pytest.mark.parametrize("asked", ["DATABASE_URL", "STAGE", "SECRET_KEY"])
def test_what_is_decided_by_a_value_that_no_file_tells_is_not_refused(tmp_path: Path, asked: str) -> None:
    branch = f'if "postgres" in os.environ["{asked}"]:\n    STRIPE = ""\nelse:\n    STRIPE = os.environ["STRIPE_KEY"]\n'
    more = (
        "services: {postgres: {run: {}}}\ndatabases: {default: postgres}\nenv: {STAGE: {configMap: stage, key: name}}\n"
    )
    assert lacking(shop(tmp_path, branch), more) == []


@pytest.mark.parametrize("file", ["shop/settings.ini", "conf/env.defaults"])
def test_a_file_of_the_image_may_say_it(tmp_path: Path, file: str) -> None:
    settings = 'from decouple import config\nSTRIPE = config("STRIPE_KEY")\n'
    assert lacking(shop(tmp_path, settings, files={file: "[settings]\nSTRIPE_KEY = pk\n"})) == []


@pytest.mark.parametrize("file", [".env", "conf/local.env"])
def test_a_file_that_is_in_no_image_says_nothing(tmp_path: Path, file: str) -> None:
    settings = 'from dotenv import load_dotenv\nload_dotenv()\nSTRIPE = os.environ["STRIPE_KEY"]\n'
    assert lacking(shop(tmp_path, settings, files={file: "STRIPE_KEY=pk\n"})) == ["STRIPE_KEY"]


def test_what_a_bucket_the_image_and_the_cluster_give_is_there(tmp_path: Path) -> None:
    names = ("AWS_STORAGE_BUCKET_NAME", "AWS_ACCESS_KEY_ID", "LANG", "NUAGES_COMPONENT", "KUBERNETES_SERVICE_HOST")
    settings = "".join(f'{name} = os.environ["{name}"]\n' for name in names)
    more = "media: {bucket: {url: s3://uploads, secret: keys}}\nexpose: {hosts: [shop.example.com]}\n"
    assert lacking(shop(tmp_path, settings), more) == []
    assert lacking(shop(tmp_path, settings)) == ["AWS_STORAGE_BUCKET_NAME", "AWS_ACCESS_KEY_ID"]


def test_a_default_that_is_made_is_one(tmp_path: Path) -> None:
    settings = (
        "from pydantic import Field\nfrom pydantic_settings import BaseSettings\n"
        "class Config(BaseSettings):\n    hosts: list[str] = Field(default_factory=list)\n    key: str = Field(...)\n"
        "CONFIG = Config()\n"
    )
    assert lacking(shop(tmp_path, settings)) == ["KEY"]
