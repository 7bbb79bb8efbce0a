"""What readers see: rendered for the first reader, then kept for all (clinic/pagecache).

Two queries at most, no session, no cookie; unchanged pages are not sent again.

The first query is the directory of all visible pages: the contents list, related pages, and what
tells whether anything changed. The second is the page itself.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from itertools import groupby
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, override
from django.views.decorators.cache import cache_control
from django.views.decorators.http import last_modified, require_safe

from clinic.pagecache import rendered
from education import content, markup, rendering, web
from education import search as searching
from education.models import Page, Picture, address, last_change


class ReaderRequest(HttpRequest):
    """For annotations only: a request with the pages that `directory` keeps on it."""

    directory: list[Page]


def directory(request: HttpRequest) -> list[Page]:
    """All visible pages in order, asked for once per request."""
    reader = cast(ReaderRequest, request)
    if not hasattr(reader, "directory"):
        reader.directory = Page.objects.directory(get_language())
    return reader.directory


def _last_modified(request: HttpRequest, **kwargs: str) -> datetime | None:
    return last_change(directory(request))


def public(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page for everybody, asked for again each time and sent again only when it changed."""
    return wraps(view)(require_safe(rendered.kept(last_modified(_last_modified)(view))))


@public
def conditions(request: HttpRequest) -> HttpResponse:
    """Every page there is, by condition."""
    groups = [
        {"condition": group, "pages": list(rows)}
        for group, rows in groupby(directory(request), lambda row: row.condition)
    ]
    context = {"groups": groups, "canonical": web.whole(request.path)}
    return render(request, "education/conditions.html", context)


@public
def overview(request: HttpRequest, *, condition: str) -> HttpResponse:
    """The condition's own address shows its overview, or its contents while there is none."""
    return _page(request, condition, content.OVERVIEW)


@public
def page(request: HttpRequest, *, condition: str, slug: str) -> HttpResponse:
    """One page of a condition. Each page has one address; the others lead there."""
    proper = address(condition, slug)
    if proper != request.path:
        return redirect(proper, permanent=True)
    return _page(request, condition, slug)


@public
def about(request: HttpRequest, *, slug: str) -> HttpResponse:
    """One page about the clinic."""
    return _page(request, content.ABOUT, slug)


@require_safe
@cache_control(private=True, no_cache=True)
def search(request: HttpRequest) -> HttpResponse:
    """Pages that fit some words. What somebody looks for is kept nowhere."""
    results = searching.find(request.GET.get("q", ""), get_language() or "en")
    for row in results.pages:
        row.highlighted = rendering.highlighted(row.extract)
    return render(request, "education/search.html", {"results": results})


def _page(request: HttpRequest, condition: str, slug: str) -> HttpResponse:
    pages = directory(request)
    siblings = [row for row in pages if row.condition.slug == condition]
    listed = next((row for row in siblings if row.slug == slug), None)
    if listed is None:
        if slug == content.OVERVIEW and siblings and condition != content.ABOUT:
            groups = [{"condition": siblings[0].condition, "pages": siblings}]
            context = {"groups": groups, "canonical": web.whole(request.path)}
            return render(request, "education/conditions.html", context)
        return missing(request, f"{condition} {slug}" if slug != content.OVERVIEW else condition)
    row = Page.objects.whole().get(pk=listed.pk)
    return render(request, "education/page.html", page_context(row, pages))


def page_context(row: Page, pages: list[Page], text: content.Page | None = None) -> dict[str, Any]:
    """What the page of a row shows, among the other pages that can be seen.

    `text` is another text than the one readers see, for a preview.
    """
    text = text or row.as_read()
    named = {other.name: other for other in pages}
    bodies = [(section.heading, section.body) for section in text.sections]
    with override(row.language):  # a page without a translation speaks and is found in English
        parts = rendering.render(bodies, sources=len(text.sources), pictures=pictures_in(text))
        canonical = web.whole(row.get_absolute_url())
        facts = web.page_facts(row, text)
    return {
        "row": row,
        "text": text,
        "parts": parts,
        "foreign": row.language if row.language != get_language() else "",
        "siblings": [other for other in pages if other.condition_id == row.condition_id],
        "related": [named[name] for name in text.related if name in named],
        "unapproved": row.shown is None,
        "canonical": canonical,
        "facts": facts,
        "about_us": row.condition.slug == content.ABOUT,
    }


def pictures_in(text: content.Page) -> list[rendering.Shown]:
    """The pictures that a text names and that are there: one query, or none."""
    bodies = [section.body for section in text.sections if "picture:" in section.body]
    named = [url for body in bodies for url in markup.facts(body).pictures]
    names = {markup.picture_name(url) for url in named} - {""}
    if not names:
        return []
    rows = Picture.objects.filter(slug__in=names).defer("data")
    return [
        rendering.Shown(row.slug, row.get_absolute_url(), row.alt, row.width, row.height)
        for row in rows
    ]


@require_safe
@cache_control(public=True, max_age=365 * 24 * 3600, immutable=True)
def picture(request: HttpRequest, *, digest: str, kind: str) -> HttpResponse:
    """The bytes of a picture, which never change at this address."""
    row = get_object_or_404(Picture, hash=digest, kind=kind)
    return HttpResponse(bytes(row.data), content_type=f"image/{row.kind}")


def missing(request: HttpRequest, words: str) -> HttpResponse:
    """There is no such page, but perhaps one with its words."""
    context = {"words": " ".join(words.replace("-", " ").split())}
    return render(request, "education/missing.html", context, status=404)
