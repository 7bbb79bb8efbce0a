"""What a patient does with a visit on the own page: accept, choose, move, cancel, wait.

Nothing here takes an id of a visit: it is the one of what the code opened. Of offers and times the
service says whose they are and whether they can be had.
"""

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.pagecache import blank
from intake.access import codes
from intake.access.forms import ReplyForm
from intake.appointments import (
    booking,
    changing,
    free_times,
    holds,
    offers,
    repeated_refusals,
    taking,
    waiting_list,
)
from intake.appointments.calendar_file import NAME, calendar_file, media_type
from intake.appointments.forms import TimesForm
from intake.appointments.holds import Standing
from intake.appointments.slot_gone import SlotGone
from intake.appointments.views import choosing
from intake.appointments.views.visit_words import may_change, may_choose, words_of
from intake.domain import workflow
from intake.errors import Conflict, Refused
from intake.models.access import Grant
from intake.models.appointments import Appointment, Offer
from intake.models.submissions import Submission, Urgency
from intake.my_page.views import key_of, show, with_grant

ASKED = {"slot", "visit", "who", "where", "first", "next", "go"}
MOST_SAID = 1000  # letters of a form whose answer is remembered
REFUSALS = (Conflict, Refused, workflow.NotAllowed)


def visit_of(submission: Submission) -> Appointment | None:
    """The appointment that is booked, or None."""
    return submission.appointments.filter(status="confirmed").for_reading().first()


def _say(request: HttpRequest, grant: Grant, problem: Any) -> HttpResponse:
    """The page as things are now, with why it was not done."""
    fresh = codes.grant_of(key_of(request)) or grant
    return show(request, fresh, ReplyForm(), status=409, notice=str(problem))


