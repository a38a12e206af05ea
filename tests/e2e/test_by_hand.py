"""What one does by hand to what runs: enter, copy, forward, scale, restart, another key, a page in front."""

from __future__ import annotations

import http.cookiejar
import json
import re
import signal
import urllib.parse
import urllib.request

import pytest
from waiting import becomes, status_of, wait_for

pytestmark = pytest.mark.e2e


@pytest.fixture
def webs(kubectl):
    """The names of the web's pods that are not on their way out."""

    def there():
        found = json.loads(kubectl("-n", "blog-local", "get", "pod", "-l", "nuages.dev/key=main", "-o", "json"))[
            "items"
        ]
        return {pod["metadata"]["name"] for pod in found if "deletionTimestamp" not in pod["metadata"]}

    return there


def test_a_command_in_a_pod_that_serves_has_its_streams_and_exit_code(blog):
    done = blog.nuages("exec", "web", "--", "sh", "-c", "cat; echo err >&2; exit 7", text="in\n", code=7)
    assert done.stdout == "in\n"
    assert "err\n" in done.stderr
    assert "serves meanwhile; nuages run" in done.stderr
    assert "did you mean web?" in blog.nuages("exec", "wep", "--", "true", code=2).stderr
    assert "exit 7" in blog.nuages("run", "--history").stdout.splitlines()[0]


def test_who_leaves_takes_the_command_along(blog):
    count = ("exec", "web", "--", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'sleep 4[2]42'; true")
    process = blog.start("exec", "web", "--", "sleep", "4242")
    wait_for(lambda: blog.nuages(*count).stdout.strip() != "0")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=300)
    assert process.returncode == 130
    wait_for(lambda: blog.nuages(*count).stdout.strip() == "0")


def test_a_shell_in_a_pod_that_serves_has_a_terminal(blog):
    shell = blog.screen("exec", "web", columns=91, rows=33)
    shell.until(r"[$#] ")
    becomes("33 91", shell.size)
    shell.type("exit 42\r")
    assert shell.ended() == 42
    assert shell.restored()
    shell.close()


def test_files_go_in_and_come_out_whole_or_not_at_all(blog, tmp_path):
    folder = tmp_path / "there"
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "bytes").write_bytes(bytes(range(256)) * 4000)
    blog.nuages("cp", str(folder), "web:/tmp/copied")
    blog.nuages("cp", "web:/tmp/copied", str(tmp_path / "back"))
    assert (tmp_path / "back/below/bytes").read_bytes() == (folder / "below/bytes").read_bytes()
    assert "there is no such file" in blog.nuages("cp", "web:/nosuch", str(tmp_path), code=2).stderr
    refused = blog.nuages("cp", str(folder / "below/bytes"), "web:/srv/", code=1)
    assert "Read-only file system" in refused.stderr
    blog.nuages("exec", "web", "--", "rm", "-r", "/tmp/copied")


def test_a_port_leads_to_a_pod_that_is_ready_though_the_one_before_is_gone(blog, kubectl):
    process = blog.start("proxy", ":http", "--json")
    opened = json.loads(process.stdout.readline())
    url = f"http://{opened['address']}/-/ready"
    assert [status_of(url) for _ in range(3)] == [200, 200, 200]
    kubectl("-n", "blog-local", "delete", "pod", opened["pod"], "--grace-period=1", "--wait=true")
    becomes(200, lambda: status_of(url))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0
    assert "goes on" in err


def test_a_number_of_pods_holds_until_the_next_release_says_so(blog, webs):
    done = blog.nuages("scale", "web=2")
    assert "until the next release, which brings 3 back" in done.stdout
    becomes(2, lambda: len(webs()))
    assert "app.E101" in blog.nuages("scale", "web=500", code=3).stderr
    assert "as release" in blog.nuages("scale", "--reset", "web").stdout
    becomes(3, lambda: len(webs()))


def test_a_restart_leaves_no_pod_of_before(blog, webs):
    before = webs()
    assert "restarted: web-main" in blog.nuages("restart").stdout
    wait_for(lambda: not before & webs())


def test_a_session_survives_another_key_and_its_finish(blog, blog_url, kubectl):
    held = kubectl(
        "-n", "blog-local", "get", "secret", "blog-secrets", "-o",
        'go-template={{index .data "DJANGO_SUPERUSER_PASSWORD" | base64decode}}',
    )  # fmt: skip
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    page = browser.open(f"{blog_url}/admin/login/", timeout=60).read().decode()
    token = re.search('csrfmiddlewaretoken" value="([^"]+)', page)[1]
    form = {"username": "admin", "password": held, "csrfmiddlewaretoken": token, "next": "/admin/"}
    browser.open(f"{blog_url}/admin/login/", urllib.parse.urlencode(form).encode(), timeout=60)
    assert "signs with a new SECRET_KEY" in blog.nuages("secrets", "rotate", "SECRET_KEY").stdout
    # One that is on its way out would answer by the old key, and the session go on with that.
    leaving = ("-n", "blog-local", "get", "pod", "-o", "jsonpath={.items[*].metadata.deletionTimestamp}")
    wait_for(lambda: not kubectl(*leaving))
    assert wait_for(lambda: browser.open(f"{blog_url}/admin/", timeout=60).url) == f"{blog_url}/admin/"
    blog.nuages("secrets", "rotate", "SECRET_KEY", "--finish")
    assert wait_for(lambda: browser.open(f"{blog_url}/admin/", timeout=60).url) == f"{blog_url}/admin/"
    assert "no key is left over" in blog.nuages("secrets", "rotate", "SECRET_KEY", "--finish", code=3).stderr


def test_a_page_stands_in_front_but_for_staff_and_health_checks(blog, blog_url, tmp_path):
    (tmp_path / "page.html").write_text("<h1>Back at noon</h1>")
    blog.nuages("maintenance", "on", "--page", str(tmp_path / "page.html"))
    try:
        wait_for(lambda: status_of(blog_url) == 503)
        secret = blog.nuages("maintenance", "--link").stdout.strip().rpartition("/")[2]
        wait_for(lambda: status_of(blog_url, {"X-Nuages-Bypass": secret}) == 200)
        becomes(200, lambda: status_of(f"{blog_url}/-/ready"))
        assert json.loads(blog.nuages("maintenance", "--json").stdout)["on"]
    finally:
        blog.nuages("maintenance", "off")
    wait_for(lambda: status_of(blog_url) == 200)
    assert blog.nuages("maintenance").stdout == "maintenance is off\n"
