"""Warn staff of the booked visits that a change of clinic time affects.

The form of the change lists these visits, and stores the change only after staff tick a box. After
storing, the page links to the visits.
"""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.lists import Context, FindAdmin, Row
from clinic.requests import request_id, signed_in_user
from intake.appointments.admin.words import time_words
from intake.models.appointments import Appointment
from intake.staff import reads
from intake.ways.broken_promises import Broken

OUTSIDE_HOURS = "?hours=outside&when=coming&status=all"
"""The URL query for the list of visits to come that no longer fit the hours."""


class AskingForm(forms.ModelForm[Row]):
    """A form that asks for a tick in the box `sure` before it changes what patients were told.

    That is a booked visit that no longer fits, or a promise that a closure breaks.
    """

    sure = forms.BooleanField(required=False)
    affected: Sequence[Appointment] = ()
    broken: Sequence[Broken] = ()

    def full_clean(self) -> None:
        """Find what the change affects, once the form is valid and `instance` has new values."""
        super().full_clean()
        if self.is_bound and not self.errors:
            self.affected, self.broken = self.find_affected(), self.find_broken()
            if (self.affected or self.broken) and not self.cleaned_data["sure"]:
                message = (
                    _("Look at the visits below, and tick the box to store it.")
                    if self.affected
                    else _("Look at the promises below, and tick the box to store it.")
                )
                self.add_error(None, message)

    def find_affected(self) -> list[Appointment]:
        """Return the booked visits that the change in this form affects."""
        raise NotImplementedError

    def find_broken(self) -> list[Broken]:
        """Return the promises to patients that the change in this form breaks."""
        return []


class AffectedVisits(FindAdmin[Row]):
    """The base of the admin pages of clinic time: shows and records the affected visits."""

    def render_change_form(
        self, request: HttpRequest, context: Context, *args: Any, **kw: Any
    ) -> HttpResponse:
        form = context["adminform"].form
        visits, broken = getattr(form, "affected", ()), getattr(form, "broken", ())
        context |= {"affected": with_time_words(visits), "broken": broken}
        response = super().render_change_form(request, context, *args, **kw)
        return self.recorded(request, response, visits, broken)

    def recorded(
        self,
        request: HttpRequest,
        response: HttpResponse,
        visits: Sequence[Appointment],
        broken: Sequence[Broken] = (),
    ) -> HttpResponse:
        """Record that the reader sees these visits and promises, before the response is sent."""
        if visits or broken:
            with transaction.atomic():
                seen = {row.submission: None for row in visits if row.submission}
                reads.record_list(
                    submissions=seen | {each.submission: None for each in broken},
                    by=signed_in_user(request),
                    request_id=request_id(request),
                    page=str(self.opts.model_name),
                )
                cast(TemplateResponse, response).render()
        return response

    def warn_of(self, request: HttpRequest, visits: Sequence[Appointment]) -> None:
        """Say after a save how many visits no longer fit the hours, and link to these visits."""
        if not visits:
            return
        words = ngettext(
            "%(n)s visit no longer fits the hours. Nothing is cancelled.",
            "%(n)s visits no longer fit the hours. Nothing is cancelled.",
            len(visits),
        )
        messages.warning(
            request,
            format_html(
                '{} <a href="{}{}">{}</a>',
                words % {"n": len(visits)},
                reverse("admin:intake_appointment_changelist"),
                OUTSIDE_HOURS,
                _("Visits that no longer fit"),
            ),
        )


def with_time_words(visits: Sequence[Appointment]) -> list[tuple[Appointment, str]]:
    """Pair each visit with its time in words, for the list on the page."""
    return [(row, time_words(row.starts, row.ends)) for row in visits]