@require_http_methods(["GET", "HEAD", "POST"])
@with_grant
def offer(request: HttpRequest, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Accept one of the offered times, or none of them."""
    if request.method != "POST":
        return redirect("intake:my")
    rid = request.request_id
    if request.POST.get("go") == "none":
        for each in offers.open_offers(submission=submission):
            try:
                offers.decline(offer=each, submission=submission, request_id=rid)
            except Conflict:  # answered meanwhile
                continue
        return redirect("intake:my")
    told = request.POST.get("offer", "")
    rows = Offer.objects.filter(request__submission=submission).select_related("appointment")
    chosen = next((row for row in rows if str(row.pk) == told), None)
    if chosen is None:
        return _say(request, grant, _("Choose one of the times that we offer you."))
    try:
        offers.accept(offer=chosen, submission=submission, request_id=rid)
    except REFUSALS as problem:
        return _say(request, grant, problem)
    return redirect("intake:my")


# --- choosing a time, for a first visit or another time -------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@with_grant
def choose_time(request: HttpRequest, *, grant: Grant, submission: Submission) -> HttpResponse:
    """A free time from the list, then a page to confirm it, then it is booked or moved."""
    mine = holds.standing_of(submission=submission)
    if mine.visit and not may_change(mine.visit):
        return _say(request, grant, _("It is too late to change this here. Please call us."))
    if mine.visit is None and not may_choose(submission):
        return redirect("intake:my")
    if not free_times.may_choose(submission.urgency):
        return redirect("intake:my")
    only = mine.visit.visit_type if mine.visit else None
    asked = _asked(request, submission, mine)
    if asked and (html := repeated_refusals.page_for(asked, before=mine.at)):
        return blank.serve(request, html, status=409)
    if request.method != "POST":
        return _list(request, submission, mine, choosing.form_of(only=only))
    if choosing.is_other_list(request):
        return _list(
            request,
            submission,
            mine,
            choosing.form_of(choosing.data_of_other_list(request), only=only),
        )
    form = choosing.form_of(request.POST, only=only)
    if not form.chosen:
        form.add_error("slot", _("Choose a time."))
    if form.errors or form.visit_type is None:
        return _list(request, submission, mine, form, status=422)
    try:
        if request.POST.get("go") == "book":
            _book(request, submission, mine, form)
            return redirect("intake:my")
        return _ask(request, submission, mine, form)
    except SlotGone as gone:
        if mine.held and taking.key_of(mine.held) == form.chosen:
            mine = replace(mine, held=None)  # no more
        shown = choosing.near_context(form, submission.urgency, gone.nearest)
        context = _list_context(submission, mine, shown, choosing.gone_words(shown))
        if asked is None:
            return render(request, "my/times.html", context, status=409)
        html = blank.make("my/times.html", context, path=request.path)
        repeated_refusals.remember(asked, html)
        return blank.serve(request, html, status=409)
    except REFUSALS as problem:
        return _say(request, grant, problem)


def _asked(
    request: HttpRequest, submission: Submission, mine: Standing
) -> tuple[Hashable, ...] | None:
    """All that the answer depends on for somebody who has no visit and no time yet: the words that
    were posted, the urgency, the language. None where it depends on more, or where the form holds
    what no list of times asks: nothing of a person is remembered."""
    names = request.POST.keys() - {"csrfmiddlewaretoken"}
    if request.method != "POST" or mine.visit or mine.held or not names <= ASKED:
        return None
    said = tuple((name, *request.POST.getlist(name)) for name in sorted(names))
    return (said, submission.urgency, get_language()) if len(str(said)) < MOST_SAID else None


def _ask(
    request: HttpRequest, submission: Submission, mine: Standing, form: TimesForm
) -> HttpResponse:
    """Is it this one? A first visit is held meanwhile; of two, the old one stays until the move."""
    assert form.visit_type is not None  # the caller has looked
    if mine.visit is None:
        row = _held(request, submission, mine, form)
        to, until = words_of(row), choosing.held_words(row)["until"]
    else:
        free = changing.time_to_move_to(appointment=mine.visit, slot=form.chosen)
        to, until = choosing.free_words(free), ""
    context = {
        "to": to,
        "until": until,
        "visit": words_of(mine.visit) if mine.visit else None,
        "slot": form.chosen,
        "kind": str(form.visit_type.pk),
    }
    return render(request, "my/confirm_time.html", context)


def _held(
    request: HttpRequest, submission: Submission, mine: Standing, form: TimesForm
) -> Appointment:
    """The time held for the patient: the one held already, or newly so."""
    if mine.held and taking.key_of(mine.held) == form.chosen:
        return mine.held
    assert form.visit_type is not None
    return holds.hold(
        urgency=submission.urgency,
        person=submission.person,
        submission=submission,
        slot=form.chosen,
        visit_type=form.visit_type,
        request_id=request.request_id,
    )


def _book(request: HttpRequest, submission: Submission, mine: Standing, form: TimesForm) -> None:
    rid = request.request_id
    if mine.visit is None:
        row = _held(request, submission, mine, form)
        booking.confirm_hold(appointment=row, submission=submission, request_id=rid)
    elif taking.key_of(mine.visit) != form.chosen:  # the second of two clicks
        changing.reschedule(appointment=mine.visit, slot=form.chosen, request_id=rid)


def _list(
    request: HttpRequest,
    submission: Submission,
    mine: Standing,
    form: TimesForm,
    *,
    status: int = 200,
) -> HttpResponse:
    shown = choosing.list_context(form, submission.urgency)
    context = _list_context(submission, mine, shown)
    return render(request, "my/times.html", context, status=status)


def _list_context(
    submission: Submission, mine: Standing, shown: dict[str, Any], notice: str = ""
) -> dict[str, Any]:
    return shown | {
        "appointment": words_of(mine.visit) if mine.visit else None,
        "urgent": submission.urgency == Urgency.URGENT,
        "held": choosing.held_words(mine.held) if mine.held and not mine.visit else None,
        "instead": [],
        "notice": notice,
    }


# --- cancelling, waiting, the calendar ------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@with_grant
def cancel(request: HttpRequest, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Cancel the appointment, asked once: for another time, or for good."""
    visit = visit_of(submission)
    if visit is None:
        return redirect("intake:my")
    if not may_change(visit):
        return _say(request, grant, _("It is too late to change this here. Please call us."))
    go = request.POST.get("go")
    if request.method != "POST" or go not in ("again", "cancel"):
        return render(request, "my/cancel.html", {"appointment": words_of(visit)})
    try:
        changing.cancel(appointment=visit, again=go == "again", request_id=request.request_id)
    except REFUSALS as problem:
        return _say(request, grant, problem)
    return redirect("intake:my")


@require_POST
@with_grant
def wait(request: HttpRequest, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Join the waiting list, or leave it."""
    leaves = request.POST.get("go") == "leave"
    act = waiting_list.leave_waitlist if leaves else waiting_list.join_waitlist
    try:
        act(submission=submission, request_id=request.request_id)
    except REFUSALS as problem:
        return _say(request, grant, problem)
    return redirect("intake:my")


@require_safe
@with_grant
def calendar(request: HttpRequest, *, grant: Grant, submission: Submission) -> HttpResponse:
    """The appointment as a calendar file."""
    visit = visit_of(submission)
    if visit is None:
        return redirect("intake:my")
    response = HttpResponse(
        calendar_file(visit), content_type=f"{media_type(visit)}; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{NAME}"'
    return response
