import uuid

from django import forms
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.text import slugify

from posts.models import Comment, Post


class CommentForm(forms.ModelForm):
    # Only a program fills in a field that nobody sees.
    website = forms.CharField(required=False, label="Leave this empty")

    class Meta:
        model = Comment
        fields = ["name", "email", "body"]
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "email": forms.EmailInput(attrs={"autocomplete": "email"}),
            "body": forms.Textarea(attrs={"rows": 6, "maxlength": 4000}),
        }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})

    @property
    def looks_automatic(self) -> bool:
        return bool(self.cleaned_data.get("website"))


class PostForm(forms.ModelForm):
    """What an editor writes in the front end."""

    class Meta:
        model = Post
        fields = ["title", "summary", "body", "image", "image_alt"]

    def publish(self, author: User) -> Post:
        """Save it under a slug of its title, and as published now."""
        post = self.instance
        post.author, post.status, post.published_at = author, Post.Status.PUBLISHED, timezone.now()
        beginning = slugify(post.title)[:180] or "post"
        taken = Post.objects.filter(slug=beginning).exists()
        post.slug = f"{beginning}-{uuid.uuid4().hex[:8]}" if taken else beginning
        return self.save()
