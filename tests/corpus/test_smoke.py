"""The smoke test itself: what it sends for a form, and what it says where a page is wrong."""

from __future__ import annotations

import time

import httpx2
import pytest

from .smoke import Wrong, smoke
from .table import Step

PAGE = """
<title>Notes</title>
<form action="/logout/"><input type="hidden" name="csrfmiddlewaretoken" value="of-logout"></form>
<form method="post" action="/add/"><input type="hidden" name="csrfmiddlewaretoken" value="of-add">
<input name="text"><textarea name="more"></textarea></form>
<p>one</p><script src="/static/a.js"></script>
"""


@pytest.fixture
def site(monkeypatch):
    """A site whose answers are a table of paths; what was posted is kept."""
    posted = []

    def answer(request):
        if request.method == "POST":
            posted.append((request.url.path, request.content.decode()))
            return httpx2.Response(302, headers={"location": "/"})
        if request.url.path == "/secure/":
            return httpx2.Response(301, headers={"location": "https://testserver/secure/"})
        return httpx2.Response(200 if request.url.path == "/" else 404, text=PAGE)

    client = httpx2.Client
    monkeypatch.setattr(httpx2, "Client", lambda **given: client(**given, transport=httpx2.MockTransport(answer)))
    return posted


def take(*steps):
    return list(smoke(list(steps), "http://testserver", lambda *_: ""))


def test_a_form_is_posted_with_its_own_token_and_the_answer_is_followed(site):
    assert take(Step(get="/", form={"text": "two"}, contains="one")) == ["POST /"]
    assert site == [("/add/", "csrfmiddlewaretoken=of-add&text=two")]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Step(get="/nowhere/"), "GET /nowhere/: 404, not 200 (Notes)"),
        (Step(get="/", contains="three"), "GET /: 'three' is not in the page (Notes)"),
        (Step(get="/", lacks="one"), "GET /: 'one' is in the page (Notes)"),
        (Step(get="/", grows="<p>"), "GET /: '<p>' found 1 times, then 1"),
        (Step(get="/", link=r"/static/[^\"]*"), "GET http://testserver/static/a.js: 404, and GET / refers to it"),
        (Step(get="/secure/"), "GET /secure/: 301 to https://testserver/secure/, where nothing answers"),
        (Step(manage=["shell"], prints="done"), "manage shell: printed 'nothing', not 'done'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(site, step, said):
    with pytest.raises(Wrong) as caught:
        take(step)
    assert str(caught.value) == said


def test_a_site_that_does_not_answer_yet_is_waited_for(monkeypatch):
    codes = [503, 502, 200, 503, 200, 200, 200, 200]
    client = httpx2.Client
    transport = httpx2.MockTransport(lambda _: httpx2.Response(codes.pop(0)))
    monkeypatch.setattr(httpx2, "Client", lambda **given: client(**given, transport=transport))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    assert take(Step(get="/")) == ["GET /"]
    assert codes == []
