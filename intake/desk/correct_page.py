"""The pages on which the front desk corrects a contact, and verifies a new address."""

from collections.abc import Callable
from datetime import date
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.lists import Context
from clinic.requests import StaffRequest
from intake.desk import correcting
from intake.desk.correcting import NEEDED, REFERENCE, WrongDetails
from intake.domain.stored import PHONE
from intake.errors import Conflict, Refused
from intake.forms.fields import EmailField, PhoneField, PlainTextField, ReferenceField
from intake.models.corrections import ContactCorrection
from intake.models.submissions import Submission
from intake.staff import reads
from intake.staff.lists import PatientAdmin, record_page
from intake.ways.new_address import unverified
from intake.wording.people import person_words
from intake.wording.reading import date_words, phone_words

TOLD = "told_"  # begins the names of the fields for what the caller tells
LABELS = {
    "name": gettext_lazy("Patient’s full name"),
    "birth_date": gettext_lazy("Date of birth"),
    PHONE: gettext_lazy("Phone"),
    "email": gettext_lazy("E-mail"),
    REFERENCE: gettext_lazy("Reference"),
}
NUMBERS = {
    "email": gettext_lazy("e-mail address"),
    "sms": gettext_lazy("phone number"),
}


def _detail(name: str) -> forms.Field:
    """Return an empty field for a detail of the contact. It never shows what is stored."""
    given: dict[str, Any] = {"label": LABELS[name], "required": False}
    field: Any
    match name:
        case "birth_date":
            widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
            wrong = {"invalid": gettext_lazy("Choose a day.")}
            field = forms.DateField(**given, widget=widget, error_messages=wrong)
        case "email":
            field = EmailField(**given, widget=forms.TextInput())
        case _ if name == PHONE:
            field = PhoneField(**given, help_text="")
            field.widget.input_type = "text"
        case _ if name == REFERENCE:
            field = ReferenceField(**given)
        case _:
            field = PlainTextField(**given, max_length=120)
    field.widget.attrs["autocomplete"] = "off"
    field.unmarked = True  # the hint above says what may be empty
    return cast(forms.Field, field)


class CorrectForm(forms.Form):
    """What the caller tells, and what is right."""

    def __init__(self, *, submission: Submission, data: Any = None) -> None:
        super().__init__(data=data, initial={"revision": submission.revision})
        for name in correcting.IDENTIFIERS:
            self.fields[TOLD + name] = _detail(name)
        for name in correcting.FIELDS:
            self.fields[name] = _detail(name)
        no_email: Any = forms.BooleanField(
            label=_("The e-mail address is wrong, and there is no other"), required=False
        )
        no_email.legend = LABELS["email"]
        self.fields["no_email"] = no_email
        self.fields["reason"] = forms.CharField(
            label=_("Why: what the caller said"),
            max_length=1000,
            widget=forms.Textarea({"rows": 2}),
            error_messages={"required": _("Write what the caller said.")},
        )
        self.fields["revision"] = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    @property
    def told_fields(self) -> list[forms.BoundField]:
        return [self[TOLD + name] for name in correcting.IDENTIFIERS]

    @property
    def right_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in (*correcting.FIELDS, "no_email", "reason", "revision")]

    def clean_birth_date(self) -> date | None:
        born: date | None = self.cleaned_data["birth_date"]
        if born and not (born.year >= 1900 and born <= timezone.localdate()):
            raise forms.ValidationError(_("This date of birth cannot be right."))
        return born

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if len(self.told()) < NEEDED and not self.errors:
            self.add_error(TOLD + "name", _("Ask the caller for two details, and enter both."))
        if data.get("email") and data.get("no_email"):
            self.add_error("no_email", _("Enter an address, or tick that there is none."))
        if not self.errors and not self.right():
            self.add_error("name", _("Enter what is right, in at least one field."))
        return data

    def told(self) -> dict[str, str]:
        """Return what the caller told, by name of the detail."""
        told = {name: self.cleaned_data.get(TOLD + name) for name in correcting.IDENTIFIERS}
        return {name: str(value) for name, value in told.items() if value}

    def right(self) -> dict[str, str]:
        """Return the right details by name. An e-mail address that is taken away is ''."""
        data = self.cleaned_data
        right = {name: str(data[name]) for name in correcting.FIELDS if data.get(name)}
        return right | ({"email": ""} if data.get("no_email") else {})


