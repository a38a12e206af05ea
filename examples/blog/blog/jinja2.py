from django.http import HttpRequest
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.safestring import SafeString
from jinja2 import Environment


def environment(**options: object) -> Environment:
    """Jinja2 with `static` and `url`, and `django_include` for the header and footer that all pages share."""
    env = Environment(**options)  # Django's backend passes autoescape=True
    env.globals.update(static=static, url=reverse, django_include=django_include)
    return env


def django_include(template: str, request: HttpRequest) -> SafeString:
    return render_to_string(template, request=request, using="django")
