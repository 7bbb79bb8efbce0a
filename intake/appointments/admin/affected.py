"""The visits that a change of clinic time affects: those that would no longer fit the hours.

A closure over visits that are booked, and hours that no longer hold them, list them and ask before
they are stored, and lead to them afterwards.
"""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from intake.appointments.admin.choosing import time_words
from intake.models.appointments import Appointment
from intake.staff import reads

LEFT_OUTSIDE = "?hours=outside&when=coming&status=all"
"""Of the list of visits, those to come that no hours hold."""


class AskingForm(forms.ModelForm):
    """A form over visits that are booked: with any `affected`, the box `sure` has to be ticked."""

    sure = forms.BooleanField(required=False)
    affected: Sequence[Appointment] = ()

    def full_clean(self) -> None:
        """Looks for visits when all else is right: `instance` is then as it would be stored."""
        super().full_clean()
        if self.is_bound and not self._errors:
            self.affected = self.look()
            if self.affected and not self.cleaned_data["sure"]:
                self.add_error(None, _("Look at the visits below, and tick the box to store it."))

    def look(self) -> list[Appointment]:
        """The visits that would no longer fit the hours."""
        raise NotImplementedError


class AffectedVisits:
    """What lists of clinic time do with them."""

    opts: Any

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kw: Any) -> Any:
        visits = getattr(context["adminform"].form, "affected", ())
        context |= {"affected": with_words(visits)}
        response = super().render_change_form(request, context, *args, **kw)
        return self.recorded(request, response, visits)

    def recorded(self, request: HttpRequest, response: Any, visits: Sequence[Appointment]) -> Any:
        """A page that shows visits: recorded before it is sent."""
        if visits:
            with transaction.atomic():
                reads.record_list(
                    submissions=[row.submission for row in visits if row.submission],
                    by=request.user,
                    request_id=request.request_id,
                    page=self.opts.model_name,
                )
                response.render()
        return response

    def tell(self, request: HttpRequest, visits: Sequence[Appointment]) -> None:
        """After storing: how many visits no longer fit the hours, and the way to them."""
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
                LEFT_OUTSIDE,
                _("Visits that no longer fit"),
            ),
        )


def with_words(visits: Sequence[Appointment]) -> list[tuple[Appointment, str]]:
    """Visits with the words of their times, as the page lists them."""
    return [(row, time_words(row.starts, row.ends)) for row in visits]
