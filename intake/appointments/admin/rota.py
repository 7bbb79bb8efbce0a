"""The admin pages of the rota: who is on call at night, at weekends and during closures."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import hours
from intake.appointments.admin.clinic_time import ClinicTimeAdmin, PastFilter, offered_on_call
from intake.appointments.admin.clinic_time_forms import (
    LONGEST,
    PersonField,
    WallTimeField,
    closure_zone,
    leave_words,
    read_wall_times,
    show_wall_times,
)
from intake.forms.phone_numbers import read_phone
from intake.models.rota import Leave, OnCall
from intake.wording.people import person_words
from intake.wording.reading import phone_words


class OnCallForm(forms.ModelForm[OnCall]):
    """A time on call. Refuses a time in which the person cannot be told of a red flag."""

    starts_at = WallTimeField(label=gettext_lazy("From"))
    ends_at = WallTimeField(label=gettext_lazy("Until"))

    class Meta:
        help_texts = {
            "person": gettext_lazy(
                "Gets the e-mail about each red flag while the clinic is closed."
            ),
            "location": gettext_lazy("Leave empty for all locations."),
            "phone": gettext_lazy(
                "The number at which colleagues reach this person. If the clinic sends text "
                "messages, a text about each red flag goes there, too."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        show_wall_times(self)

    def clean_phone(self) -> str:
        typed: str = self.cleaned_data["phone"]
        return read_phone(typed) if typed.strip() else ""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        read_wall_times(self, data)
        person, start, end = (data.get(name) for name in ("person", "starts_at", "ends_at"))
        if person and not person.email:
            self.add_error("person", _("This account has no e-mail address for the alerts."))
        if not (person and start and end) or self.errors:
            return data
        place = data.get("location")
        week = hours.current(place.pk if place else None)
        days = timezone.localdate(start), timezone.localdate(end)
        same = OnCall.objects.filter(person=person, location=place).exclude(pk=self.instance.pk)
        if end <= start:
            self.add_error("ends_at", _("The end is before the beginning."))
        elif end - start > LONGEST:
            self.add_error("ends_at", _("A time on call lasts a year at most."))
        elif week.is_open(start) and end <= week.closing(start):
            self.add_error(
                "ends_at", _("The clinic is open all that time, so nobody needs to be on call.")
            )
        elif away := Leave.objects.filter(person=person).touching(*days).first():
            self.add_error("person", leave_words(away))
        elif known := same.filter(starts_at__lt=end, ends_at__gt=start).first():
            words = both_days_words(known)
            self.add_error(
                "person", _("This person is on call then already: %(time)s.") % {"time": words}
            )
        return data


def both_days_words(row: OnCall) -> str:
    """Return from when to when a person is on call, by the clock of the location."""
    zone = closure_zone(row.location)
    start, end = (
        date_format(at.astimezone(zone), "D, M j, Y, ")
        + date_format(at.astimezone(zone), "TIME_FORMAT")
        for at in (row.starts_at, row.ends_at)
    )
    return _("%(start)s to %(end)s %(zone)s") % {
        "start": start,
        "end": end,
        "zone": row.ends_at.astimezone(zone).tzname(),
    }


class OverFilter(PastFilter):
    title = gettext_lazy("when")
    parameter_name = "when"

    def past(self) -> Q:
        return Q(ends_at__lt=timezone.now())


@admin.register(OnCall)
class OnCallAdmin(ClinicTimeAdmin[OnCall]):
    list_display = ["span", "who", "reach", "where"]
    list_display_links = ["span"]
    list_filter = [OverFilter]
    list_select_related = ["person", "location"]
    form = OnCallForm
    fields = ["person", "location", "starts_at", "ends_at", "phone"]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kw: Any) -> Any:
        if db_field.name == "person":
            kw |= {"queryset": offered_on_call(), "form_class": PersonField}
        return super().formfield_for_foreignkey(db_field, request, **kw)

    def has_delete_permission(self, request: HttpRequest, obj: OnCall | None = None) -> bool:
        return request.user.has_perm("intake.delete_oncall")

    @admin.display(description=gettext_lazy("When"))
    def span(self, row: OnCall) -> str:
        return both_days_words(row)

    @admin.display(description=gettext_lazy("Who"))
    def who(self, row: OnCall) -> str:
        return person_words(row.person)

    @admin.display(description=gettext_lazy("How to reach"))
    def reach(self, row: OnCall) -> str:
        if not row.phone:
            return row.person.email
        link = format_html('<a class="tel" href="tel:{}">{}</a>', row.phone, phone_words(row.phone))
        return format_html("{}, {}", link, row.person.email)

    @admin.display(description=gettext_lazy("Where"))
    def where(self, row: OnCall) -> str:
        return str(row.location) if row.location else _("everywhere")
