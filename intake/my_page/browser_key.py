"""Keep a browser's key in its cookie, and find the grant of the key.

Until the patient enters the code, the browser holds the key of its challenge, afterwards the key of
its grant.
"""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect

from clinic.requests import Request
from intake.access import grants
from intake.my_page.returned import REFUSAL


def key_of(request: Request) -> str:
    """Return the key in the browser's cookie, or '' without a cookie."""
    return request.COOKIES.get(settings.RETURN_COOKIE_NAME, "")


def hold_key(response: HttpResponse, key: str) -> HttpResponse:
    """Set the cookie that holds the key."""
    response.set_cookie(
        settings.RETURN_COOKIE_NAME,
        key,
        max_age=2 * 60 * 60,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def with_grant(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Pass the grant and its submission to `view`. Without them, redirect to the own page.

    A new act of the patient ends what the own page says about an earlier act that was refused.
    """

    @wraps(view)
    def wrapper(request: Request) -> HttpResponse:
        grant = grants.find(key_of(request))
        if grant is None or grant.chosen is None:
            return redirect("intake:my")
        if request.method == "POST":
            grants.drop(grant=grant, pages=[REFUSAL])
        return view(request, grant=grant, submission=grant.chosen)

    return wrapper
