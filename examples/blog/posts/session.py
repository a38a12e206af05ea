"""Who is signed in, for the front end: the same session as the admin's."""

import json

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, JsonResponse
from django.middleware.csrf import get_token
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods


@never_cache
@require_http_methods(["GET", "HEAD", "POST", "DELETE"])
def session(request: HttpRequest) -> JsonResponse:
    """GET says who it is; POST {"username", "password"} signs in (401 where they don't go together); DELETE signs out.

    The token that it tells goes into the header X-CSRFToken of whatever changes something, of a POST here too.
    """
    if request.method == "POST":
        try:
            sent = json.loads(request.body)
            name, password = str(sent["username"]), str(sent["password"])
        except (ValueError, RecursionError, KeyError, TypeError):
            return JsonResponse({"error": "Send {username, password} as JSON."}, status=400)
        user = authenticate(request, username=name.replace("\x00", ""), password=password)
        if user is None:
            return JsonResponse({"error": "That name and password do not go together."}, status=401)
        login(request, user)
    elif request.method == "DELETE":
        logout(request)
    return JsonResponse({"user": _user(request), "csrf": get_token(request)})


def _user(request: HttpRequest) -> dict[str, str] | None:
    if not request.user.is_authenticated:
        return None
    return {"username": request.user.get_username(), "name": request.user.get_full_name()}
