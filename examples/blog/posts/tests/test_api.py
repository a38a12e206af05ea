from django.test import Client, TestCase

from posts.models import Comment, Post
from posts.tests import content


class Api(TestCase):
    def test_posts_come_in_pages_with_links_between_them(self):
        for number in range(5):
            content.post(f"Number {number}", tags=("Wood", "Craft"))
        with self.assertNumQueries(3):
            first = self.client.get("/api/posts/?page_size=2&tag=wood").json()
        self.assertEqual((first["count"], len(first["results"]), first["previous"]), (5, 2, None))
        second = self.client.get(first["next"]).json()
        self.assertEqual(second["previous"], "http://testserver/api/posts/?page_size=2&tag=wood&page=1")

    def test_a_size_that_makes_no_sense_is_the_nearest_or_the_usual_one(self):
        for number in range(12):
            content.post(f"Number {number}")
        for asked, given in (("0", 1), ("99999", 12), ("-1", 10), ("x", 10), ("9" * 5000, 10)):
            self.assertEqual(len(self.client.get("/api/posts/", {"page_size": asked}).json()["results"]), given)

    def test_a_post_comes_with_its_source_and_its_html(self):
        content.post()
        data = self.client.get("/api/posts/on-chisels/").json()
        self.assertEqual((data["body"], data["html"]), ("Some *text*.", "<p>Some <em>text</em>.</p>\n"))
        self.assertEqual(data["page"], "http://testserver/posts/on-chisels/")

    def test_a_draft_is_not_there(self):
        content.post("Unfinished", status=Post.Status.DRAFT, published_at=None)
        self.assertEqual(self.client.get("/api/posts/").json()["count"], 0)
        self.assertEqual(self.client.get("/api/posts/unfinished/").status_code, 404)

    def test_a_tag_or_words_that_make_no_sense_find_nothing(self):
        content.post(tags=("Wood",))
        for query in ("tag=%00x", "tag=none", "q=%00none", "q=%ff"):
            self.assertEqual(self.client.get(f"/api/posts/?{query}").json()["count"], 0, query)

    def test_search_words_narrow_the_list(self):
        content.post("Rye bread")
        content.post("Chisels")
        self.assertEqual(self.client.get("/api/posts/?q=bread").json()["count"], 1)


class ApiComments(TestCase):
    def setUp(self):
        self.post = content.post()
        self.url = "/api/posts/on-chisels/comments/"

    def send(self, data: object, **options: object):
        return Client(enforce_csrf_checks=True).post(self.url, data, content_type="application/json", **options)

    def test_only_approved_ones_are_listed_and_without_the_address(self):
        content.comment(self.post)
        content.comment(self.post, "Buy!", status=Comment.Status.PENDING)
        data = self.client.get(self.url).json()
        self.assertEqual([comment["body"] for comment in data["results"]], ["Well said."])
        self.assertEqual(set(data["results"][0]), {"id", "name", "body", "created_at"})

    def test_a_new_one_is_accepted_and_waits(self):
        response = self.send({"name": "Mirela", "email": "m@example.org", "body": "Well said."})
        self.assertEqual((response.status_code, response.json()["status"]), (202, "pending"))
        self.assertEqual(Comment.objects.get().status, Comment.Status.PENDING)

    def test_nobody_approves_his_own(self):
        self.send({"name": "Bot", "body": "Buy!", "status": "approved"})
        self.assertEqual(Comment.objects.get().status, Comment.Status.PENDING)

    def test_what_is_wrong_is_said(self):
        self.assertEqual(self.send({"name": "Mirela"}).json()["errors"], {"body": ["This field is required."]})
        self.assertEqual(self.send({"name": ["x"], "body": 3}).status_code, 422)
        self.assertEqual(self.send("[1]").status_code, 400)
        self.assertEqual(self.send("not json").status_code, 400)
        self.assertEqual(self.send(b"\xff").status_code, 400)
        self.assertEqual(self.send("[" * 100_000).status_code, 400)
        self.assertEqual(self.send(r'{"name": "A", "body": "half a character: \ud800"}').status_code, 400)
        self.assertEqual(self.send({"name": "A", "body": "a NUL: \x00"}).status_code, 422)
        self.assertEqual(self.client.post(self.url, {"name": "A", "body": "B"}).status_code, 415)
        self.assertEqual(self.client.delete(self.url).status_code, 405)
        self.assertFalse(Comment.objects.exists())
