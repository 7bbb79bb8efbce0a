"""For search engines and feed readers: facts about a page, the sitemap, robots.txt, the feed.

Addresses begin with SITE_ORIGIN, so that a page has one address even if the site has two host
names.
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clinic import hours as clinic_hours
from clinic.pagecache.rendered import kept
from education import content, rendering
from education.models import Page

SCHEMA = "https://schema.org"
FIXED_PAGES = (
    *("home", "education:conditions", "privacy", "accessibility", "language_help"),
    *("nondiscrimination", "intake:contact", "intake:people", "intake:visits", "intake:costs"),
)
DISALLOWED = ("/admin/", "/account/", "/intake/", "/my/", "/appointments/", "/search/")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def absolute_url(path: str) -> str:
    """Return a path as an absolute address of this site."""
    return f"{settings.SITE_ORIGIN}{path}"


def _clinic() -> dict[str, Any]:
    return {
        "@type": "MedicalClinic",
        "@id": absolute_url("/#clinic"),
        "name": settings.CLINIC_NAME,
        "url": absolute_url("/"),
        "telephone": settings.CLINIC_PHONE,
    }


def clinic_facts() -> str:
    """Return facts about the clinic for search engines: name, phone, opening hours."""
    hours = [
        {
            "@type": "OpeningHoursSpecification",
            "dayOfWeek": f"{SCHEMA}/{DAYS[day]}",
            "opens": _clock_time(start),
            "closes": _clock_time(end),
        }
        for day, spans in enumerate(settings.CLINIC_HOURS.week)
        for start, end in spans
    ]
    facts = {**_clinic(), "openingHoursSpecification": hours}
    closures = [each for each in clinic_hours.coming_closures() if each.is_whole_days]
    if closed := [_closed_facts(each) for each in closures if each.sure and not each.place]:
        facts["specialOpeningHoursSpecification"] = closed
    return rendering.json_ld({"@context": SCHEMA, **facts})


def _closed_facts(closure: clinic_hours.ClosedTime) -> dict[str, str]:
    """Return a closure for search engines. Equal times mean that the clinic is closed all day."""
    return {
        "@type": "OpeningHoursSpecification",
        "validFrom": closure.start.date().isoformat(),
        "validThrough": closure.last_day.isoformat(),
        "opens": "00:00",
        "closes": "00:00",
    }


def _clock_time(minutes: int) -> str:
    # schema.org does not know the time 24:00
    hour, minute = divmod(min(minutes, 24 * 60 - 1), 60)
    return f"{hour:02}:{minute:02}"


def page_facts(row: Page, text: content.Page) -> str:
    """Return facts about a page for search engines: its subject, breadcrumbs and last review."""
    address = absolute_url(row.get_absolute_url())
    page: dict[str, Any] = {
        "@type": "MedicalWebPage",
        "@id": address,
        "url": address,
        "name": rendering.fill_in(text.title),
        "description": rendering.fill_in(text.summary),
        "inLanguage": row.language,
        "dateModified": row.shown_at.isoformat(),
        "publisher": _clinic(),
        "citation": [source.url or source.text for source in text.sources],
    }
    if row.shown_reviewed_at is not None:
        page["lastReviewed"] = row.shown_reviewed_at.date().isoformat()
    if row.condition.slug != content.ABOUT:
        page["about"] = {"@type": "MedicalCondition", "name": row.condition.label}
    return rendering.json_ld({"@context": SCHEMA, "@graph": [page, _breadcrumbs(row, text)]})


def _breadcrumbs(row: Page, text: content.Page) -> dict[str, Any]:
    steps = [(settings.CLINIC_NAME, reverse("home"))]
    if row.condition.slug != content.ABOUT:
        steps.append((_("Conditions"), reverse("education:conditions")))
        if text.slug != content.OVERVIEW:
            group = reverse("education:condition", kwargs={"condition": row.condition.slug})
            steps.append((row.condition.label, group))
    steps.append((rendering.fill_in(text.title), row.get_absolute_url()))
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": n, "name": name, "item": absolute_url(path)}
            for n, (name, path) in enumerate(steps, 1)
        ],
    }


@require_safe
@kept
def robots(request: HttpRequest) -> HttpResponse:
    """Tell crawlers which addresses not to visit, and where the sitemap is."""
    prefixes = ["", *(f"/{code}" for code, _name in settings.LANGUAGES if code != "en")]
    lines = ["User-agent: *", *(f"Disallow: {p}{path}" for p in prefixes for path in DISALLOWED)]
    lines += ["", f"Sitemap: {absolute_url(reverse('education:sitemap'))}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@require_safe
@kept
def sitemap(request: HttpRequest) -> HttpResponse:
    """List every public page in each language, with the time of the last change of its text.

    A page without a translation is listed once, in English.
    """
    rows: list[tuple[str, datetime | None]] = []
    for code, _name in settings.LANGUAGES:
        with override(code):
            rows += [(absolute_url(reverse(name)), None) for name in FIXED_PAGES]
            pages = [page for page in Page.objects.directory(code) if page.language == code]
            rows += [(absolute_url(page.get_absolute_url()), page.shown_at) for page in pages]
    return render(request, "education/sitemap.xml", {"rows": rows}, content_type="application/xml")


class ChangedPages(Feed[Page, None]):
    """The feed of the pages that changed last."""

    feed_type = Atom1Feed
    max_items = 30

    def title(self) -> str:
        return _("%(clinic)s: changed pages") % {"clinic": settings.CLINIC_NAME}

    def link(self) -> str:
        return absolute_url(reverse("education:conditions"))

    def feed_url(self) -> str:
        return absolute_url(reverse("education:feed"))

    def items(self) -> list[Page]:
        language = get_language() or "en"
        pages = [p for p in Page.objects.directory(language) if p.language == language]
        return sorted(pages, key=lambda page: page.shown_at, reverse=True)[: self.max_items]

    def item_title(self, item: Page) -> str:
        return rendering.fill_in(item.reader_title)

    def item_description(self, item: Page) -> str:
        return rendering.fill_in(item.reader_summary)

    def item_link(self, item: Page) -> str:
        return absolute_url(item.get_absolute_url())

    def item_updateddate(self, item: Page) -> datetime:
        return item.shown_at
