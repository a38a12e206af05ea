from django.contrib.auth.models import User
from django.test import TestCase

from posts.models import Comment, Post
from posts.tests import content


class Desk(TestCase):
    def setUp(self):
        self.admin = User.objects.create_superuser("admin")
        self.client.force_login(self.admin)

    def act(self, model: str, action: str, *rows: Post | Comment):
        data = {"action": action, "_selected_action": [row.pk for row in rows]}
        return self.client.post(f"/admin/posts/{model}/", data, follow=True)

    def test_publishing_sets_the_date_once(self):
        dated = content.post("Dated", status=Post.Status.DRAFT)
        undated = content.post("Undated", status=Post.Status.DRAFT, published_at=None)
        self.assertContains(self.act("post", "publish", dated, undated), "Published: 2.")
        self.assertEqual(Post.objects.get(pk=dated.pk).published_at, dated.published_at)
        self.assertIsNotNone(Post.objects.get(pk=undated.pk).published_at)

    def test_a_post_can_be_taken_back(self):
        post = content.post()
        self.act("post", "unpublish", post)
        self.assertFalse(Post.objects.published().exists())

    def test_a_post_is_written_and_published_in_the_form(self):
        form = {
            "title": "Fresh",
            "slug": "fresh",
            "summary": "New.",
            "body": "Text",
            "status": "published",
            "author": self.admin.pk,
            "comments-TOTAL_FORMS": 0,
            "comments-INITIAL_FORMS": 0,
        }
        self.client.post("/admin/posts/post/add/", form)
        self.assertTrue(Post.objects.get(slug="fresh").is_public)

    def test_comments_are_approved_and_marked_as_spam(self):
        post = content.post()
        good = content.comment(post, status=Comment.Status.PENDING)
        bad = content.comment(post, status=Comment.Status.PENDING)
        self.act("comment", "approve", good)
        self.act("comment", "mark_as_spam", bad)
        self.assertEqual(list(Comment.objects.approved()), [good])
        self.assertEqual(Comment.objects.get(pk=bad.pk).status, Comment.Status.SPAM)

    def test_lists_and_forms_open_and_count_what_waits(self):
        for number in range(3):
            content.comment(content.post(f"Number {number}", tags=("Wood",)), status=Comment.Status.PENDING)
        for path in ("post/", "comment/", "tag/", "post/add/", f"post/{Post.objects.first().pk}/change/"):
            self.assertEqual(self.client.get(f"/admin/posts/{path}").status_code, 200, path)
        waiting = '<td class="field-waiting_comments">1</td>'
        self.assertContains(self.client.get("/admin/posts/post/"), waiting, count=3, html=True)