class CorrectPage(PatientAdmin[Any]):
    """Adds the pages that correct a contact to the front desk's page of a submission."""

    show: Callable[..., HttpResponse]  # the page of the submission

    def correct_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        if not (self.has_view_permission(request) and request.user.has_perm(CHANGE)):
            raise PermissionDenied
        row = self.record_or_404(request, object_id)
        if request.method != "POST":
            return self.show_correct(request, row)
        form = CorrectForm(submission=row, data=request.POST)
        if not form.is_valid():
            return self.show_correct(request, row, form=form, status=422)
        try:
            correcting.correct(
                submission=row,
                told=form.told(),
                new=form.right(),
                reason=form.cleaned_data["reason"],
                by=request.user,
                revision=form.cleaned_data["revision"],
                request_id=request.request_id,
            )
        except WrongDetails as error:
            return self.show_correct(request, row, form=form, error=error, status=422)
        except (Conflict, Refused) as error:
            return self.show_correct(request, row, form=form, error=error, status=409)
        messages.success(
            request, _("The contact is corrected. The record now says what you typed.")
        )
        return redirect(self.address("change", row.pk))

    @record_page("admin/intake/frontdesk/correct.html")
    def show_correct(
        self,
        request: StaffRequest,
        row: Any,
        *,
        form: CorrectForm | None = None,
        error: Exception | None = None,
    ) -> Context:
        reads.record_read(submission=row, by=request.user, request_id=request.request_id)
        if form and isinstance(error, Conflict):
            data = cast(Any, form.data).copy()
            data["revision"] = row.revision
            form = CorrectForm(submission=row, data=data)
        rows = row.corrections.select_related("by")
        return {
            "title": _("Correct the contact"),
            "submission": row,
            "form": form or CorrectForm(submission=row),
            "corrections": [correction_words(each) for each in rows],
            "refused": error,
            "page_address": self.address("change", row.pk),
        }

    def number_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        """Send a number to a new address, or check the number that the patient reads aloud."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.record_or_404(request, object_id)
        if request.method != "POST":
            return redirect(self.address("change", row.pk))
        if not request.user.has_perm(CHANGE):
            raise PermissionDenied
        channel, number = request.POST.get("channel", ""), request.POST.get("number", "").strip()
        given = {"submission": row, "channel": channel, "by": request.user}
        try:
            if "number" not in request.POST:
                correcting.send_number(**given, request_id=request.request_id)
                messages.info(request, _("The number goes out now. Ask the caller to read it."))
            else:
                correcting.confirm(**given, number=number[:12], request_id=request.request_id)
                messages.success(request, _("Verified: codes can go to the new address."))
        except Refused as error:
            return self.show(request, row, request.GET, error=error, status=409)
        return redirect(self.address("change", row.pk))


CHANGE = "intake.change_frontdesk"


def unverified_words(row: Submission) -> list[tuple[str, Any]]:
    """Return each corrected address that is not verified yet: the channel, and what it is."""
    return [(channel, NUMBERS[channel]) for channel in unverified(row)]


def correction_words(row: ContactCorrection) -> dict[str, Any]:
    """Return a correction in words: what it was, what it is now, who corrected it, and why."""
    before, after = row.words["before"], row.words["after"]
    changed = [name for name in correcting.FIELDS if before.get(name) != after.get(name)]
    return {
        "at": row.at,
        "by": person_words(row.by),
        "reason": row.words["reason"],
        "changed": [
            (LABELS[name], _value(name, before.get(name, "")), _value(name, after.get(name, "")))
            for name in changed
        ],
        "checked": ", ".join(str(LABELS[name]).lower() for name in row.checked.split()),
    }


def _value(name: str, stored: str) -> str:
    words = {"birth_date": date_words, PHONE: phone_words}
    return words[name](stored) if stored and name in words else stored or "–"
