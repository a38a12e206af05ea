"""Each refusal of a registry is one clear line with a way on, and no secret."""

from __future__ import annotations

import json
import re

import pytest

from nuages.image.registry_failures import Answer, failure


def answer(status: int, code: str = "", message: str = "", user: str = "ada") -> Answer:
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode() if code else b"<html>"
    return Answer(
        status, body, "registry.example.com", "acme/blog", "a layer of 3.0 MiB", user, "/home/ada/config.json"
    )


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        (answer(401, "UNAUTHORIZED", user=""), "takes nothing for .*/acme/blog from somebody unknown", "docker login"),
        (answer(401, "UNAUTHORIZED"), "does not accept the credentials of ada", "/home/ada/config.json"),
        (answer(403, "DENIED"), "ada may not push to registry.example.com/acme/blog", "ask for the right"),
        (answer(403, user=""), "somebody unknown", "docker login registry.example.com"),
        (answer(404, "NAME_UNKNOWN"), "has no repository acme/blog", "make it there"),
        (answer(404), "or is no registry", "correct `image`"),
        (answer(405, "UNSUPPORTED"), "it is read-only", ""),
        (answer(400, "NAME_INVALID"), "does not accept the name acme/blog", "correct `image`"),
        (answer(400, "DIGEST_INVALID"), "arrived at registry.example.com damaged", "try again"),
        (answer(413), "a layer of 3.0 MiB is too large", "client_max_body_size"),
        (answer(429, "TOOMANYREQUESTS"), "asks for patience", "try again"),
        (answer(503), "fails at a layer of 3.0 MiB: 503", "is not sent again"),
        (answer(507), "no space left", ""),
        (answer(418), "refuses a layer of 3.0 MiB: 418", ""),
    ],
)
def test_a_refusal_says_what_to_do(given: Answer, message: str, hint: str) -> None:
    found = failure(given)
    assert re.search(message, found.message)
    assert hint in found.hint
    assert "\n" not in found.message
    assert found.exit_code == 1


def test_the_registrys_own_words_are_shown_on_one_short_line() -> None:
    found = failure(answer(403, "DENIED", "quota\nexceeded " + "x" * 500))
    assert found.detail.startswith("quota exceeded")
    assert len(found.detail) == 200
