"""The page on which staff read and change how a patient may be reached."""

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.lists import Context
from clinic.requests import StaffRequest
from intake.domain.stored import PHONE
from intake.errors import Conflict
from intake.forms.fields import LinesField
from intake.models.safe_contact import SafeContact
from intake.models.submissions import Submission
from intake.staff import reads
from intake.staff.lists import PatientAdmin, record_page
from intake.staff.reach_words import reach_words
from intake.ways import contact_points, safe_contact
from intake.ways.contact import (
    CHANNELS,
    NO,
    YES,
    Channel,
    Reach,
    authority_ends,
    newest_records,
    reach_of,
    said_of,
)
from intake.wording.people import person_words
from intake.wording.reading import PREFER, PREFER_TIME

WAYS = {
    "email": gettext_lazy("E-mail"),
    "sms": gettext_lazy("Text message"),
    "call": gettext_lazy("Call"),
    "voicemail": gettext_lazy("Leave a voice message"),
}
TEXTS = {
    "hears": gettext_lazy("Who else may hear"),
    "language": gettext_lazy("Language"),
    "interpreter": gettext_lazy("Interpreter or relay service"),
    "proxy": gettext_lazy("Who may act for the patient, and as what"),
}
SAID = {
    **WAYS,
    "prefer": gettext_lazy("First way"),
    "hours": gettext_lazy("Safe hours for calls"),
    **TEXTS,
    "proxy_until": gettext_lazy("May act until"),
    "words": gettext_lazy("What the patient said"),
}
"""What a record may say, with its label for staff."""
VALUES = {YES: gettext_lazy("Yes"), NO: gettext_lazy("No"), **PREFER, **PREFER_TIME}
CLOSED = {
    "revoked": gettext_lazy("The owner of this address wants no more letters."),
    "dead": gettext_lazy("A provider refuses this address for good."),
}


class ReachForm(forms.Form):
    """What the patient allows, as a member of staff heard it, and in which words."""

    prefer = forms.ChoiceField(
        label=SAID["prefer"], choices=list(PREFER.items()), widget=forms.RadioSelect
    )
    hours = forms.ChoiceField(
        label=SAID["hours"],
        choices=list({**PREFER_TIME, "any": PREFER_TIME["any"]}.items()),
        widget=forms.RadioSelect,
    )
    proxy_until = forms.DateField(
        label=SAID["proxy_until"],
        required=False,
        widget=forms.DateInput({"type": "date"}),
        help_text=gettext_lazy(
            "Empty: a parent or guardian may act until the patient is 18, another person for good."
        ),
    )
    words = LinesField(
        label=SAID["words"],
        max_length=1000,
        widget=forms.Textarea({"rows": 2}),
        error_messages={"required": gettext_lazy("Write what the patient said.")},
    )
    source = forms.ChoiceField(
        label=gettext_lazy("How the patient said so"),
        choices=[
            (each.value, each.label)
            for each in (
                SafeContact.Source.PHONE,
                SafeContact.Source.DESK,
                SafeContact.Source.WRITTEN,
            )
        ],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Say how the patient said so.")},
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=36)

    def __init__(
        self, *, submission: Submission, closed: dict[Channel, str], data: QueryDict | None = None
    ) -> None:
        record = newest_records([submission]).get(submission.pk)
        known = said_of(record, submission.person)
        initial = {"hours": "any", "prefer": "phone"} | known
        initial |= {"words": "", "seen": safe_contact.version_of(record)}
        super().__init__(data=data, initial=initial)
        self.known = known
        for name, label in WAYS.items():
            self.fields[name] = forms.ChoiceField(
                label=label,
                choices=[(YES, VALUES[YES]), (NO, VALUES[NO])],
                widget=forms.RadioSelect,
            )
        for name, label in TEXTS.items():
            self.fields[name] = forms.CharField(label=label, max_length=120, required=False)
        for channel, why in closed.items():
            self.fields[f"open_{channel}"] = forms.BooleanField(
                label=_("The patient wants letters there again: open it."),
                required=False,
                help_text=f"{WAYS[channel]}: {CLOSED[why]}",
            )
        opened = [f"open_{channel}" for channel in closed]
        self.order_fields([*WAYS, *opened, "prefer", "hours", *TEXTS, "proxy_until", "words"])

    def said(self) -> dict[str, str]:
        """Return what differs from what was known, with the patient's words."""
        data = {name: self.cleaned_data.get(name) or "" for name in SAID}
        data["hours"] = "" if data["hours"] == "any" else data["hours"]
        data["proxy_until"] = str(data["proxy_until"])
        return {
            name: value
            for name, value in data.items()
            if name == "words" or value != self.known.get(name, "")
        }

    def opened(self) -> list[Channel]:
        """Return the channels whose address the patient wants open again."""
        return [channel for channel in CHANNELS if self.cleaned_data.get(f"open_{channel}")]


