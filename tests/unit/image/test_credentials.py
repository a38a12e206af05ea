"""Credentials are found where docker and podman keep them, and shown nowhere."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import pytest

from nuages.errors import PushFailed
from nuages.image.credentials import Credentials, find
from nuages.image.registry_client import Repository

HOST = "registry.example.com:5000"


@pytest.fixture
def config(tmp_path):
    """Writes Docker's config.json; answers the environment in which it counts."""

    def write(**content: object) -> dict[str, str]:
        (tmp_path / "config.json").write_text(json.dumps(content))
        return {"DOCKER_CONFIG": str(tmp_path), "HOME": str(tmp_path)}

    return write


@pytest.fixture
def helper(tmp_path, monkeypatch):
    """Installs docker-credential-test, which writes down what it was asked and answers this."""

    def install(answer: str, code: int = 0) -> None:
        program = tmp_path / "docker-credential-test"
        program.write_text(
            f"#!/bin/sh\necho \"$1 $(cat)\" > {tmp_path}/asked\ncat <<'END'\n{answer}\nEND\nexit {code}\n"
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return install


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "name", [HOST, f"https://{HOST}", f"https://{HOST}/v1/", f"http://{HOST}", f"{HOST}/"], ids=lambda name: name
)
def test_a_login_is_found_under_each_way_of_writing_the_registry(name: str, config) -> None:
    found = find(HOST, config(auths={name: {"auth": encoded("ada:two:colons")}}))
    assert found is not None
    assert (found.user, found.password) == ("ada", "two:colons")


def test_docker_hub_has_a_name_of_its_own(config) -> None:
    found = find("docker.io", config(auths={"https://index.docker.io/v1/": {"auth": encoded("ada:secret")}}))
    assert found is not None
    assert found.user == "ada"


def test_another_registry_gets_nothing(config) -> None:
    assert find("other.example.com", config(auths={HOST: {"auth": encoded("ada:secret")}})) is None


def test_no_login_at_all_is_nobody(tmp_path) -> None:
    assert find(HOST, {"HOME": str(tmp_path)}) is None


def test_podmans_file_is_read_as_well(tmp_path) -> None:
    (tmp_path / "containers").mkdir()
    kept = {"auths": {HOST: {"auth": encoded("ada:secret")}}}
    (tmp_path / "containers" / "auth.json").write_text(json.dumps(kept))
    found = find(HOST, {"HOME": str(tmp_path / "home"), "XDG_RUNTIME_DIR": str(tmp_path)})
    assert found is not None
    assert found.source.endswith("containers/auth.json")


def test_a_helper_of_the_registry_goes_before_the_store_and_the_file(config, helper, tmp_path) -> None:
    helper(json.dumps({"ServerURL": HOST, "Username": "eve", "Secret": "kept"}))
    environ = config(credHelpers={HOST: "test"}, credsStore="absent", auths={HOST: {"auth": encoded("ada:secret")}})
    found = find(HOST, environ)
    assert found is not None
    assert (found.user, found.password, found.source) == ("eve", "kept", "docker-credential-test")
    assert (tmp_path / "asked").read_text() == f"get {HOST}\n"


def test_the_store_is_asked_for_docker_hub_by_the_name_that_login_keeps(config, helper, tmp_path) -> None:
    helper(json.dumps({"Username": "<token>", "Secret": "long"}))
    found = find("docker.io", config(credsStore="test"))
    assert found is not None
    assert (found.user, found.identity) == ("", "long")
    assert (tmp_path / "asked").read_text() == "get https://index.docker.io/v1/\n"


def test_a_store_that_has_none_leaves_it_to_the_file(config, helper) -> None:
    helper("credentials not found in native keychain", code=1)
    found = find(HOST, config(credsStore="test", auths={HOST: {"auth": encoded("ada:secret")}}))
    assert found is not None
    assert found.user == "ada"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"credsStore": "absent-one"}, "docker-credential-absent-one is not installed"),
        ({"credsStore": "../evil"}, "cannot be the name of a credential helper"),
        ({"auths": {HOST: {"auth": "no base64!"}}}, "is not base64"),
    ],
)
def test_what_cannot_be_read_is_one_line(content: dict[str, object], said: str, config) -> None:
    with pytest.raises(PushFailed, match=said):
        find(HOST, config(**content))


def test_a_helper_that_fails_says_why(config, helper) -> None:
    helper("the keychain is locked", code=1)
    with pytest.raises(PushFailed, match="does not give the credentials") as failed:
        find(HOST, config(credsStore="test"))
    assert failed.value.detail == "the keychain is locked"


def test_a_helper_that_answers_nonsense_shows_none_of_it(config, helper) -> None:
    helper('{"Secret": "hidden"')
    with pytest.raises(PushFailed, match="no credential") as failed:
        find(HOST, config(credsStore="test"))
    assert "hidden" not in f"{failed.value.message}{failed.value.detail}{failed.value.hint}"


def test_a_broken_file_is_named_and_not_quoted(tmp_path) -> None:
    (tmp_path / "config.json").write_text('{"auths": {"x": {"auth": "c2VjcmV0"')
    with pytest.raises(PushFailed) as failed:
        find(HOST, {"DOCKER_CONFIG": str(tmp_path), "HOME": str(tmp_path)})
    assert failed.value.place == str(tmp_path / "config.json")
    assert "c2VjcmV0" not in f"{failed.value.message}{failed.value.detail}"


def test_credentials_in_a_traceback_show_no_password() -> None:
    assert repr(Credentials("ada", "secret", source="here")) == "Credentials('ada' from here)"


@pytest.mark.parametrize(
    ("reference", "registry", "name", "host"),
    [
        ("registry.example.com/acme/blog", "registry.example.com", "acme/blog", "registry.example.com"),
        ("localhost:30500/blog", "localhost:30500", "blog", "localhost:30500"),
        ("localhost/blog", "localhost", "blog", "localhost"),
        ("acme/blog", "docker.io", "acme/blog", "registry-1.docker.io"),
        ("blog", "docker.io", "library/blog", "registry-1.docker.io"),
        ("index.docker.io/acme/blog", "docker.io", "acme/blog", "registry-1.docker.io"),
    ],
)
def test_a_reference_is_read_as_docker_reads_it(reference: str, registry: str, name: str, host: str) -> None:
    found = Repository.of(reference)
    assert (found.registry, found.name, found.host) == (registry, name, host)
    assert Path(found.name).name


def test_a_file_whose_maps_are_null_or_lists_says_nothing(config) -> None:
    assert find(HOST, config(credHelpers=None, auths=None)) is None
    assert find(HOST, config(credHelpers=["x"], auths=["y"])) is None
