"""The pages as readers see them: rendered once, then served from the store (clinic/pagecache).

Rendering takes two queries and no session. The first query reads a directory of all visible pages,
for the contents list, the related pages, and the time of the last change. The second query reads
the page itself. A browser that already has the current page gets an answer without a body.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, override
from django.views.decorators.cache import cache_control
from django.views.decorators.http import last_modified, require_safe

from clinic.pagecache import rendered
from education import content, markup, rendering, shelves, web
from education import search as searching
from education.models import Page, Picture, address, last_change
from intake import protocols

DRAWN = ("restless-legs", "vein-disease", "clots", "artery-disease")
"""The conditions that have a drawing. The drawings are in templates/education/drawings."""


class ReaderRequest(HttpRequest):
    """A request on which `directory` has stored the visible pages. For annotations only."""

    directory: list[Page]


def directory(request: HttpRequest) -> list[Page]:
    """Return all visible pages in order. A second call for the same request takes no query."""
    reader = cast(ReaderRequest, request)
    if not hasattr(reader, "directory"):
        reader.directory = Page.objects.directory(get_language())
    return reader.directory


def _last_modified(request: HttpRequest, **kwargs: str) -> datetime | None:
    return last_change(directory(request))


def public(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Make a view a public page: stored for all readers, and sent again only when it changed."""
    return wraps(view)(require_safe(rendered.kept(last_modified(_last_modified)(view))))


@public
def conditions(request: HttpRequest) -> HttpResponse:
    """List all pages, grouped by condition."""
    groups = shelves.arrange(directory(request))
    context = {"groups": groups, "canonical": web.absolute_url(request.path)}
    return render(request, "education/conditions.html", context)


@public
def overview(request: HttpRequest, *, condition: str) -> HttpResponse:
    """Show the overview of a condition, or a list of its pages if it has no overview."""
    return _page(request, condition, content.OVERVIEW)


@public
def page(request: HttpRequest, *, condition: str, slug: str) -> HttpResponse:
    """Show one page of a condition. Other addresses of this page redirect to its proper address."""
    proper = address(condition, slug)
    if proper != request.path:
        return redirect(proper, permanent=True)
    return _page(request, condition, slug)


@public
def about(request: HttpRequest, *, slug: str) -> HttpResponse:
    """Show one page about the clinic."""
    return _page(request, content.ABOUT, slug)


@require_safe
@cache_control(private=True, no_cache=True)
def search(request: HttpRequest) -> HttpResponse:
    """Show the pages that match the typed words. The typed words are stored nowhere."""
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
            context = {
                "only": shelves.of_condition(siblings),
                "canonical": web.absolute_url(request.path),
            }
            return render(request, "education/conditions.html", context)
        return missing(request, f"{condition} {slug}" if slug != content.OVERVIEW else condition)
    row = Page.objects.with_texts().get(pk=listed.pk)
    return render(request, "education/page.html", page_context(row, pages))


def page_context(row: Page, pages: list[Page], text: content.Page | None = None) -> dict[str, Any]:
    """Return the template's context for one page. `pages` are all visible pages.

    For a preview, `text` is shown in place of the text that readers see.
    """
    text = text or row.as_read()
    named = {other.name: other for other in pages}
    group = shelves.around(row, pages)
    listed = group.pages if group else []
    bodies = [(section.heading, section.body) for section in text.sections]
    protocol = protocols.of_page(row.name)
    leads_to = protocol.name if protocol else ""
    with override(row.language):  # a page without a translation is shown and linked in English
        parts = rendering.render(
            bodies, sources=len(text.sources), pictures=pictures_in(text), leads_to=leads_to
        )
        canonical = web.absolute_url(row.get_absolute_url())
        facts = web.page_facts(row, text)
    return {
        "row": row,
        "text": text,
        "parts": parts,
        "foreign": row.language if row.language != get_language() else "",
        "group": group if len(listed) > 1 else None,
        # the navigation lists the pages of the group already
        "related": [
            named[name] for name in text.related if name in named and named[name] not in listed
        ],
        "unapproved": row.shown is None,
        "canonical": canonical,
        "facts": facts,
        "leads_to": leads_to,
        "drawing": _drawing(row),
        "about_us": row.condition.slug == content.ABOUT,
    }


def _drawing(row: Page) -> str:
    """Return the template with the drawing of a condition, which its overview shows, or ''."""
    has_one = row.slug == content.OVERVIEW and row.condition.slug in DRAWN
    return f"education/drawings/{row.condition.slug}.html" if has_one else ""


def pictures_in(text: content.Page) -> list[rendering.ShownPicture]:
    """Return the stored pictures that a text names. Takes one query at most."""
    bodies = [section.body for section in text.sections if "picture:" in section.body]
    named = [url for body in bodies for url in markup.facts(body).pictures]
    names = {markup.picture_name(url) for url in named} - {""}
    if not names:
        return []
    rows = Picture.objects.filter(slug__in=names).defer("data")
    return [
        rendering.ShownPicture(row.slug, row.get_absolute_url(), row.alt, row.width, row.height)
        for row in rows
    ]


@require_safe
@cache_control(public=True, max_age=365 * 24 * 3600, immutable=True)
def picture(request: HttpRequest, *, digest: str, kind: str) -> HttpResponse:
    """Send a picture. Browsers may keep it for a year, because its address contains its hash."""
    row = get_object_or_404(Picture, hash=digest, kind=kind)
    return HttpResponse(bytes(row.data), content_type=f"image/{row.kind}")


def missing(request: HttpRequest, words: str) -> HttpResponse:
    """Answer that the page does not exist, and offer a search for the words of its address."""
    context = {
        "words": " ".join(words.replace("-", " ").split()),
        "groups": shelves.arrange(directory(request)),
    }
    return render(request, "education/missing.html", context, status=404)
