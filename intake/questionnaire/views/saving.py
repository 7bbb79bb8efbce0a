"""Save a draft for later: ask for the address to which a code may be sent, show the reference."""

from datetime import datetime

from django.forms import Form
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.requests import Request
from intake import mail_address
from intake.access.forms import SaveForm
from intake.draft_content import SAVE, SAVED_ADDRESS
from intake.errors import Conflict, Gone
from intake.models.submissions import Draft, Kind
from intake.questionnaire import answering
from intake.questionnaire.views.browser import draft_missing, reach_words, with_draft
from intake.questionnaire.views.not_served import when_not_served
from intake.questionnaire.views.request_limits import (
    count_send,
    may_write_to,
    too_often_words,
    with_retry_after,
)
from intake.questionnaire.views.returned import returned_page, see_other_page, typed_of
from intake.questionnaire.walk import Walk


def show_typed(request: Request, *, status: int, notice: str) -> HttpResponse:
    return show(
        request, None, SaveForm(data=request.POST), status=status, notice=notice or _("Try again.")
    )


@when_not_served(show_typed)
@require_http_methods(["GET", "HEAD", "POST"])
@with_draft
def save(request: Request, *, draft: Draft, walk: Walk) -> HttpResponse:
    """Ask where a code may be sent, then show the reference. This browser can also just go on.

    A draft that has an address is saved with each answer. So the address is asked only once, or
    again if the patient wants another address (`change` in the query).
    """
    if request.method != "POST":
        return _show_page(request, draft, walk)
    form = _form(walk, request.POST)
    try:
        if not form.is_valid():
            answering.give_back(draft=draft, step=SAVE, posted=typed_of(request.POST))
            return see_other_page("intake:save")
        if seconds := count_send(request):
            notice = too_often_words(seconds)
            again = show(request, walk, form, status=429, notice=notice)
            return with_retry_after(again, seconds)
        address = form.cleaned_data["address"]
        answering.save_for_later(
            draft=draft,
            address=address,
            kept=bool(form.left_blank),
            remind=not form.cleaned_data["quiet"],
            may_tell=lambda: may_write_to(address, "save"),
        )
    except Gone:
        return draft_missing(request)
    except Conflict as conflict:
        return show(request, walk, form, status=409, notice=str(conflict))
    return see_other_page("intake:save")


def _show_page(request: Request, draft: Draft, walk: Walk) -> HttpResponse:
    """Show the form: blank, or as it came back. Show the reference if the draft is saved."""
    if returned := returned_page(walk, SAVE):
        form = _form(walk, returned.posted)
        return show(request, walk, form, status=200 if form.is_valid() else 422)
    if draft.reference and "change" not in request.GET:
        return _show_saved(request, draft, walk)
    return show(request, walk, _form(walk), status=200)


def _form(walk: Walk, data: QueryDict | None = None) -> SaveForm:
    """Return the form with the address that the draft has, if the veil does not hide it."""
    known, veiled = known_address(walk)
    initial = {} if veiled else {"address": mail_address.readable_form(known)}
    form = SaveForm(data=data, initial=initial)
    form.keep({"address": {"address": known}} if veiled else {})
    return form


def _show_saved(request: Request, draft: Draft, walk: Walk) -> HttpResponse:
    """Show the reference, and how to come back."""
    told = datetime.fromisoformat(walk.content.saved["at"])
    context = {
        "reference": draft.reference,
        "again": told < timezone.now() - answering.TELLS_ONCE_IN,
        "mailed": "@" in walk.content.saved["address"],
        "reach": reach_words(walk),
        "own": draft.on_own_device,
    }
    return render(request, "intake/saved.html", context)


def known_address(walk: Walk) -> tuple[str, bool]:
    """Return the address that the patient gave in this draft, and whether it is veiled.

    In an addition and in part 2, the address in the contact of the earlier submission is left out,
    because a patient who opened that submission with a code sent to a phone may not know it.
    """
    veiled = walk.content.veiled_contact
    if saved := walk.content.saved.get("address"):
        return saved, SAVED_ADDRESS in veiled
    contact = {} if walk.kind in (Kind.ADDITION, Kind.PART_2) else walk.content.contact
    email = contact.get("email", "")
    return email, bool(email) and "email" in veiled


def show(
    request: Request, walk: Walk | None, form: Form, *, status: int, notice: str = ""
) -> HttpResponse:
    context = {"form": form, "notice": notice}
    return render(request, "intake/save.html", context, status=status)
