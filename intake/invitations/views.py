"""The page on which a patient opens an invitation, and says that he or she does not want to answer.

No URL names an invitation: the patient types the code. The page shows nothing that the clinic
knows.
"""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import limits
from clinic.requests import Request
from intake.errors import Refused
from intake.invitations import inviting, opening
from intake.invitations.forms import OpenForm
from intake.models.invitations import Invitation
from intake.questionnaire.views import replacing
from intake.questionnaire.views.browser import draft_of
from intake.questionnaire.views.not_served import when_not_served
from intake.questionnaire.views.part_2 import to_first_open
from intake.questionnaire.views.request_limits import (
    HOUR,
    count_start,
    too_often_words,
    with_retry_after,
)


def show(request: Request, form: OpenForm, *, status: int = 200, notice: str = "") -> HttpResponse:
    return render(request, "intake/invited.html", {"form": form, "notice": notice}, status=status)


def show_typed(request: Request, *, status: int, notice: str) -> HttpResponse:
    return show(request, OpenForm(data=request.POST), status=status, notice=notice)


@when_not_served(show_typed)
@require_http_methods(["GET", "HEAD", "POST"])
def invited(request: Request) -> HttpResponse:
    """Open an invitation, or decline it. The answer is the same for a wrong code and birth date."""
    if request.method != "POST":
        return show(request, OpenForm())
    form = OpenForm(data=request.POST)
    if not form.is_valid():
        return show(request, form, status=422)
    tries = limits.Limit(f"code-peer:{limits.peer(request)}", settings.LIMIT_TRIES_PEER, HOUR)
    if seconds := limits.take_all(tries) or count_start(request):
        notice = too_often_words(seconds)
        return with_retry_after(show(request, form, status=429, notice=notice), seconds)
    row = opening.find(**form.cleaned_data, request_id=request.request_id)
    if row is None:
        form.add_error(
            None,
            _(
                "This code and this date of birth do not open anything. Check both. After 3 wrong "
                "tries the code stops working, and we call you. You can also call us at %(phone)s."
            )
            % {"phone": settings.CLINIC_PHONE},
        )
        return show(request, form, status=422)
    if request.POST.get("go") == "decline":
        inviting.decline(invitation=row, request_id=request.request_id)
        return redirect("intake:declined")
    return _begin(request, form, row)


def _begin(request: Request, form: OpenForm, row: Invitation) -> HttpResponse:
    """Begin the questions in this browser. Other unsent answers are replaced only if agreed."""
    here = draft_of(request)
    is_other = here is not None and here.pk != row.draft_id
    if is_other and (question := replacing.ask_first(request, here, carried=form.controls)):
        return question
    try:
        draft, key = opening.begin(
            invitation=row,
            language=get_language() or "en",
            device=request.POST.get("device", ""),
            request_id=request.request_id,
        )
    except Refused as refused:
        return show(request, form, status=409, notice=str(refused))
    if is_other:
        replacing.make_room(here)
    return to_first_open(draft, key)


@require_http_methods(["GET", "HEAD"])
def declined(request: Request) -> HttpResponse:
    """Thank a patient who does not want to answer, and say what stays as it is."""
    return render(request, "intake/declined.html")
