"""What the public pages about the clinic still lack, for administrators and editors.

Nobody but the clinic knows its places, people, plans and prices, so the program invents none.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError
from django.utils.translation import gettext as _

from clinic.translated import TranslatedField
from intake.models.clinic_pages import (
    ClinicianProfile,
    ClinicText,
    InsurancePlan,
    LocationProfile,
    TextKind,
)
from intake.models.clinic_time import Location, VisitKind, VisitType

PLACE_FIELDS: Final = ("way", "transport", "parking", "access")
PERSON_FIELDS: Final = ("credentials", "role", "sees", "languages")


def find() -> list[str]:
    """Return what is missing, a sentence for each subject. Takes nine queries at most."""
    return [*_places(), *_people(), *_plans_and_texts(), *_untranslated()]


def _places() -> Iterator[str]:
    places = list(Location.objects.filter(is_active=True).select_related("profile"))
    if not places:
        yield _("Contact: no location is in use.")
    for row in places:
        profile = getattr(row, "profile", None)
        lacking = [] if row.address else [_("address")]
        if profile is None:
            lacking += [_label(LocationProfile, name) for name in PLACE_FIELDS]
        else:
            lacking += _empty(profile, PLACE_FIELDS)
        if lacking:
            yield _("Contact: %(row)s has no %(fields)s.") % {
                "row": row,
                "fields": ", ".join(lacking),
            }


def _people() -> Iterator[str]:
    people = list(
        ClinicianProfile.objects.filter(
            is_published=True, clinician__is_active=True
        ).select_related("clinician")
    )
    if not people:
        yield _("People: no clinician is published.")
    for row in people:
        if lacking := _empty(row, PERSON_FIELDS):
            yield _("People: %(row)s has no %(fields)s.") % {
                "row": row,
                "fields": ", ".join(lacking),
            }


def _plans_and_texts() -> Iterator[str]:
    if not InsurancePlan.objects.filter(is_accepted=True).exists():
        yield _("Costs: no insurance plan is accepted.")
    written = {row.kind for row in ClinicText.objects.all() if row.text}
    wanted = set(TextKind)
    if not VisitType.objects.filter(is_active=True, kind=VisitKind.VIDEO).exists():
        wanted.discard(TextKind.JOINING)
    for kind in TextKind:
        if kind in wanted and kind not in written:
            yield _("Short texts: nothing is written for “%(kind)s”.") % {"kind": kind.label}


def _untranslated() -> Iterator[str]:
    """Yield the rows that have a text in English and not in every language of the site."""
    others = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
    if not others:
        return
    for model in (LocationProfile, ClinicianProfile, InsurancePlan, ClinicText):
        names = [f.name for f in model._meta.get_fields() if isinstance(f, TranslatedField)]
        for row in model._default_manager.all():
            texts = [text for name in names if (text := getattr(row, name))]
            lacking = [code for code in others if any(code not in text for text in texts)]
            if lacking:
                yield _("%(row)s: a text is not translated (%(languages)s).") % {
                    "row": row,
                    "languages": ", ".join(lacking),
                }


def _empty(row: Any, names: Sequence[str]) -> list[str]:
    return [_label(type(row), name) for name in names if not getattr(row, name)]


def _label(model: Any, name: str) -> str:
    return str(model._meta.get_field(name).verbose_name)


@register(Tags.database)
def public_pages(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Warn of what the public pages lack. Without a database or its tables, warn of nothing."""
    if settings.DEMO or not databases:
        return []
    try:
        found = find()
    except DatabaseError:
        return []
    hint = "Enter it in the admin, in “Clinic pages” (docs/clinic-pages.md)."
    return [Warning(sentence, hint=hint, id="intake.W120") for sentence in found]
