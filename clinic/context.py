"""Names that every template may use. They need no database, session or user, only settings."""

import re
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language, get_language_info

from clinic.hours import lasting_words


def phone_link(number: str) -> str:
    """Return the `tel:` link of a phone number: its leading plus, if it has one, and its digits."""
    plus = "+" if number.lstrip().startswith("+") else ""
    return f"tel:{plus}{re.sub(r'[^0-9]', '', number)}"


STAFF_PATHS = ("/admin/", "/account/")
# on these pages the query string decides what is shown; every other path always shows one page
PATHS_WITH_QUERY = ("/search/", "/p/")


def in_language(path: str, code: str) -> str:
    """Return the path of the same page in the language `code`. English paths have no prefix."""
    for other, _name in settings.LANGUAGES:
        if path.startswith(f"/{other}/"):
            path = path.removeprefix(f"/{other}")
    return path if code == settings.LANGUAGE_CODE else f"/{code}{path}"


def language_links(path: str, query: str = "") -> dict[str, list[tuple[str, ...]]]:
    """Return the links of a page to the same page in the other languages.

    `other_languages` are (code, name in that language, address) for the reader; `alternates` are
    (code, address) for search engines. Staff pages have one language, so both are empty.
    """
    if path.startswith(STAFF_PATHS) or len(settings.LANGUAGES) < 2:
        return {"other_languages": [], "alternates": []}
    shown = query and any(part in path for part in PATHS_WITH_QUERY)
    suffix = f"?{query}" if shown else ""
    every = [
        (code, get_language_info(code)["name_local"].capitalize(), in_language(path, code))
        for code, _name in settings.LANGUAGES
    ]
    now = get_language()
    return {
        "other_languages": [(c, name, to + suffix) for c, name, to in every if c != now],
        "alternates": [
            *((code, f"{settings.SITE_ORIGIN}{to}") for code, _name, to in every),
            ("x-default", f"{settings.SITE_ORIGIN}{in_language(path, settings.LANGUAGE_CODE)}"),
        ],
    }


def site(request: HttpRequest | None) -> dict[str, Any]:
    """Add the clinic's names and numbers to a page, and its links to the other languages.

    `request` is None for a page that is rendered for no visitor.
    """
    links = {}
    # the page for an unknown address must not repeat that address in its links
    if request is not None and request.resolver_match is not None:
        links = language_links(request.path, request.META["QUERY_STRING"])
    return {
        "other_languages": [],
        "alternates": [],
        **links,
        "clinic_name": settings.CLINIC_NAME,
        "clinic_phone": settings.CLINIC_PHONE,
        "clinic_phone_link": phone_link(settings.CLINIC_PHONE),
        "emergency_number": settings.EMERGENCY_NUMBER,
        "crisis_line": settings.CRISIS_LINE,
        "poison_line": settings.POISON_LINE,
        "poison_line_link": phone_link(settings.POISON_LINE),
        "hours": settings.CLINIC_HOURS.describe(),
        "interpreter_phone": settings.INTERPRETER_PHONE,
        "interpreter_phone_link": phone_link(settings.INTERPRETER_PHONE),
        "privacy_practices": settings.PRIVACY_PRACTICES,
        "has_interpreter": settings.INTERPRETER_PHONE != settings.CLINIC_PHONE,
        "demo": settings.DEMO,
        "own_time": lasting_words(timedelta(hours=settings.DRAFT_OWN_HOURS)),
        "shared_time": lasting_words(timedelta(minutes=settings.DRAFT_SHARED_MINUTES)),
        "veil_time": lasting_words(timedelta(minutes=settings.DRAFT_VEIL_MINUTES)),
        "only_shared": settings.SHARED_DEVICE,
        "draft_days": settings.DRAFT_DAYS,
        "most_requests": settings.APPOINTMENT_OPEN_REQUESTS,
        "chooses_times": settings.APPOINTMENT_MODE == "slots",
    }
