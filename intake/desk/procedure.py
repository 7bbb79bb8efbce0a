"""The clinic's written procedure for patients whom several calls did not reach.

Only the clinic can write it: whom to ask, when to send a letter, when to ask for a welfare check.
"""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clinic import audit
from intake.forms.fields import LinesField
from intake.models.calls import NotReachedProcedure


class ProcedureForm(forms.Form):
    text = LinesField(
        label=gettext_lazy("What we do when three calls did not reach a patient"),
        help_text=gettext_lazy(
            "For example: whom staff ask, which other way they try, when they send a letter, and "
            "who decides on a welfare check."
        ),
        max_length=4000,
        widget=forms.Textarea({"rows": 10}),
        error_messages={"required": gettext_lazy("Write the procedure.")},
    )


def newest() -> NotReachedProcedure | None:
    """Return the procedure that counts, or None if the clinic has written none. One query."""
    return NotReachedProcedure.objects.select_related("by").last()


def write(*, text: str, by: User, request_id: str) -> None:
    """Store a procedure, which counts from now on. Does nothing if the text is the same."""
    known = newest()
    if known and known.text == text:
        return
    row = NotReachedProcedure(text=text, by=by, at=timezone.now())
    with transaction.atomic():
        row.save(force_insert=True)
        audit.record(
            actor=audit.staff(by),
            action="create",
            subject=str(row.pk),
            request_id=request_id,
            detail={"kind": "procedure"},
        )


@register(Tags.database)
def is_written(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Warn of a missing procedure. Without a database or its tables, warn of nothing."""
    if settings.DEMO or not databases:
        return []
    try:
        found = newest()
    except DatabaseError:
        return []
    if found:
        return []
    return [
        Warning(
            "No procedure is written for patients whom calls do not reach.",
            hint="A clinician writes it in the admin: “Calls to make”, “Our procedure”.",
            id="intake.W121",
        )
    ]
