import tempfile
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase, override_settings
from PIL import Image

from posts import images
from posts.models import Post
from posts.tests import content

# What a form says to these files; Django's own ImageField comes before our rules.
clean = Post._meta.get_field("image").formfield().clean


class Uploads(TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        settings = override_settings(MEDIA_ROOT=folder.name)
        settings.enable()
        self.addCleanup(settings.disable)
        self.root = Path(folder.name)

    def test_jpeg_png_and_webp_are_taken(self):
        for kind in ("JPEG", "PNG", "WEBP"):
            clean(content.picture(f"photo.{kind.lower()}", kind))

    def test_other_files_are_refused_whatever_their_name_says(self):
        script = SimpleUploadedFile("photo.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>")
        gif_as_png = content.picture("photo.png", "GIF")
        for upload in (script, gif_as_png):
            with self.assertRaises(ValidationError):
                clean(upload)

    def test_too_many_bytes_or_pixels_are_refused(self):
        large = content.picture()
        large.size = images.MAX_BYTES + 1
        with self.assertRaisesMessage(ValidationError, "up to 5 MB are taken"):
            clean(large)
        with self.assertRaisesMessage(ValidationError, "40 million pixels"):
            clean(content.picture("photo.png", "PNG", size=(8000, 5001)))

    def test_what_is_stored_is_an_upright_webp_without_metadata(self):
        exif = Image.Exif()
        exif[0x0112] = 6  # turned by 90 degrees
        exif[0x010F] = "Camera of somebody"
        post = content.post(image=content.picture("../../holiday.jpg", size=(2000, 1000), exif=exif))
        self.assertRegex(post.image.name, r"^posts/\d{4}/\d{2}/[0-9a-f]{32}\.webp$")
        with Image.open(self.root / post.image.name) as stored:
            self.assertEqual((stored.format, stored.size, len(stored.getexif())), ("WEBP", (800, 1600), 0))
        post.refresh_from_db()
        self.assertEqual((post.image_width, post.image_height), (800, 1600))

    def test_saving_again_leaves_the_stored_image_alone(self):
        post = content.post(image=content.picture())
        name, written = post.image.name, (self.root / post.image.name).stat().st_mtime_ns
        post.save()
        self.assertEqual((post.image.name, (self.root / name).stat().st_mtime_ns), (name, written))

    def test_an_image_is_served_for_ever_and_can_run_nothing(self):
        post = content.post(image=content.picture())
        response = self.client.get(post.image.url)
        self.assertEqual(response["Content-Type"], "image/webp")
        self.assertTrue(response["Content-Disposition"].startswith("inline"))
        self.assertEqual(response["Cache-Control"], "public, max-age=31536000, immutable")
        self.assertEqual(response["X-Content-Type-Options"], "nosniff")
        self.assertEqual(response["Content-Security-Policy"], "default-src 'none'; sandbox")
        self.assertTrue(response.getvalue())  # read to its end, which closes the file

    def test_anything_else_is_a_download(self):
        (self.root / "page.html").write_text("<script>alert(1)</script>")
        response = self.client.get("/media/page.html")
        self.assertEqual(response["Content-Type"], "application/octet-stream")
        self.assertTrue(response["Content-Disposition"].startswith("attachment"))
        self.assertTrue(response.getvalue())  # read to its end, which closes the file

    def test_nothing_outside_the_folder_is_served(self):
        (self.root / "folder").mkdir()
        for path in ("../manage.py", "%2e%2e/manage.py", "/etc/passwd", "folder", "missing.webp", "a%00b"):
            self.assertEqual(self.client.get(f"/media/{path}").status_code, 404, path)
