from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import TestCase, override_settings
from django.utils import timezone

from posts.models import Post
from posts.tests import content


class Lists(TestCase):
    def test_only_what_is_published_by_now_is_listed(self):
        content.post("Public")
        content.post("Unfinished", status=Post.Status.DRAFT, published_at=None)
        content.post("Tomorrow", published_at=timezone.now() + timedelta(days=1))
        response = self.client.get("/")
        self.assertContains(response, "Public")
        self.assertNotContains(response, "Unfinished")
        self.assertNotContains(response, "Tomorrow")

    def test_the_newest_comes_first(self):
        now = timezone.now()
        for title, days in (("Older", 2), ("Newest", 1), ("Oldest", 3)):
            content.post(title, tags=("Wood",), published_at=now - timedelta(days=days))
        for path in ("/", "/tags/wood/", "/search/?q=text"):
            titles = [post.title for post in self.client.get(path).context["page"]]
            self.assertEqual(titles, ["Newest", "Older", "Oldest"], path)

    def test_a_long_list_takes_as_few_queries_as_a_short_one(self):
        for number in range(12):
            content.comment(content.post(f"Number {number}", tags=("Wood", "Craft")))
        with self.assertNumQueries(4):  # count, posts, their tags, all tags
            response = self.client.get("/?page=2")
        self.assertContains(response, "Page 2 of 3")
        self.assertContains(response, 'href="?page=3"')

    def test_a_page_that_makes_no_sense_is_the_nearest_one(self):
        content.post()
        for page in ("0", "-3", "99", "x"):
            self.assertContains(self.client.get("/", {"page": page}), "On chisels")

    def test_a_tag_lists_its_posts_and_counts_comments_right(self):
        post = content.post("Tusk tenons", tags=("Wood", "Craft"))
        content.comment(post)
        content.comment(post)
        content.post("Rye", tags=("Bread",))
        response = self.client.get("/tags/wood/")
        self.assertContains(response, "2 comments")
        self.assertNotContains(response, "Rye")
        self.assertEqual(self.client.get("/tags/none/").status_code, 404)

    def test_an_unchanged_list_is_not_sent_twice(self):
        content.post()
        first = self.client.get("/")
        self.assertEqual(first["Cache-Control"], "public, no-cache")
        self.assertEqual(self.client.get("/", headers={"if-none-match": first["ETag"]}).status_code, 304)

    def test_a_visitor_who_only_reads_lists_gets_no_cookie(self):
        self.assertFalse(self.client.get("/").cookies)


class Details(TestCase):
    def test_a_post_shows_its_text_comments_and_neighbours_in_bounded_queries(self):
        now = timezone.now()
        content.post("Before", published_at=now - timedelta(days=3))
        post = content.post("Middle", published_at=now - timedelta(days=2), tags=("Wood",))
        content.post("After", published_at=now - timedelta(days=1))
        for number in range(9):
            content.comment(post, f"Number {number}")
        with self.assertNumQueries(5):  # post, tags, older, newer, comments
            response = self.client.get(post.get_absolute_url())
        self.assertContains(response, "Some <em>text</em>.")
        self.assertContains(response, "9 comments")
        self.assertEqual(response.context["older"].title, "Before")
        self.assertEqual(response.context["newer"].title, "After")
        self.assertEqual(response["Cache-Control"], "private, no-cache")

    def test_markdown_lets_no_html_and_no_script_link_through(self):
        post = content.post(body="<script>alert(1)</script>\n\n[go](javascript:alert)")
        response = self.client.get(post.get_absolute_url())
        self.assertNotContains(response, "<script>alert")
        self.assertNotContains(response, 'href="javascript')

    def test_a_post_can_be_read_and_commented_and_nothing_else(self):
        self.assertEqual(self.client.put(content.post().get_absolute_url()).status_code, 405)

    def test_a_draft_is_for_editors_alone(self):
        draft = content.post("Unfinished", status=Post.Status.DRAFT, published_at=None)
        self.assertEqual(self.client.get(draft.get_absolute_url()).status_code, 404)
        self.client.force_login(User.objects.create_superuser("admin"))
        self.assertContains(self.client.get(draft.get_absolute_url()), "only editors see this page")
        self.assertEqual(self.client.post(draft.get_absolute_url(), {"name": "A", "body": "B"}).status_code, 404)


class Everywhere(TestCase):
    def test_the_foot_says_who_served_it_and_the_header_its_colour(self):
        with override_settings(RELEASE="17", COLOR="maroon"):
            for path in ("/", "/about/"):
                response = self.client.get(path)
                self.assertContains(response, '<span class="served" data-release>17</span>', html=True)
                self.assertContains(response, 'data-color="maroon"')

    def test_every_page_has_the_security_headers(self):
        response = self.client.get("/")
        self.assertIn("default-src 'self'", response["Content-Security-Policy"])
        self.assertEqual(response["X-Frame-Options"], "DENY")
        self.assertEqual(response["X-Content-Type-Options"], "nosniff")

    def test_an_unknown_page_is_a_page_of_ours(self):
        self.assertContains(self.client.get("/nowhere/"), "There is no page at this address", status_code=404)

    def test_the_about_page_counts_in_four_queries_or_less(self):
        content.comment(content.post())
        with self.assertNumQueries(3):
            self.assertContains(self.client.get("/about/"), "Posts by month")

    def test_browsers_find_the_icon_without_being_told(self):
        self.assertTrue(self.client.get("/favicon.ico")["Location"].endswith(".svg"))

    def test_robots_and_sitemap_name_what_is_public(self):
        content.post()
        self.assertContains(self.client.get("/robots.txt"), "Sitemap: http://testserver/sitemap.xml")
        self.assertContains(self.client.get("/sitemap.xml"), "http://testserver/posts/on-chisels/")

    def test_both_feeds_carry_the_whole_post(self):
        content.post(tags=("Wood",))
        for path, kind in (("/feeds/rss.xml", "application/rss+xml"), ("/feeds/atom.xml", "application/atom+xml")):
            with self.assertNumQueries(2):
                response = self.client.get(path)
            self.assertTrue(response["Content-Type"].startswith(kind))
            self.assertContains(response, "Some &lt;em&gt;text&lt;/em&gt;")
            self.assertEqual(response["Cache-Control"], "public, max-age=300")

    def test_the_demo_content_can_be_loaded_twice(self):
        for _ in range(2):
            call_command("loaddata", "demo", verbosity=0)
        self.assertEqual(Post.objects.published().count(), 8)
        self.assertContains(self.client.get("/"), settings.SITE_TAGLINE)
