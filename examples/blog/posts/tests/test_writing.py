"""Writing in the front end: who may, what becomes of the picture, and what is noted every night."""

import json
import tempfile
from pathlib import Path

from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client, TestCase, override_settings
from django.utils import timezone
from PIL import Image

from posts import tasks, thumbnails
from posts.models import DailyCount, Post
from posts.tests import content

WRITTEN = {"title": "On planes", "summary": "Short.", "body": "Some *text*."}


class Writing(TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        settings = override_settings(MEDIA_ROOT=folder.name)
        settings.enable()
        self.addCleanup(settings.disable)
        self.root = Path(folder.name)
        self.editor = User.objects.create_user("editor", password="a long one", first_name="Noor")
        self.editor.user_permissions.add(Permission.objects.get(codename="add_post"))
        self.client = Client(enforce_csrf_checks=True)

    def sign_in(self, password: str = "a long one") -> dict[str, object]:
        headers = {"X-CSRFToken": self.client.get("/api/session/").json()["csrf"]}
        sent = {"username": "editor", "password": password}
        return self.client.post("/api/session/", sent, content_type="application/json", headers=headers)

    def write(self, **fields: object):
        headers = {"X-CSRFToken": self.client.get("/api/session/").json()["csrf"]}
        return self.client.post("/api/posts/", WRITTEN | fields, headers=headers)

    def test_a_session_begins_and_ends(self):
        self.assertIsNone(self.client.get("/api/session/").json()["user"])
        self.assertEqual(self.sign_in("another").status_code, 401)
        told = self.sign_in().json()
        self.assertEqual(told["user"], {"username": "editor", "name": "Noor"})
        ended = self.client.delete("/api/session/", headers={"X-CSRFToken": told["csrf"]})
        self.assertIsNone(ended.json()["user"])

    def test_only_who_is_signed_in_and_may_writes(self):
        self.assertEqual(self.write().status_code, 401)
        self.editor.user_permissions.clear()
        self.sign_in()
        self.assertEqual(self.write().status_code, 403)
        self.assertEqual(self.client.post("/api/posts/", WRITTEN).status_code, 403)
        self.assertFalse(Post.objects.exists())

    def test_a_post_is_published_under_a_slug_of_its_own(self):
        self.sign_in()
        first, second = self.write(), self.write()
        self.assertEqual((first.status_code, first.json()["slug"]), (201, "on-planes"))
        self.assertRegex(second.json()["slug"], r"^on-planes-[0-9a-f]{8}$")
        self.assertEqual(self.client.get("/api/posts/on-planes/").json()["author"], "Noor")

    def test_what_is_wrong_is_said(self):
        self.sign_in()
        self.assertEqual(self.write(title="").json()["errors"], {"title": ["This field is required."]})
        headers = {"X-CSRFToken": self.client.get("/api/session/").json()["csrf"]}
        for sent in ("[", "[]", "{}"):
            answer = self.client.post("/api/session/", sent, content_type="application/json", headers=headers)
            self.assertEqual(answer.status_code, 400)

    def test_without_a_broker_the_thumbnail_is_made_with_the_upload(self):
        self.sign_in()
        with self.captureOnCommitCallbacks(execute=True):
            slug = self.write(image=content.picture(size=(800, 600)), image_alt="A plane").json()["slug"]
        post = Post.objects.get(slug=slug)
        self.assertEqual(post.thumbnail.name, thumbnails.name_of(post.image.name))
        with Image.open(self.root / post.thumbnail.name) as small:
            self.assertEqual(small.size, (320, 240))
        told = self.client.get(f"/api/posts/{slug}/").json()
        self.assertEqual(told["thumbnail"], f"http://testserver/media/{post.thumbnail.name}")

    def test_a_thumbnail_made_twice_is_one_and_a_lost_one_is_made_later(self):
        post = content.post(image=content.picture())
        self.assertIsNone(self.client.get("/api/posts/on-chisels/").json()["thumbnail"])
        tasks.complete_thumbnails()
        thumbnails.make(post.pk, post.image.name)
        self.assertEqual(len(list((self.root / "thumbnails").rglob("*.webp"))), 1)
        self.assertEqual(list(thumbnails.missing()), [])

    def test_a_task_of_an_image_that_is_gone_does_nothing(self):
        post = content.post(image=content.picture())
        thumbnails.make(post.pk, "posts/2020/01/other.webp")
        thumbnails.make(post.pk + 1, post.image.name)
        post.refresh_from_db()
        self.assertFalse(post.thumbnail)

    def test_the_night_is_noted_once(self):
        content.post()
        call_command("count", verbosity=0)
        content.post("Another")
        call_command("count", verbosity=0)
        noted = DailyCount.objects.get()
        self.assertEqual((noted.day, noted.posts), (timezone.localdate(), 2))
        told = json.loads(self.client.get("/api/counts/").content)["results"]
        self.assertEqual([row["posts"] for row in told], [2])
