"""Show the free slots, and hold the slot that the patient chooses."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.requests import Request
from intake.appointments import free_times, holds, taking
from intake.appointments.forms import CALL, WAIT, TimesForm
from intake.appointments.slot_gone import SlotGone
from intake.appointments.views import choosing
from intake.draft_content import APPOINTMENT
from intake.errors import Refused
from intake.models.appointments import WishedVisit
from intake.models.submissions import Draft, Urgency
from intake.questionnaire import held_time
from intake.questionnaire.views import two_times, two_windows
from intake.questionnaire.views.browser import reach_words
from intake.questionnaire.views.page_parts import (
    back_url,
    panel_cards,
    progress,
    red_flag_cards,
    redirect_onward,
    step_context,
    unexpected_fields,
)
from intake.questionnaire.views.returned import (
    GONE,
    KEPT,
    LANGUAGE,
    LOST,
    Returned,
    give_back,
    returned_page,
    switch_language,
)
from intake.questionnaire.walk import Walk
from intake.ways.contact import way_to
from intake.wording.languages import if_foreign

CHOOSE = {"slot", "visit", "who", "where", "first", "next"}
LOST_WORDS = gettext_lazy(
    "We held your time as long as we could, but another patient has booked it now. "
    "We kept your answers. Please choose another time."
)


def times_step(request: Request, draft: Draft, walk: Walk) -> HttpResponse:
    """Show the free slots, or save the choice: a slot, a call, or the waiting list."""
    if LANGUAGE in request.POST:
        return switch_language(request, draft, walk, APPOINTMENT)
    if not free_times.may_choose(urgency_level(walk)):
        return _no_times(request, draft, walk)
    if request.method != "POST":
        if returned := returned_page(walk, APPOINTMENT):
            return _show_returned(request, draft, walk, returned)
        form = choosing.form_of(initial=_initial(walk.content.wish))
        return show_times(request, draft, walk, form)
    if choosing.is_other_list(request):
        wanted = choosing.data_of_other_list(request)
        return give_back(request, draft, walk, APPOINTMENT, posted=wanted, why=KEPT)
    if two_windows.CHOOSES in request.POST:
        answer = two_times.chosen(request, draft, walk)
        return answer if isinstance(answer, HttpResponse) else _choose(request, draft, walk, answer)
    return _choose(request, draft, walk, request.POST)


def _choose(request: Request, draft: Draft, walk: Walk, posted: QueryDict) -> HttpResponse:
    """Save the choice and redirect onward. If the choice is not possible, show the list again.

    If another window has chosen another time since the list was shown, nothing is saved, and the
    patient is asked which time counts.
    """
    form = _judged(posted)
    if request.POST.get("go") == "save" and not form.chosen:
        return redirect("intake:save")
    if form.errors or two_times.differs_from_other(draft, walk, form, posted):
        return give_back(request, draft, walk, APPOINTMENT, posted=posted)
    try:
        after = _save_choice(request, draft, form)
    except SlotGone:
        return give_back(request, draft, walk, APPOINTMENT, posted=posted, why=GONE)
    except Refused as refused:
        return give_back(request, draft, walk, APPOINTMENT, posted=posted, notice=str(refused))
    return redirect_onward(request, after, APPOINTMENT)


def _judged(posted: QueryDict) -> TimesForm:
    """Return the form with what was posted and its errors."""
    form = choosing.form_of(posted)
    if problem := unexpected_fields(posted, CHOOSE):
        form.add_error(None, problem)
    if not form.chosen and not form.errors:
        form.add_error("slot", _("Choose a time."))
    return form


def _show_returned(request: Request, draft: Draft, walk: Walk, returned: Returned) -> HttpResponse:
    """Show the list as it came back: other times, an error, or a slot that is not free any more."""
    posted = two_windows.without_choices(returned.posted)
    shown = posted.get("revision", draft.revision)
    if returned.why in (KEPT, GONE, LOST):
        form = choosing.form_of(posted)
        if returned.why == KEPT:
            return show_times(request, draft, walk, form, revision=shown)
        return show_near(request, draft, walk, form, LOST_WORDS if returned.why == LOST else "")
    form = _judged(posted)
    if returned.notice and not form.errors:
        form.add_error(None, returned.notice)
        return show_times(request, draft, walk, form, status=409, revision=shown)
    if not form.errors and two_times.differs_from_other(draft, walk, form, posted):
        try:
            return two_times.show_choice(request, draft, walk, form, returned.posted)
        except SlotGone:
            return show_near(request, draft, walk, form, "")
    status = 422 if form.errors else 200
    return show_times(request, draft, walk, form, status=status, revision=shown)


def _save_choice(request: Request, draft: Draft, form: TimesForm) -> Walk:
    """Save the chosen slot, call or place on the waiting list. Raises SlotGone and Refused."""
    kind = form.visit_type
    if form.chosen in (CALL, WAIT) or kind is None:
        waits = form.chosen == WAIT and kind is not None
        visit = kind.kind if waits and kind else WishedVisit.CALL_ME
        return held_time.choose_no_time(
            draft=draft, visit_type=visit, waitlist=waits, request_id=request.request_id
        )
    return held_time.choose_time(
        draft=draft, slot=form.chosen, visit_type=kind, request_id=request.request_id
    )


def _no_times(request: Request, draft: Draft, walk: Walk) -> HttpResponse:
    """Ask an urgent patient to call, and show no slots. A POST goes on to the check page."""
    if request.method == "POST":
        after = held_time.choose_no_time(
            draft=draft, visit_type=WishedVisit.CALL_ME, request_id=request.request_id
        )
        return redirect_onward(request, after, APPOINTMENT)
    context = _context(request, walk, TimesForm(types=(), people=(), places=()))
    context["panels"] = red_flag_cards(walk)
    told_in = walk.words.language_of(walk.assessment.urgency)
    context |= {"told_in": told_in, "spoken": if_foreign(told_in)}
    return render(request, "intake/call_us.html", context)


def show_times(
    request: Request,
    draft: Draft,
    walk: Walk,
    form: TimesForm,
    *,
    status: int = 200,
    revision: object = None,
) -> HttpResponse:
    """Show the list of the free slots that the urgency allows.

    `revision` is the revision of the draft that an earlier page showed; None for a new page.
    """
    urgency = urgency_level(walk)
    shown = choosing.list_context(form, urgency)
    shown["revision"] = draft.revision if revision is None else revision
    return _render(request, draft, walk, form, shown, status=status)


def show_near(
    request: Request,
    draft: Draft,
    walk: Walk,
    form: TimesForm,
    notice: Promise | str,
) -> HttpResponse:
    """Say that the chosen slot is taken, and show the nearest free slots."""
    shown = choosing.near_context(form, urgency_level(walk))
    return _render(
        request, draft, walk, form, shown, status=409, notice=notice or choosing.gone_words(shown)
    )


def lost_time(request: Request, draft: Draft, walk: Walk) -> HttpResponse:
    """Redirect to the nearest free slots after the hold expired and another patient took it."""
    row = held_time.chosen_appointment(draft, walk.content.wish)
    posted = QueryDict(mutable=True)
    if row:
        posted["visit"], posted["slot"] = str(row.visit_type_id), taking.key_of(row)
    return give_back(request, draft, walk, APPOINTMENT, posted=posted, why=LOST)


def urgency_level(walk: Walk) -> int:
    return int(Urgency.of(walk.assessment.urgency))


def _initial(wish: Mapping[str, Any]) -> dict[str, str]:
    """Return the choice that is ticked when the patient comes back: a call or the waiting list.

    For a held slot nothing is returned, because the page itself ticks the held slot.
    """
    if not wish or "chosen" in wish:
        return {}
    return {"slot": WAIT if wish.get("waitlist") else CALL}


def _context(request: Request, walk: Walk, form: TimesForm) -> dict[str, Any]:
    part = progress(walk, APPOINTMENT)
    return step_context(walk.words, walk.protocol.approved, APPOINTMENT, form, part=part) | {
        "back_url": back_url(request, walk, APPOINTMENT),
        "panels": panel_cards(walk),
        "change": bool(request.GET.get("change")),
        "reach": reach_words(walk),
    }


def _render(
    request: Request,
    draft: Draft,
    walk: Walk,
    form: TimesForm,
    shown: dict[str, Any],
    *,
    status: int,
    notice: Promise | str = "",
) -> HttpResponse:
    held = holds.held_by(draft=draft) if walk.content.wish.get("chosen") else None
    context = {"revision": draft.revision} | _context(request, walk, form) | shown
    context |= {
        "notice": notice,
        "urgent_days": choosing.days_of(urgency_level(walk)),
        "held": choosing.held_words(held) if held else None,
        "instead": [
            (CALL, _("Call me to arrange it")),
            *(
                [(WAIT, _("Put me on the waiting list and tell me when a time becomes free"))]
                if way_to(walk.content.contact)
                else []
            ),
        ],
    }
    return render(request, "intake/times.html", context, status=status)
