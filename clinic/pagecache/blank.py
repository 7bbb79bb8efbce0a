"""Pages that are the same for every visitor: rendered once per process, with a place for the form
token.

They hold questions and no answers. To render their controls for each patient would cost more than
the rest of the request.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string

from clinic.context import language_links, site

TOKEN = "@form-token@"  # noqa: S105  is replaced by each visitor's form token


def make(template: str, context: dict[str, Any], *, path: str) -> str:
    """Render the page at `path` for no particular visitor.

    The caller keeps the HTML under everything that it depends on, which includes the language.
    """
    whole = context | site(None) | language_links(path) | {"csrf_token": TOKEN}
    return render_to_string(template, whole)


def serve(request: HttpRequest, html: str, *, status: int = 200) -> HttpResponse:
    """Answer with a page of `make`, with this visitor's form token."""
    return HttpResponse(html.replace(TOKEN, get_token(request)), status=status)
