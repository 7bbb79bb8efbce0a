"""The patient says on the own page how the clinic may reach the patient."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from clinic.requests import Request
from intake.errors import Conflict
from intake.forms.fields import PlainTextField
from intake.models.access import Grant
from intake.models.appointments import TimeOfDay
from intake.models.safe_contact import SafeContact
from intake.models.submissions import Submission
from intake.my_page.browser_key import with_grant
from intake.ways import safe_contact
from intake.ways.contact import NO, YES, reach_of, said_of
from intake.wording.reading import VOICEMAIL

ANY = "any"
CALLS = {
    ANY: _("Yes, at any time"),
    TimeOfDay.MORNING.value: _("Yes, but only in the morning"),
    TimeOfDay.MIDDAY.value: _("Yes, but only around midday"),
    TimeOfDay.AFTERNOON.value: _("Yes, but only in the afternoon"),
    NO: _("No, please do not call me at all"),
}
HEARS = {
    "as_before": _("As I said before"),
    "no_one": _("No one but me"),
    "person": _("This person:"),
}


class ReachForm(forms.Form):
    """May we call, may we leave a message, and who else may hear.

    The page names nobody: who reads the mailbox may not be the patient.
    """

    calls = forms.ChoiceField(
        label=_("May we call you?"), choices=list(CALLS.items()), widget=forms.RadioSelect
    )
    voicemail = forms.ChoiceField(
        label=_("May we leave a voice message?"),
        help_text=_("We say only our short name and our number."),
        choices=list(VOICEMAIL.items()),
        widget=forms.RadioSelect,
    )
    hears = forms.ChoiceField(
        label=_("Who else may talk with us about this?"),
        choices=list(HEARS.items()),
        initial="as_before",
        widget=forms.RadioSelect,
    )
    person = PlainTextField(label=_("The name of this person"), max_length=120, required=False)
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=36)

    def __init__(self, *, submission: Submission, data: Any = None) -> None:
        self.reach = reach_of(submission)
        said = said_of(self.reach.record, submission.person)
        calls = NO if said["call"] == NO else said.get("hours", ANY)
        initial = {
            "calls": calls,
            "voicemail": said["voicemail"],
            "seen": safe_contact.version_of(self.reach.record),
        }
        super().__init__(data=data, initial=initial)
        for name in ("calls", "voicemail", "hears"):
            self.fields[name].error_messages["required"] = gettext("Choose one answer.")

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("calls") == NO and not self.reach.letters:
            self.add_error(
                "calls",
                gettext("Then we could not reach you at all. Please call us to change it."),
            )
        if data.get("hears") == "person" and not data.get("person"):
            self.add_error("person", gettext("Write the name of the person."))
        return data

    def said(self) -> dict[str, str]:
        """Return what the patient said, as a record stores it. The form must be valid."""
        data = self.cleaned_data
        calls = data["calls"]
        said = {"call": NO if calls == NO else YES, "voicemail": data["voicemail"]}
        if calls != NO:
            said["hours"] = "" if calls == ANY else calls
        if data["hears"] != "as_before":
            said["hears"] = data["person"] if data["hears"] == "person" else ""
        return said


@require_http_methods(["GET", "HEAD", "POST"])
@with_grant
def change_reach(request: Request, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Ask how the clinic may reach the patient, and store the answer."""
    if request.method != "POST":
        return _page(request, ReachForm(submission=submission))
    form = ReachForm(submission=submission, data=request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        safe_contact.record(
            submission=submission,
            said=form.said(),
            source=SafeContact.Source.OWN_PAGE,
            seen=form.cleaned_data["seen"],
            request_id=request.request_id,
        )
    except Conflict:  # another window, or staff, was first: show what counts now
        notice = gettext(
            "This was changed meanwhile. Here is what counts now. Please choose again."
        )
        return _page(request, ReachForm(submission=submission), notice=notice, status=409)
    return redirect("intake:my")


def _page(
    request: Request, form: ReachForm, *, notice: str = "", status: int = 200
) -> HttpResponse:
    return render(request, "my/reach.html", {"form": form, "notice": notice}, status=status)
