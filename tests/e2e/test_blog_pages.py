"""The deployed blog in a real browser: what an editor and a visitor do, with scripts and styles under its policy."""

import re
import shutil
import struct
import uuid
import zlib
from collections.abc import Callable, Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

pytestmark = pytest.mark.e2e

# A browser that talks to nobody but the blog: Chromium looks for updates and its maker's services by itself.
FLAGS = [
    "--no-sandbox",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 180_000  # milliseconds; a browser beside a whole cluster may be slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "This test needs Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS, timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def blog_admin(blog: object, kubectl: Callable[..., str]) -> tuple[str, str]:
    """The admin's name and password, as the pods have them."""
    pod = ("-n", "blog-local", "exec", "deploy/blog-web-main", "-c", "web", "--", "printenv")
    name, password = kubectl(*pod, "DJANGO_SUPERUSER_USERNAME", "DJANGO_SUPERUSER_PASSWORD").split()
    return name, password


@pytest.fixture
def page(browser: Browser, blog_url: str) -> Iterator[Page]:
    """A new visitor; the test fails where the console had an error, one about the content security policy too."""
    context = browser.new_context(base_url=blog_url)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def test_an_editor_writes_a_post_with_a_picture_and_everybody_sees_it(
    page: Page, blog_url: str, blog_admin: tuple[str, str]
) -> None:
    title = f"Written by a browser {uuid.uuid4().hex[:8]}"
    sign_in(page, blog_admin)
    path = write_post(page, title)

    page.goto("/")
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    page.goto(path)
    expect(page.locator(".prose em")).to_have_text("truly")
    picture = page.get_by_role("img", name="A teal square")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 64

    # Each connection may reach another pod: all of them read the same folder and the same database.
    address = httpx2.URL(blog_url).join(picture.get_attribute("src") or "")
    bodies = {httpx2.get(address, trust_env=False, timeout=60).raise_for_status().content for _ in range(12)}
    assert len(bodies) == 1


def test_a_comment_is_seen_once_a_moderator_approved_it(page: Page, blog_admin: tuple[str, str]) -> None:
    words = f"Well said {uuid.uuid4().hex[:8]}"
    sign_in(page, blog_admin)
    path = write_post(page, f"To be discussed {uuid.uuid4().hex[:8]}")

    page.goto(path)
    page.get_by_label("Name").fill("Mirela")
    page.get_by_label("Comment", exact=True).fill(words)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you")
    expect(page.get_by_text(words)).to_have_count(0)

    page.goto(f"/admin/posts/comment/?q={words}")
    page.locator("input.action-select").check()
    page.get_by_label("Action:").select_option(label="Approve the selected comments")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_text("Approved: 1.")).to_be_visible()
    page.goto(path)
    expect(page.get_by_text(words)).to_be_visible()


def test_the_pages_say_who_served_them_and_the_slash_key_searches(page: Page) -> None:
    for path in ("/", "/about/"):
        page.goto(path)
        expect(page.locator("[data-host]")).not_to_be_empty()
        expect(page.locator("[data-release]")).not_to_be_empty()
    page.keyboard.press("/")
    page.keyboard.type("bread")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("bread")


def sign_in(page: Page, admin: tuple[str, str]) -> None:
    name, password = admin
    page.goto("/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Editorial desk")).to_be_visible()


def write_post(page: Page, title: str) -> str:
    """Publish a post with a picture, and say where it is; the slug is filled in by the admin's own script."""
    page.goto("/admin/posts/post/add/")
    page.get_by_label("Title").press_sequentially(title)
    expect(page.get_by_label("Slug")).to_have_value(re.compile(f"{title[-8:]}$"))
    page.get_by_label("Summary").fill("Typed, pictured and published by a program.")
    page.get_by_label("Body").fill("It *truly* works.")
    page.get_by_label("Image:", exact=True).set_input_files(
        {"name": "square.png", "mimeType": "image/png", "buffer": teal_square(64)}
    )
    page.get_by_label("Description of the image").fill("A teal square")
    page.get_by_label("Status").select_option("published")
    slug = page.get_by_label("Slug").input_value()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_contain_text("was added successfully")
    return f"/posts/{slug}/"


def teal_square(side: int) -> bytes:
    """A PNG of one colour, written by hand so that the test needs no imaging library."""
    rows = (b"\0" + b"\x00\x80\x80" * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
