"""`nuages dev` in its pod: files take their places at once, settings for development, mail as pages."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from nuages_runtime.dev import letters
from nuages_runtime.dev.copied import copy
from nuages_runtime.dev.files import Tree, restarts
from nuages_runtime.dev.settings import BACKEND, developing
from nuages_runtime.overlay.change import World


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "app").mkdir()
    return Tree(tmp_path / "app", tmp_path)


def put(tree, path, text, **other):
    tree.put(path, text, mode=0o644, first=True, **other)


def test_nothing_changes_before_all_of_it_is_there(tree):
    put(tree, "blog/views.py", b"one ")
    tree.put("blog/views.py", b"two", mode=0o644, first=False)
    assert tree.listing() == {}
    assert tree.commit() == ["blog/views.py"]
    assert (tree.root / "blog" / "views.py").read_text() == "one two"


def test_byte_code_of_what_changed_goes_and_a_folder_that_is_empty(tree):
    put(tree, "blog/views.py", b"1")
    tree.commit()
    compiled = tree.root / "blog" / "__pycache__" / "views.cpython-313.pyc"
    compiled.parent.mkdir()
    compiled.write_bytes(b"")
    put(tree, "blog/views.py", b"2")
    tree.commit()
    assert not compiled.exists()
    compiled.write_bytes(b"")
    tree.remove("blog/views.py")
    tree.commit()
    assert not (tree.root / "blog").exists()


def test_a_file_may_become_a_folder_and_a_folder_a_file(tree):
    put(tree, "one", b"")
    put(tree, "two/in.py", b"")
    tree.commit()
    tree.remove("two/in.py")
    put(tree, "one/in.py", b"")
    put(tree, "two", b"")
    tree.commit()
    assert sorted(tree.listing()) == ["one/in.py", "two"]


@pytest.mark.parametrize("path", ["/etc/passwd", "../outside", "blog/../../outside"])
def test_nothing_goes_outside_of_the_project(tree, path):
    with pytest.raises(ValueError, match="not in the project"):
        put(tree, path, b"")


def test_what_is_read_once_restarts_the_server_and_a_template_does_not():
    assert restarts("blog/urls.py")
    assert not restarts("posts/templates/x.html")
    assert not restarts("posts/static/x.css")


def test_a_copy_has_everything_but_byte_code(tmp_path):
    source = tmp_path / "from"
    (source / "blog" / "__pycache__").mkdir(parents=True)
    (source / "blog" / "__pycache__" / "x.pyc").write_bytes(b"")
    (source / "blog" / "x.py").write_text("x")
    (source / "link").symlink_to("blog/x.py")
    (source / "folder").symlink_to("blog")
    copy(source, tmp_path / "to")
    copied = sorted(str(path.relative_to(tmp_path / "to")) for path in (tmp_path / "to").rglob("*"))
    assert copied == ["blog", "blog/x.py", "folder", "link"]
    assert (tmp_path / "to" / "link").read_text() == "x"


def changes(own, **environ):
    world = World(own, {"NUAGES_DEV": "1", **environ}, (5, 2), lambda _: True, "/app")
    return {change.setting: change.value for change in developing(world)}


def test_settings_while_it_is_developed():
    own = {
        "DEBUG": False,
        "ALLOWED_HOSTS": ("blog.example.com",),
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 9,
    }
    assert changes(own) == {
        "DEBUG": True,
        "ALLOWED_HOSTS": ["blog.example.com", "localhost", ".localhost", "127.0.0.1", "[::1]"],
        "SECURE_SSL_REDIRECT": False,
        "SECURE_HSTS_SECONDS": 0,
        "EMAIL_BACKEND": BACKEND,
    }
    assert changes({"DEBUG": True, "ALLOWED_HOSTS": ["*"], "MAILERS": {"default": {"BACKEND": "smtp"}}}) == {
        "MAILERS": {"default": {"BACKEND": BACKEND}}
    }
    assert list(developing(World(own, {}, (5, 2), lambda _: True, "/app"))) == []


@pytest.fixture
def mailbox(tmp_path):
    message = EmailMessage()
    message["Subject"], message["To"] = "<b>Welcome</b>", "ada@example.com"
    message.set_content("Hello <Ada>")
    message.add_alternative('<script>alert(1)</script><p class="x">Hello</p>', subtype="html")
    (tmp_path / "1.eml").write_bytes(message.as_bytes())
    return tmp_path


def test_mail_is_shown_and_may_do_nothing(mailbox):
    status, headers, body = letters.page("/-/mail/1", "localhost:8000", mailbox)
    assert status == "200 OK"
    assert b"Hello &lt;Ada&gt;" in body
    assert b"<script>" not in body
    assert b"<iframe sandbox" in body
    assert "default-src 'none'" in dict(headers)["Content-Security-Policy"]
    assert b"&lt;b&gt;Welcome" in letters.page("/-/mail", "localhost:8000", mailbox)[2]


@pytest.mark.parametrize("path", ["/-/mail/2", "/-/mail/x", "/-/mail/../1"])
def test_a_message_that_is_not_there_is_no_file(mailbox, path):
    assert letters.page(path, "localhost:8000", mailbox)[0] == "404 Not Found"


def test_all_else_is_the_projects(mailbox):
    assert letters.page("/mail", "localhost:8000", mailbox) is None


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "blog.localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_mail_is_shown_to_who_asks_for_this_machine(mailbox, host):
    assert letters.page("/-/mail", host, mailbox)[0] == "200 OK"


@pytest.mark.parametrize(
    "host", ["evil.example.com:8000", "localhost.example.com", "127.0.0.1.example.com", "[::2]", ""]
)
def test_mail_is_no_page_of_a_name_that_was_made_to_lead_here(mailbox, host):
    assert letters.page("/-/mail", host, mailbox) is None
    assert letters.page("/-/mail/1", host, mailbox) is None
