"""Pages that are the same for every visitor: rendered once per process, with a place for the form
token.

These pages show questions and no answers. Rendering their input fields anew for each patient would
take longer than the rest of the request.
"""

from collections.abc import Callable
from functools import lru_cache, update_wrapper
from typing import Any, Generic, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.translation import get_language

from clinic.context import language_links, site

P = ParamSpec("P")
TOKEN = "@form-token@"  # noqa: S105  is replaced by each visitor's form token
REVISION = "@revision@"  # is replaced by the revision of each patient's draft


class Remembered(Generic[P]):
    """A function that makes pages, and the pages that the function has made in this process."""

    def __init__(self, make: Callable[P, str], most: int) -> None:
        self._make = make
        kept = lru_cache(maxsize=most)(self._made)
        self._in_language: Callable[..., str] = kept
        self.cache_clear = kept.cache_clear
        update_wrapper(self, make)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> str:
        return self._in_language(get_language(), *args, **kwargs)

    def _made(self, _language: str | None, *args: P.args, **kwargs: P.kwargs) -> str:
        return self._make(*args, **kwargs)


def remembered(*, most: int) -> Callable[[Callable[P, str]], Remembered[P]]:
    """Decorate a function that makes pages, so that it makes the same page only once per process.

    The last `most` pages are remembered by the function's arguments and the language. The arguments
    must contain everything else that a page depends on.
    """
    return lambda make: Remembered(make, most)


def make(template: str, context: dict[str, Any], *, path: str) -> str:
    """Render the page at `path` for no particular visitor, in the language of the request."""
    whole = context | site(None) | language_links(path) | {"csrf_token": TOKEN}
    return render_to_string(template, whole)


def serve(
    request: HttpRequest, html: str, *, status: int = 200, revision: int | None = None
) -> HttpResponse:
    """Answer with a page that `make` rendered, after inserting this visitor's form token.

    `revision` is the revision of the patient's draft, for a page that names it.
    """
    html = html.replace(TOKEN, get_token(request))
    if revision is not None:
        html = html.replace(REVISION, str(revision))
    return HttpResponse(html, status=status)
