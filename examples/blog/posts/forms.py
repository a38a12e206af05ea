from django import forms

from posts.models import Comment


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
