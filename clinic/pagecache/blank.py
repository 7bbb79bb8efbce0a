"""Pages that are the same for everybody: made once per process, with a place for the form token.

They hold questions and no answers. Rendering their controls anew for each patient would cost more
than all else that a request does.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string

from clinic.context import language_links, site

TOKEN = "@form-token@"  # noqa: S105  stands where each visitor's form token goes


def make(template: str, context: dict[str, Any], *, path: str) -> str:
    """The HTML of a page without a visitor, who finds it at `path`. Whoever calls this keeps it, by
    all it depends on; the language is part of that."""
    whole = context | site(None) | language_links(path) | {"csrf_token": TOKEN}
    return render_to_string(template, whole)


def serve(request: HttpRequest, html: str, *, status: int = 200) -> HttpResponse:
    """The page, with this visitor's form token."""
    return HttpResponse(html.replace(TOKEN, get_token(request)), status=status)
