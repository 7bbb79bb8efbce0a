"""Choose a free time on the own page, for a first visit or for a visit that is moved."""

from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from clinic.pagecache import blank, repeated
from clinic.requests import Request
from intake.access import grants
from intake.appointments import booking, changing, free_times, holds, taking
from intake.appointments.book import FreeTime
from intake.appointments.forms import TimesForm
from intake.appointments.holds import Standing
from intake.appointments.slot_gone import SlotGone
from intake.appointments.views import choosing
from intake.appointments.views.visit_words import may_change, may_choose, words_of
from intake.errors import Refused
from intake.models.access import Grant
from intake.models.appointments import Appointment
from intake.models.clinic_time import VisitType
from intake.models.submissions import Submission
from intake.my_page.browser_key import with_grant
from intake.my_page.returned import CONFIRM, TIMES, give_back, returned_page
from intake.my_page.status_page import with_refusals
from intake.questionnaire.views.returned import GONE, KEPT, NOT_TYPED, Returned

LONGEST_KEY = 1000  # a page is remembered only if its posted fields have fewer characters in all
FIELDS = {"slot", "visit", "who", "where", "first", "replaces"}


@require_http_methods(["GET", "HEAD", "POST"])
@with_grant
@with_refusals
def choose_time(request: Request, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Show the free times. After a choice, ask the patient to confirm it, or book or move.

    Every other list that the patient asks for, and every error, comes back by a redirect.
    """
    mine = _standing(submission)
    if mine is None:
        return redirect("intake:my")
    only = mine.visit.visit_type if mine.visit else None
    if request.method != "POST":
        returned = returned_page(grant, TIMES)
        posted = returned.posted if returned else None
        return _show(request, submission, mine, choosing.form_of(posted, only=only), returned)
    if choosing.is_other_list(request):
        wanted = choosing.data_of_other_list(request)
        return give_back(request, grant, TIMES, "intake:times", posted=wanted, why=KEPT)
    answer_key = _answer_key(request.POST, submission, mine)
    if answer_key and (html := repeated.page_for(answer_key, before=mine.at)):
        # one of a crowd is told at once, without a write (decision 0044)
        return blank.serve(request, html, status=409)
    form = _judged(request.POST, only)
    if form.errors or form.visit_type is None:
        return give_back(request, grant, TIMES, "intake:times")
    try:
        return _take(request, grant, submission, mine, form)
    except SlotGone as gone:
        if answer_key:
            _remember(request, answer_key, _taken_context(submission, mine, form, gone.nearest))
        return give_back(request, grant, TIMES, "intake:times", why=GONE)


@require_safe
@with_grant
@with_refusals
def confirm_time(request: Request, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Ask the patient to confirm the chosen time.

    Until then, the time of a first visit is held, and a visit to be moved stays as it is.
    """
    mine, returned = _standing(submission), returned_page(grant, TIMES)
    if mine is None:
        return redirect("intake:my")
    if returned is None or returned.why != CONFIRM:
        return redirect("intake:times")
    only = mine.visit.visit_type if mine.visit else None
    form = choosing.form_of(returned.posted, only=only)
    if form.visit_type is None:
        return redirect("intake:times")
    context: dict[str, Any] = {"slot": form.chosen, "kind": str(form.visit_type.pk)}
    context["replaces"] = _visit_key(mine)
    if mine.visit:
        try:
            free = changing.time_to_move_to(appointment=mine.visit, slot=form.chosen)
        except SlotGone as gone:
            return _show_taken(request, submission, mine, form, gone.nearest)
        context |= {"to": choosing.free_words(free), "visit": words_of(mine.visit)}
    elif mine.held and taking.key_of(mine.held) == form.chosen:
        until = choosing.held_words(mine.held)["until"]
        context |= {"to": words_of(mine.held), "until": until}
    else:  # the hold is over, or another window holds another time
        return redirect("intake:times")
    return render(request, "my/confirm_time.html", context)


def _standing(submission: Submission) -> Standing | None:
    """Return what the patient has booked and holds; None if the patient may not choose a time.

    Raises Refused if it is too late to move the visit.
    """
    mine = holds.standing_of(submission=submission)
    if mine.visit and not may_change(mine.visit):
        raise Refused(_("It is too late to change this here. Please call us."))
    return mine if _may_choose(submission, mine) else None


def _visit_key(mine: Standing) -> str:
    """Return the key of the visit's slot, or '' without a visit."""
    return taking.key_of(mine.visit) if mine.visit else ""


def _judged(posted: QueryDict, only: VisitType | None) -> TimesForm:
    """Return the form with what was posted and its errors."""
    form = choosing.form_of(posted, only=only)
    if not form.chosen:
        form.add_error("slot", _("Choose a time."))
    return form


def _take(
    request: Request, grant: Grant, submission: Submission, mine: Standing, form: TimesForm
) -> HttpResponse:
    """Book the time, or hold the time and ask the patient to confirm it. Raises SlotGone.

    If another window has booked or moved the visit since the page was shown, the patient is asked
    to confirm once more. That page shows both times.
    """
    replaces = request.POST.get("replaces", _visit_key(mine))
    is_as_shown = replaces == _visit_key(mine) or form.chosen == _visit_key(mine)
    if request.POST.get("go") == "book" and is_as_shown:
        _book(request, submission, mine, form)
        grants.drop(grant=grant, pages=[TIMES])
        return redirect("intake:my")
    if mine.visit is None:
        _held(request, submission, mine, form)
    else:
        changing.time_to_move_to(appointment=mine.visit, slot=form.chosen)
    return give_back(request, grant, TIMES, "intake:confirm_time", why=CONFIRM)


def _may_choose(submission: Submission, mine: Standing) -> bool:
    """Whether the patient may choose a time, for a first visit or to move the visit."""
    may_begin = mine.visit is not None or may_choose(submission)
    return may_begin and free_times.may_choose(submission.urgency)


def _show(
    request: Request,
    submission: Submission,
    mine: Standing,
    form: TimesForm,
    returned: Returned | None,
) -> HttpResponse:
    """Show the list as asked for, or as it came back: with an error, or for a slot that is gone."""
    if returned and returned.why == GONE:
        answer_key = _answer_key(returned.posted, submission, mine)
        if answer_key and (html := repeated.page_for(answer_key, before=mine.at)):
            return blank.serve(request, html, status=409)
        return _show_taken(request, submission, mine, form)
    if returned and not returned.why and not form.chosen:
        form.add_error("slot", _("Choose a time."))
    shown = choosing.list_context(form, submission.urgency)
    context = _list_context(submission, mine, shown)
    status = 422 if returned and not returned.why and form.errors else 200
    return render(request, "my/times.html", context, status=status)


def _show_taken(
    request: Request,
    submission: Submission,
    mine: Standing,
    form: TimesForm,
    nearest: Iterable[FreeTime] = (),
) -> HttpResponse:
    """Show that the time is taken, with the nearest free times."""
    context = _taken_context(submission, mine, form, nearest)
    return render(request, "my/times.html", context, status=409)


def _taken_context(
    submission: Submission, mine: Standing, form: TimesForm, nearest: Iterable[FreeTime]
) -> dict[str, Any]:
    if mine.held and taking.key_of(mine.held) == form.chosen:
        mine = replace(mine, held=None)  # another patient has the time, although it was held
    shown = choosing.near_context(form, submission.urgency, nearest)
    return _list_context(submission, mine, shown, choosing.gone_words(shown))


def _remember(request: Request, answer_key: tuple[Hashable, ...], context: dict[str, Any]) -> None:
    """Remember the page of a time that has just been found taken, for the crowd behind."""
    repeated.remember(answer_key, blank.make("my/times.html", context, path=request.path))


def _answer_key(
    posted: QueryDict, submission: Submission, mine: Standing
) -> tuple[Hashable, ...] | None:
    """Return what the "slot taken" page depends on: the posted fields and the urgency.

    Returns None when the patient has a visit or a held time, because the page then also shows the
    visit or the held time. Returns None when fields were posted that the list does not have, so
    that nothing personal is remembered.
    """
    names = posted.keys() - NOT_TYPED - {"next"}  # the page does not depend on the list behind it
    if mine.visit or mine.held or not names <= FIELDS:
        return None
    values = tuple((name, *posted.getlist(name)) for name in sorted(names))
    return (values, submission.urgency) if len(str(values)) < LONGEST_KEY else None


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
