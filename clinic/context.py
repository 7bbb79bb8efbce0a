"""What every template may say of this clinic. Settings only: no database, session or user."""

import re
from datetime import timedelta

from django.conf import settings
from django.utils.translation import get_language, get_language_info

from clinic.hours import lasting_words


def phone_link(number: str) -> str:
    """`tel:` and the number as a phone dials it: a leading plus and the digits."""
    plus = "+" if number.lstrip().startswith("+") else ""
    return f"tel:{plus}{re.sub(r'[^0-9]', '', number)}"


STAFF = ("/admin/", "/account/")
# the pages whose query says what is on them; elsewhere one path is one page
ASKING = ("/search/", "/intake/p/")


def in_language(path: str, code: str) -> str:
    """The address of the same page in another language: its prefix, none for English."""
    for other, _name in settings.LANGUAGES:
        if path.startswith(f"/{other}/"):
            path = path.removeprefix(f"/{other}")
    return path if code == settings.LANGUAGE_CODE else f"/{code}{path}"


def language_links(path: str, query: str = "") -> dict[str, list[tuple[str, ...]]]:
    """For the page of this path: the others to change to (code, name in itself, address), and all
    that a search engine is told of. Staff's pages have one language."""
    if path.startswith(STAFF) or len(settings.LANGUAGES) < 2:
        return {"other_languages": [], "alternates": []}
    asks = f"?{query}" if query and any(part in path for part in ASKING) else ""
    every = [
        (code, get_language_info(code)["name_local"].capitalize(), in_language(path, code))
        for code, _name in settings.LANGUAGES
    ]
    now = get_language()
    return {
        "other_languages": [(c, name, to + asks) for c, name, to in every if c != now],
        "alternates": [
            *((code, f"{settings.SITE_ORIGIN}{to}") for code, _name, to in every),
            ("x-default", f"{settings.SITE_ORIGIN}{in_language(path, settings.LANGUAGE_CODE)}"),
        ],
    }


def site(request):
    links = {}
    # an address that leads nowhere is quoted on no page
    if getattr(request, "resolver_match", None) is not None:
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
        "hours": settings.CLINIC_HOURS.describe(),
        "interpreter_phone": settings.INTERPRETER_PHONE,
        "interpreter_phone_link": phone_link(settings.INTERPRETER_PHONE),
        "demo": settings.DEMO,
        "own_time": lasting_words(timedelta(hours=settings.DRAFT_OWN_HOURS)),
        "shared_time": lasting_words(timedelta(minutes=settings.DRAFT_SHARED_MINUTES)),
        "veil_time": lasting_words(timedelta(minutes=settings.DRAFT_VEIL_MINUTES)),
        "only_shared": settings.SHARED_DEVICE,
        "draft_days": settings.DRAFT_DAYS,
        "chooses_times": settings.APPOINTMENT_MODE == "slots",
    }
