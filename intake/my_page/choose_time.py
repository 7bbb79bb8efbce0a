"""Choose a free time on the own page, for a first visit or for a visit that is moved."""

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.pagecache import blank, repeated
from clinic.requests import Request
from intake.appointments import (
    booking,
    changing,
    free_times,
    holds,
    taking,
)
from intake.appointments.forms import TimesForm
from intake.appointments.holds import Standing
from intake.appointments.slot_gone import SlotGone
from intake.appointments.views import choosing
from intake.appointments.views.visit_words import may_change, may_choose, words_of
from intake.errors import Refused
from intake.models.access import Grant
from intake.models.appointments import Appointment
from intake.models.submissions import Submission
from intake.my_page.browser_key import with_grant
from intake.my_page.status_page import with_refusals

LONGEST_KEY = 1000  # a page is remembered only if its posted fields have fewer characters in all
FIELDS = {"slot", "visit", "who", "where", "first", "next", "go"}


@require_http_methods(["GET", "HEAD", "POST"])
@with_grant
@with_refusals
def choose_time(request: Request, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Show the free times, ask the patient to confirm one of them, then book or move the visit."""
    mine = holds.standing_of(submission=submission)
    if mine.visit and not may_change(mine.visit):
        raise Refused(_("It is too late to change this here. Please call us."))
    if not _may_choose(submission, mine):
        return redirect("intake:my")
    only = mine.visit.visit_type if mine.visit else None
    if request.method != "POST":
        return _show_list(request, submission, mine, choosing.form_of(only=only))
    if choosing.is_other_list(request):
        form = choosing.form_of(choosing.data_of_other_list(request), only=only)
        return _show_list(request, submission, mine, form)
    answer_key = _answer_key(request, submission, mine)
    if answer_key and (html := repeated.page_for(answer_key, before=mine.at)):
        return blank.serve(request, html, status=409)
    form = choosing.form_of(request.POST, only=only)
    if not form.chosen:
        form.add_error("slot", _("Choose a time."))
    if form.errors or form.visit_type is None:
        return _show_list(request, submission, mine, form, status=422)
    try:
        return _take(request, submission, mine, form)
    except SlotGone as gone:
        return _show_taken(request, submission, mine, form, gone, answer_key)


def _take(
    request: Request, submission: Submission, mine: Standing, form: TimesForm
) -> HttpResponse:
    """Book the time, or hold the time and ask the patient to confirm it. Raises SlotGone."""
    if request.POST.get("go") == "book":
        _book(request, submission, mine, form)
        return redirect("intake:my")
    return _confirm(request, submission, mine, form)


def _may_choose(submission: Submission, mine: Standing) -> bool:
    """Whether the patient may choose a time, for a first visit or to move the visit."""
    may_begin = mine.visit is not None or may_choose(submission)
    return may_begin and free_times.may_choose(submission.urgency)


def _show_taken(
    request: Request,
    submission: Submission,
    mine: Standing,
    form: TimesForm,
    gone: SlotGone,
    answer_key: tuple[Hashable, ...] | None,
) -> HttpResponse:
    """Show that the time is taken, with the nearest free times.

    The page is remembered under `answer_key`; None means that it is not remembered.
    """
    if mine.held and taking.key_of(mine.held) == form.chosen:
        mine = replace(mine, held=None)  # another patient has the time, although it was held
    shown = choosing.near_context(form, submission.urgency, gone.nearest)
    context = _list_context(submission, mine, shown, choosing.gone_words(shown))
    if answer_key is None:
        return render(request, "my/times.html", context, status=409)
    html = blank.make("my/times.html", context, path=request.path)
    repeated.remember(answer_key, html)
    return blank.serve(request, html, status=409)


def _answer_key(
    request: Request, submission: Submission, mine: Standing
) -> tuple[Hashable, ...] | None:
    """Return what the "slot taken" page depends on: the posted fields and the urgency.

    Returns None when the patient has a visit or a held time, because the page then also shows the
    visit or the held time. Returns None when fields were posted that the list does not have, so
    that nothing personal is remembered.
    """
    names = request.POST.keys() - {"csrfmiddlewaretoken"}
    if request.method != "POST" or mine.visit or mine.held or not names <= FIELDS:
        return None
    posted = tuple((name, *request.POST.getlist(name)) for name in sorted(names))
    key = (posted, submission.urgency)
    return key if len(str(posted)) < LONGEST_KEY else None


def _confirm(
    request: Request, submission: Submission, mine: Standing, form: TimesForm
) -> HttpResponse:
    """Ask the patient to confirm the time.

    Until then, the time of a first visit is held, and a visit to be moved stays as it is.
    """
    assert form.visit_type is not None  # choose_time has checked this
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


def _held(request: Request, submission: Submission, mine: Standing, form: TimesForm) -> Appointment:
    """Return the patient's held time. Holds the chosen time first if it is not held yet."""
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


def _book(request: Request, submission: Submission, mine: Standing, form: TimesForm) -> None:
    """Book the first visit, or move the visit. A second click changes nothing."""
    rid = request.request_id
    if mine.visit is None:
        row = _held(request, submission, mine, form)
        booking.confirm_hold(appointment=row, submission=submission, request_id=rid)
    elif taking.key_of(mine.visit) != form.chosen:
        changing.reschedule(appointment=mine.visit, slot=form.chosen, request_id=rid)


def _show_list(
    request: Request,
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
        "urgent_days": choosing.days_of(submission.urgency),
        "held": choosing.held_words(mine.held) if mine.held and not mine.visit else None,
        "instead": [],
        "notice": notice,
    }
