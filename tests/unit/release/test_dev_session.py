"""`nuages dev` on this side: what is sent, what is not, and where it is refused."""

from __future__ import annotations

import asyncio
import json
from xml.etree import ElementTree

import pytest

from nuages.errors import Refused, Unreachable, UsageError
from nuages.image import ignore
from nuages.progress import silent
from nuages.release.dev import develop, editors, frames, pods, session
from nuages.release.dev.frontends import command, installation
from nuages.release.dev.tree import Change, Project, difference
from nuages_runtime.dev import files
from nuages_runtime.dev import frames as theirs


@pytest.fixture
def project(tmp_path):
    for path, text in {
        "manage.py": "",
        "blog/settings.py": "DEBUG = False",
        "blog/views.py~": "",
        ".env": "SECRET=1",
        "node_modules/x/index.js": "",
        "web/package.json": "{}",
        ".gitignore": "*.mo\n",
    }.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def read(data):
    async def story():
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        return await frames.read(reader), await theirs.read(reader)

    return asyncio.run(story())


def test_both_sides_speak_the_same():
    message = {"put": "blog/ü.py", "first": True}
    assert frames.packed(message, b"\0x") == theirs.packed(message, b"\0x")
    assert read(2 * frames.packed(message, b"\0x")) == ((message, b"\0x"), (message, b"\0x"))


def test_what_goes_into_no_image_goes_to_no_pod(project):
    seen = Project(project, (project / "web",))
    assert sorted(seen.listing()) == [".gitignore", "blog/settings.py", "manage.py"]
    assert {str(one.relative_to(project)) for one in seen.folders()} == {".", "blog"}


def test_a_file_is_the_same_word_on_both_sides(project):
    (project / "run.sh").write_text("x")
    (project / "run.sh").chmod(0o755)
    (project / "link").symlink_to("manage.py")
    here = Project(project).listing()
    assert all(files.state(project / path) == word for path, word in here.items())
    assert here["link"] == "link manage.py"
    assert here["run.sh"].startswith("x ")


def test_only_what_differs_is_sent_and_what_a_build_made_stays():
    here = {"a.py": "- 1", "b.py": "- 2"}
    there = {"a.py": "- 1", "b.py": "- old", "gone.py": "- 3", "staticfiles/a.css": "- 4"}
    assert difference(here, there, lambda path: path == "gone.py") == Change(("b.py",), ("gone.py",))


def test_a_file_that_is_only_there_goes_where_its_folder_is_here_and_no_rule_leaves_it_out(project):
    seen = Project(project)
    ours = seen.ours(seen.listing())
    wanted = {"blog/old.py": True, "blog/made.mo": False, "staticfiles/x.css": False, "blog/key.pem": False}
    assert {path: ours(path) for path in wanted} == wanted


def test_whether_a_file_would_be_taken_is_what_select_does_with_it(project):
    selection = ignore.select(project)
    assert all(ignore.takes(project, path) for path in selection.files)
    assert not any(ignore.takes(project, path) for path in selection.left_out if not path.endswith("/"))


@pytest.mark.parametrize("environment", ["production", "prod", "live", "eu-production", "prod-2"])
def test_production_is_no_place_to_develop_in(app, environment):
    with pytest.raises(Refused) as refused:
        develop.allowed(app(environment))
    assert [finding.id for finding in refused.value.findings] == ["release.E450"]


def test_nor_is_one_that_the_spec_has_confirmed_by_its_name(app):
    with pytest.raises(Refused):
        develop.allowed(app("shop", confirm=True))


@pytest.mark.parametrize("environment", ["local", "staging", "preview-12", "delivery", "products"])
def test_any_other_environment_is(app, environment):
    develop.allowed(app(environment))


@pytest.fixture
def app():
    class Named:
        name = "blog"

        def __init__(self, environment, confirm=False):
            self.environment, self.confirm = environment, confirm

    return Named


@pytest.mark.parametrize(
    ("person", "name"),
    [("ada@host", "blog-dev-ada"), ("Ada.L@x", "blog-dev-ada-l"), ("@x", "blog-dev-somebody")],
)
def test_a_pod_says_whose_it_is(app, person, name):
    assert pods.name(app("local"), person) == name


def test_why_a_pod_ended_is_told():
    ended = {"containerStatuses": [{"state": {"terminated": {"reason": "OOMKilled"}}}]}
    assert pods.over({"metadata": {}, "status": ended}) == "it needed more memory than it may have"
    assert pods.over({"metadata": {"deletionTimestamp": "x"}}) == "somebody removed the pod"
    assert pods.over({"metadata": {}, "status": {"phase": "Running"}}) == ""


def test_pycharm_attaches_where_debugpy_listens_and_finds_the_code(tmp_path):
    file = editors.pycharm(tmp_path, tmp_path / "a & b")
    (configuration,) = ElementTree.parse(file).getroot()
    assert configuration.get("type") == "PythonDapAttachConfiguration"
    assert {one.get("name"): one.get("value") for one in configuration.iter("option")} == {
        "localRoot": "$PROJECT_DIR$/a & b",
        "remoteAddress": "localhost:5678",
        "remoteRoot": "/app",
    }
    before = file.read_text()
    assert editors.pycharm(tmp_path, tmp_path / "a & b").read_text() == before


def test_the_editors_file_keeps_what_was_in_it(tmp_path):
    file = tmp_path / ".vscode" / "launch.json"
    assert editors.vscode(tmp_path, tmp_path / "src") == file
    made = json.loads(file.read_text())
    assert made["configurations"][0]["pathMappings"] == [{"localRoot": "${workspaceFolder}/src", "remoteRoot": "/app"}]
    made["configurations"].append({"name": "mine"})
    file.write_text(json.dumps(made))
    editors.vscode(tmp_path, tmp_path)
    assert [one["name"] for one in json.loads(file.read_text())["configurations"]] == ["mine", "nuages dev"]
    file.write_text("// mine\n{}")
    with pytest.raises(UsageError, match="not plain JSON"):
        editors.vscode(tmp_path, tmp_path)


def test_a_front_ends_own_server_is_started_as_its_package_says(tmp_path):
    assert command(tmp_path) == []
    (tmp_path / "package.json").write_text('{"scripts": {"dev": "vite", "start": "node x"}}')
    assert command(tmp_path) == ["npm", "run", "dev"]
    assert installation(tmp_path) == ["npm", "install"]
    (tmp_path / "package-lock.json").write_text("{}")
    assert installation(tmp_path) == ["npm", "ci"]
    (tmp_path / "yarn.lock").write_text("")
    (tmp_path / "node_modules").mkdir()
    assert command(tmp_path) == ["yarn", "run", "dev"]
    assert installation(tmp_path) == []


@pytest.mark.parametrize(("joined", "removed"), [(Unreachable("no answer"), []), (True, ["blog-dev-ada"])])
async def test_a_pod_of_which_nobody_has_said_whose_it_is_stays(joined, removed, monkeypatch):
    pod = {"metadata": {"name": "blog-dev-ada"}}
    one = session.Session(None, None, pod, None, here=None, who="ada@work")
    gone = []

    async def asked(*, takes):
        if isinstance(joined, Exception):
            raise joined
        return joined

    async def remove(name, *_):
        gone.append(name)

    monkeypatch.setattr(one, "_joined", asked)
    monkeypatch.setattr(pods, "removed", remove)
    with pytest.raises(Unreachable):
        async with one.standing(silent, takes=False):
            raise Unreachable("lost")
    assert gone == removed
