from django.test import Client, TestCase

from posts.models import Comment
from posts.tests import content


class Comments(TestCase):
    def setUp(self):
        self.post = content.post()
        self.url = self.post.get_absolute_url()

    def test_a_comment_waits_until_it_is_approved(self):
        response = self.client.post(self.url, {"name": "Mirela", "body": "Well said."}, follow=True)
        self.assertRedirects(response, f"{self.url}#comments")
        self.assertContains(response, "once it was read by a moderator")
        self.assertNotContains(response, "Well said.")
        Comment.objects.update(status=Comment.Status.APPROVED)
        self.assertContains(self.client.get(self.url), "Well said.")

    def test_what_is_missing_is_said_and_what_was_written_is_kept(self):
        response = self.client.post(self.url, {"name": "", "body": "I forgot my name."})
        self.assertContains(response, "This field is required.", status_code=422)
        self.assertContains(response, "I forgot my name.", status_code=422)

    def test_a_program_that_fills_in_every_field_is_thanked_and_ignored(self):
        response = self.client.post(self.url, {"name": "Bot", "body": "Buy!", "website": "http://x"})
        self.assertEqual(response.status_code, 302)
        self.assertFalse(Comment.objects.exists())

    def test_the_form_is_protected_against_other_sites(self):
        strict = Client(enforce_csrf_checks=True)
        response = strict.post(self.url, {"name": "Mirela", "body": "Well said."})
        self.assertContains(response, "Not accepted", status_code=403)

    def test_a_comment_is_text_and_never_markup(self):
        content.comment(self.post, "<img src=x onerror=alert(1)>")
        self.assertNotContains(self.client.get(self.url), "<img src=x")