class ReachPage(PatientAdmin[Any]):
    """Adds the page of safe contact to the staff page of a submission."""

    def reach_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.record_or_404(request, object_id)
        if request.method != "POST":
            return self.show_reach(request, row)
        if not request.user.has_perm("intake.change_calltask"):
            raise PermissionDenied
        form = ReachForm(submission=row, closed=closed_of(row), data=request.POST)
        if not form.is_valid():
            return self.show_reach(request, row, form=form, status=422)
        try:
            safe_contact.record(
                submission=row,
                said=form.said(),
                source=form.cleaned_data["source"],
                seen=form.cleaned_data["seen"],
                by=request.user,
                request_id=request.request_id,
                opened=form.opened(),
            )
        except Conflict as error:
            return self.show_reach(request, row, form=form, error=error, status=409)
        messages.success(request, _("Noted how the patient may be reached."))
        return redirect(self.address("change", row.pk))

    @record_page("admin/intake/reach.html")
    def show_reach(
        self,
        request: StaffRequest,
        row: Any,
        *,
        form: ReachForm | None = None,
        error: Exception | None = None,
    ) -> Context:
        reads.record_read(submission=row, by=request.user, request_id=request.request_id)
        reach, closed = reach_of(row), closed_of(row)
        if form and error:
            form = fresh_form(form, row, reach)
        may_change = request.user.has_perm("intake.change_calltask")
        ends = authority_ends(said_of(reach.record, row.person), row.person, row.submitted_at)
        return {
            "title": row.reference,
            "submission": row,
            "name": row.person.get("name") or _("Name not given"),
            "reach_words": reach_words(reach),
            "states": list(states_of(row)),
            "ends": ends,
            "records": [record_words(record) for record in records_of(row)],
            "form": (form or ReachForm(submission=row, closed=closed)) if may_change else None,
            "refused": error,
            "page_address": self.address("change", row.pk),
        }


def fresh_form(form: ReachForm, row: Submission, reach: Reach) -> ReachForm:
    """Return the form with what was typed, for the record that counts now."""
    data = cast(QueryDict, form.data).copy()
    data["seen"] = safe_contact.version_of(reach.record)
    return ReachForm(submission=row, closed=closed_of(row), data=data)


def closed_of(row: Submission) -> dict[Channel, str]:
    """Map each channel whose address is closed to the reason: "revoked" or "dead"."""
    return {channel: state for channel, state in _states(row) if state in CLOSED}


def states_of(row: Submission) -> Iterator[str]:
    """Yield in words what the clinic knows of each address."""
    words = {"verified": _("the patient read a code there"), "open": _("not verified"), **CLOSED}
    for channel, state in _states(row):
        yield f"{WAYS[channel]}: {words[state]}"


def _states(row: Submission) -> Iterator[tuple[Channel, str]]:
    addresses: dict[Channel, str] = {
        "email": row.person.get("email", ""),
        "sms": row.person.get(PHONE, ""),
    }
    known = contact_points.states_of([pair for pair in addresses.items() if pair[1]])
    for channel, address in addresses.items():
        if not address:
            continue
        point = known.get((channel, address))
        if point and not point.is_open:
            yield channel, "revoked" if point.revoked_at else "dead"
        else:
            yield channel, "verified" if point and point.verified_at else "open"


def records_of(row: Submission) -> list[SafeContact]:
    """Return the records that count for the submission's patient, the newest first."""
    newest = newest_records([row]).get(row.pk)
    if newest is None:
        return []
    rows = SafeContact.objects.filter(submission=newest.submission_id)
    return list(rows.select_related("by").order_by("-at", "-id"))


def record_words(record: SafeContact) -> dict[str, Any]:
    """Return a record in words: who said it, when, and what."""
    return {
        "at": record.at,
        "source": record.get_source_display(),
        "by": person_words(record.by) if record.by else _("the patient"),
        "said": [
            (label, VALUES.get(record.said[name], record.said[name]))
            for name, label in SAID.items()
            if record.said.get(name)
        ],
    }
