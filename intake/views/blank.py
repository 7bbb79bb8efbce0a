"""Pages that are the same for everybody: made once per process, with a place for the form token.

They hold questions and no answers. Rendering their controls anew for each patient would cost more
than all else that a request does.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string

from clinic.context import site

TOKEN = "@form-token@"  # noqa: S105  stands where each visitor's form token goes


def make(template: str, context: dict[str, Any]) -> str:
    """The HTML of a page without a visitor. Whoever calls this keeps it, by all it depends on."""
    return render_to_string(template, context | site(None) | {"csrf_token": TOKEN})


def serve(request: HttpRequest, html: str) -> HttpResponse:
    """The page, with this visitor's form token."""
    return HttpResponse(html.replace(TOKEN, get_token(request)))
