"""The blog's front end on a real cluster: built by Node, served by nginx under /app, and used in a real browser."""

from __future__ import annotations

import shutil
import struct
import zlib

import httpx2
import pytest
from playwright.sync_api import expect, sync_playwright
from project import blog_in
from waiting import steady, wait_for

pytestmark = pytest.mark.e2e

HOST = "front.localhost"
FLAGS = ["--no-sandbox", "--no-first-run", "--no-proxy-server", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 180_000  # milliseconds; a browser beside a whole cluster may be slow
SPA = "frontends:\n  spa: {directory: web, command: [npm, run, build], output: dist/spa, routes: [/app/]}\n"
# In place of ours: its own header, and nothing else of what a front end wants.
THEIRS = """
server {
    listen 8080;
    root /usr/share/nginx/html;
    add_header X-Configured-By somebody-else always;
    location = /-/ready { return 204; }
    location /app/ { rewrite ^/app(/.*)$ $1 break; try_files $uri /index.html; }
}
"""


@pytest.fixture(scope="module")
def site(cluster, kubectl, tmp_path_factory):
    """The blog with its front end, and static files from an nginx; its address, and the admin's name and password."""
    namespace = "test-front-ends"
    project = blog_in(tmp_path_factory.mktemp("front") / "blog", cluster, namespace)
    project.edit(
        **{
            "kind: loadBalancer, hosts: [blog.localhost]": f"kind: ingress, class: traefik, hosts: [{HOST}]",
            "replicas: 3": "replicas: 1",
            "media:\n": f"{SPA}static: {{nginx: {{}}}}\nmedia:\n",
        }
    )
    url = project.nuages("deploy").stdout.split()[-1]
    pod = ("-n", namespace, "exec", "deploy/blog-web-main", "-c", "web", "--")
    kubectl(*pod, "python", "manage.py", "createsuperuser", "--noinput")
    admin = kubectl(*pod, "printenv", "DJANGO_SUPERUSER_USERNAME", "DJANGO_SUPERUSER_PASSWORD").split()
    port = url.rpartition(":")[2]
    with httpx2.Client(
        base_url=f"http://127.0.0.1:{port}", headers={"Host": HOST}, trust_env=False, timeout=60
    ) as http:
        for path in ("/app/", "/api/posts/", "/static/posts/blog.css"):  # each has endpoints of its own to learn
            steady(lambda path=path: http.get(path).status_code == 200)
        yield project, f"http://{HOST}:{port}", http, admin
    kubectl("delete", "namespace", namespace, "--wait=false")


def test_pages_are_asked_for_again_and_files_with_a_hash_are_kept(site):
    _, _, http, _ = site
    page = http.get("/app/")
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert http.get("/app/", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
    script = page.text.partition('type="module" crossorigin src="')[2].partition('"')[0]
    answer = http.get(script, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    # Any page of the front end is its index.html; a script that is gone is none.
    assert http.get("/app/posts/some-post").text == page.text
    assert http.get("/app/assets/gone-0oHMVgyk.js").status_code == 404
    assert http.get("/static/posts/blog.css").headers["server"] == "nginx"
    assert http.get("/api/posts/").headers["content-type"] == "application/json"


def test_a_post_with_a_picture_is_written_in_the_browser_and_everybody_sees_it(site):
    _, url, http, (name, password) = site
    chromium = shutil.which("chromium")
    assert chromium, "This test needs Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS, timeout=PATIENCE)
        page = browser.new_page(base_url=url)
        page.set_default_timeout(PATIENCE)
        errors: list[str] = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))

        page.goto("/app/write")  # who is not signed in is asked to, and comes back
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(password)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Write")).to_be_visible()

        page.get_by_label("Title").fill("Written in the front end")
        page.get_by_label("Summary").fill("Typed by a program.")
        page.get_by_label("Text").fill("It *truly* works.")
        page.locator("input[type=file]").set_input_files(
            {"name": "square.png", "mimeType": "image/png", "buffer": square(600)}
        )
        page.get_by_label("What it shows").fill("A teal square")
        page.get_by_role("button", name="Publish").click()

        expect(page.get_by_role("heading", name="Written in the front end")).to_be_visible()
        expect(page.locator(".prose em")).to_have_text("truly")
        small = page.get_by_role("img", name="Thumbnail")
        expect(small).to_be_visible()
        assert 0 < small.evaluate("image => image.decode().then(() => image.naturalWidth)") < 600

        page.reload()  # a path of the front end's own
        expect(page.get_by_role("heading", name="Written in the front end")).to_be_visible()
        page.goto("/app/")
        expect(page.get_by_role("link", name="Written in the front end")).to_be_visible()
        browser.close()
    assert errors == []
    assert http.get("/api/posts/").json()["results"][0]["title"] == "Written in the front end"


def test_a_config_map_of_its_own_configures_nginx_without_a_build(site, kubectl):
    project, _, http, _ = site
    before = kubectl("-n", "test-front-ends", "get", "deploy/blog-frontend-spa", "-o", "jsonpath={..image}")
    project.edit(**{"routes: [/app/]}": "routes: [/app/], nginx: {configMap: theirs}}"})
    refused = project.nuages("deploy", code=3)
    assert "there is no ConfigMap theirs in test-front-ends" in refused.stderr
    kubectl("-n", "test-front-ends", "create", "configmap", "theirs", f"--from-literal=default.conf={THEIRS}")
    project.nuages("deploy")
    wait_for(lambda: http.get("/app/").headers.get("x-configured-by") == "somebody-else")
    after = kubectl("-n", "test-front-ends", "get", "deploy/blog-frontend-spa", "-o", "jsonpath={..image}")
    assert after == before


def square(side: int) -> bytes:
    """A PNG of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x00\x80\x80" * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
