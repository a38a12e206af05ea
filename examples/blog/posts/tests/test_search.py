from unittest import skipUnless

from django.db import connection
from django.test import TestCase

from posts.tests import content


class Search(TestCase):
    def setUp(self):
        content.post("Sharpening chisels", body="A dull tool slips.")
        content.post("Rye bread", body="It rises slowly, as a chisel never does.")

    def found(self, words: str) -> list[str]:
        return [post.title for post in self.client.get("/search/", {"q": words}).context["page"]]

    def test_all_words_have_to_occur(self):
        self.assertEqual(self.found("dull tool"), ["Sharpening chisels"])
        self.assertEqual(self.found("dull bread"), [])

    def test_no_words_find_nothing_and_odd_ones_break_nothing(self):
        for words in ("", "   ", "'; drop table", "a\x00b", '"unclosed', "& | !", "x" * 5000):
            self.assertEqual(self.found(words), [])

    def test_the_words_are_shown_escaped(self):
        response = self.client.get("/search/", {"q": "<b>bold</b>"})
        self.assertContains(response, "&lt;b&gt;bold&lt;/b&gt;")
        self.assertNotContains(response, "<b>bold</b>")

    @skipUnless(connection.vendor == "postgresql", "full-text search is PostgreSQL's")
    def test_postgresql_finds_word_forms_and_ranks_titles_first(self):
        self.assertEqual(self.found("chisel"), ["Sharpening chisels", "Rye bread"])
        self.assertEqual(self.found("rising"), ["Rye bread"])
        self.assertEqual(self.found("chisel -bread"), ["Sharpening chisels"])
