"""Store what the public pages say of the clinic, and renew these pages."""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from clinic import audit
from clinic.pagecache import rendered
from clinic.translated import Translated, TranslatedField
from intake.models.clinic_pages import ClinicianProfile, ClinicText, InsurancePlan, LocationProfile

Row = LocationProfile | ClinicianProfile | InsurancePlan | ClinicText


def save_row(*, row: Row, fields: Iterable[str], by: User, request_id: str = "") -> None:
    """Store a validated row, record which fields were changed, and renew the public pages.

    Raises IntegrityError for a row that was not validated.
    """
    is_new = row._state.adding
    with transaction.atomic():
        if not is_new:
            _keep_other_languages(row)
        row.save()
        audit.record(
            actor=audit.staff(by),
            action="create" if is_new else "update",
            subject=str(row.pk),
            request_id=request_id,
            detail={"kind": row._meta.model_name, "fields": sorted(fields)},
        )
        rendered.renew_on_commit()


def _keep_other_languages(row: Row) -> None:
    """Keep the texts in languages that the site does not offer now: forms have no box for them."""
    offered = {code for code, _name in settings.LANGUAGES}
    stored = type(row).objects.select_for_update(of=("self",)).get(pk=row.pk)
    for field in row._meta.get_fields():
        if isinstance(field, TranslatedField):
            before = getattr(stored, field.name)
            others = {code: text for code, text in before.items() if code not in offered}
            setattr(row, field.name, Translated(others | getattr(row, field.name)))
