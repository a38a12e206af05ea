"""`nuages dev` on a real node: what is saved is served, a debugger in the terminal, mail, and nothing left behind."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request

import pytest
from waiting import becomes, wait_for

pytestmark = pytest.mark.e2e
VIEWS = """
import smtplib
from django.core.mail import send_mail
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

def said(request):
    found = "WORD"
    if "stop" in request.GET:
        breakpoint()
    if "mail" in request.GET:
        send_mail("Welcome", "Hello Ada", "blog@example.com", ["ada@example.com"])
    return HttpResponse(found)

urlpatterns = [path("said/", said), *urlpatterns]
"""


@pytest.fixture
def edited(blog):
    """The blog's urls with a page of the test's own: `edited(one="other")` saves it with text replaced."""
    file = blog.folder / "blog" / "urls.py"
    before = file.read_text()

    def save(text=VIEWS, **replaced):
        for old, new in replaced.items():
            text = text.replace(old, new)
        file.write_text(before + text)

    yield save
    file.write_text(before)


@pytest.fixture
def dev(blog):
    """A terminal with `nuages dev` in it, and where it serves; Ctrl-C ends it where the test has not."""
    screen = blog.screen("dev", "--no-frontends", columns=120)
    try:
        address = screen.until(r"(http://localhost:\d+)  r restart")[1]
        screen.until(r"served after")
        yield screen, address
        if screen.process.poll() is None:
            screen.type("\x03")
            screen.ended()
    finally:
        screen.close()


def get(url, timeout=300):
    """Status and text."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def pods(kubectl, namespace="blog-local"):
    found = json.loads(kubectl("-n", namespace, "get", "pod", "-l", "app.kubernetes.io/component=run", "-o", "json"))
    return [item for item in found["items"] if "-dev-" in item["metadata"]["name"]]


def pod_of(kubectl):
    """The one that is there to stay: that of a session before may be on its way out."""
    (pod,) = [item for item in pods(kubectl) if "deletionTimestamp" not in item["metadata"]]
    return pod


def test_what_is_saved_is_served_and_a_mistake_is_shown_until_it_is_mended(dev, edited, blog):
    screen, address = dev
    for word in ("orange", "maroon"):
        edited(WORD=word)
        screen.until(r"blog/urls.py  served after")
        # A save has several steps, and on a slow machine each may be served.
        becomes((200, word), lambda: get(f"{address}/said/"))
    edited("def (")
    screen.until(r"the server ended \(exit 1\)")
    status, page = wait_for(lambda: (said := get(f"{address}/said/"))[0] == 500 and said)
    assert "SyntaxError" in page
    edited(WORD="mended")
    screen.until(r"served after")
    becomes((200, "mended"), lambda: get(f"{address}/said/"))
    status, page = get(f"{address}/nowhere")
    assert status == 404
    assert "DEBUG = True" in page
    footer = blog.folder / "posts" / "templates" / "posts" / "_footer.html"
    before = footer.read_text()
    try:
        footer.write_text(before + "<p>changed here</p>")
        screen.until(r"_footer.html  \d")
        wait_for(lambda: "changed here" in get(f"{address}/")[1])
    finally:
        footer.write_text(before)


def test_breakpoint_stops_in_the_terminal_and_mail_is_shown(dev, edited):
    import threading

    screen, address = dev
    edited(WORD="plain")
    screen.until(r"served after")
    becomes((200, "plain"), lambda: get(f"{address}/said/"))
    answers = []
    asking = threading.Thread(target=lambda: answers.append(get(f"{address}/said/?stop=1")))
    asking.start()
    screen.until(r"\(Pdb\) ")
    screen.type("found = 'from the debugger'\n")
    screen.until(r"\(Pdb\) ")
    screen.type("c\n")
    asking.join(300)
    assert answers == [(200, "from the debugger")]
    assert get(f"{address}/said/?mail=1")[0] == 200
    page = screen.until(r"mail to ada@example.com: Welcome  (\S+/-/mail/1)")[1]
    assert "Hello Ada" in get(page)[1]


def test_ctrl_c_leaves_nothing_and_what_serves_was_never_touched(dev, kubectl, blog):
    screen, _ = dev
    before = kubectl("-n", "blog-local", "get", "deploy", "-o", "jsonpath={.items[*].metadata.generation}")
    pod = pod_of(kubectl)
    status = blog.nuages("dev", code=3)
    assert re.search(r"is in \S+-dev-\S+ already, since", status.stderr)
    screen.type("\x03")
    assert screen.ended() == 0
    assert screen.restored()
    wait_for(lambda: pods(kubectl) == [])
    assert before == kubectl("-n", "blog-local", "get", "deploy", "-o", "jsonpath={.items[*].metadata.generation}")
    assert f"nuages dev {blog.status()['app']}-web-main" in blog.nuages("run", "--history").stdout
    assert pod["spec"]["containers"][0]["name"] == "dev"


def test_a_lost_pod_is_made_again_and_has_what_was_saved(dev, kubectl, edited):
    screen, address = dev
    edited(WORD="kept")
    screen.until(r"served after")
    kubectl("-n", "blog-local", "delete", "pod", pod_of(kubectl)["metadata"]["name"], "--wait=false")
    screen.until(r"another one starts")
    screen.until(r"served after")
    becomes((200, "kept"), lambda: get(f"{address}/said/"))
