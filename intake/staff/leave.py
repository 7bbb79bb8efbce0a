"""The admin pages of leave: each member of staff sets the own days, an administrator all days."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.requests import request_id, signed_in_user
from intake.domain.slots import is_plausible_day
from intake.models.rota import Leave
from intake.staff import leaving
from intake.staff.plain_forms import PlainFormAdmin
from intake.wording.people import person_words


class LeaveForm(forms.ModelForm[Leave]):
    """Some days of leave. Without a choice of person, the leave is that of `user`."""

    user: Any

    class Meta:
        help_texts = {
            "first_day": gettext_lazy(
                "When the leave begins, the submissions that the person holds go back to the "
                "worklist."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "person" not in self.fields and self.instance._state.adding:
            self.instance.person = self.user

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for name in ("first_day", "last_day"):
            if data.get(name) and not is_plausible_day(data[name]):
                self.add_error(name, _("Check the year."))
        first, last = data.get("first_day"), data.get("last_day")
        if self.errors or not (first and last):
            return data
        person = data.get("person") or self.instance.person
        others = Leave.objects.filter(person=person).exclude(pk=self.instance.pk)
        if last < first:
            self.add_error("last_day", _("The last day is before the first."))
        elif last < timezone.localdate():
            self.add_error("last_day", _("These days are over."))
        elif known := others.touching(first, last).first():
            self.add_error(
                "first_day",
                _("There is a leave from %(first)s to %(last)s already.")
                % {
                    "first": date_format(known.first_day, "DATE_FORMAT"),
                    "last": date_format(known.last_day, "DATE_FORMAT"),
                },
            )
        return data


@admin.register(Leave)
class LeaveAdmin(PlainFormAdmin[Leave]):
    """The list of leaves: all for an administrator, the own ones for everybody else."""

    lists = [("leave", gettext_lazy("Leave"))]
    list_display = ["who", "first_day", "last_day", "work"]
    list_display_links = ["who"]
    list_select_related = ["person"]
    form = LeaveForm
    fields = ["person", "first_day", "last_day"]
    is_in_index = False
    delete_confirmation_template = "admin/intake/time/delete_confirmation.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Leave]:
        rows = super().get_queryset(request)
        return rows if manages(request) else rows.filter(person=request.user.pk)

    def get_fields(self, request: HttpRequest, obj: Leave | None = None) -> list[Any]:
        return [name for name in self.fields if manages(request) or name != "person"]

    def get_form(self, request: HttpRequest, *args: Any, **kw: Any) -> Any:
        form: Any = super().get_form(request, *args, **kw)
        form.user = request.user
        return form

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kw: Any) -> Any:
        people = get_user_model().objects.filter(is_active=True, is_staff=True)
        kw["queryset"] = people.order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **kw)

    def has_delete_permission(self, request: HttpRequest, obj: Leave | None = None) -> bool:
        return request.user.has_perm("intake.delete_leave")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        leave = form.instance
        given = leaving.store_leave(
            leave=leave, by=signed_in_user(request), request_id=request_id(request)
        )
        if given:
            messages.warning(request, _("Given back: %(what)s.") % {"what": "; ".join(given)})
        held = leaving.held_words(leave.person) if leave.given_back_at is None else ""
        if held:
            messages.info(
                request,
                _("When the leave begins, this goes back, if it still waits: %(what)s.")
                % {"what": held},
            )

    def delete_model(self, request: HttpRequest, obj: Leave) -> None:
        leaving.delete_leave(leave=obj, by=signed_in_user(request), request_id=request_id(request))

    @admin.display(description=gettext_lazy("Who"))
    def who(self, row: Leave) -> str:
        return person_words(row.person)

    @admin.display(description=gettext_lazy("Open work"))
    def work(self, row: Leave) -> str:
        if row.given_back_at is None:
            return _("goes back when the leave begins")
        return _("given back on %(at)s") % {
            "at": date_format(timezone.localtime(row.given_back_at), "DATETIME_FORMAT")
        }


def manages(request: HttpRequest) -> bool:
    """Whether this member of staff sets the leave of other people."""
    return bool(request.user.has_perm("intake.manage_leave"))
