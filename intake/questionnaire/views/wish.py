"""The last step before checking: what visit the patient wishes for, or a free time chosen."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from clinic.pagecache import blank
from intake.appointments import free_times, holds, open_requests, taking
from intake.appointments.book import FreeTime
from intake.appointments.forms import CALL, WAIT, TimesForm
from intake.appointments.slot_gone import SlotGone
from intake.appointments.views import choosing
from intake.draft_content import APPOINTMENT
from intake.errors import Refused
from intake.models.appointments import WishedVisit
from intake.models.submissions import Draft, Kind, Urgency
from intake.questionnaire import drafts, held_time
from intake.questionnaire.forms.wish import Choices, WishForm
from intake.questionnaire.views.browser import reach_words
from intake.questionnaire.views.pages import (
    acceptable,
    back_url,
    before_sending,
    blank_of,
    onward,
    panels_of,
    show_step,
    step_context,
    unexpected_fields,
)
from intake.questionnaire.walk import Walk
from intake.ways.contact import way_to

CHOOSE = {"slot", "visit", "who", "where", "first", "next"}


def wish_step(request: HttpRequest, draft: Draft, walk: Walk, step: str) -> HttpResponse:
    """The appointment wished for; where the clinic lets patients choose, the time itself."""
    if settings.APPOINTMENT_MODE == "slots":
        return times_step(request, draft, walk)
    choices = choices_of(draft)
    if request.method != "POST" and not (walk.content.wish or walk.content.panel or request.GET):
        return blank.serve(request, blank_of(walk, step, choices))
    if request.POST.get("go") == "add":
        form = WishForm.with_one_more(request.POST, choices)
        return show_step(request, walk, step, form, status=200)
    form = WishForm(
        choices=choices,
        data=request.POST if request.method == "POST" else None,
        initial=WishForm.initial_of(walk.content.wish),
    )
    if not acceptable(request, form):
        if request.POST.get("go") == "save":
            return redirect("intake:save")
        return show_step(request, walk, step, form)
    if walk.kind == Kind.APPOINTMENT:
        try:
            open_requests.refuse_one_too_many(person=walk.content.contact)
        except Refused as refused:
            return show_step(request, walk, step, form, notice=str(refused), status=409)
    return onward(request, drafts.save_wish(draft=draft, wish=form.wish()), step)


def choices_of(draft: Draft) -> Choices:
    """What can be wished for: the clinic's locations, or the places of the settings before there
    are any; and its clinicians."""
    people = tuple((pk, name) for pk, name in draft.clinicians)
    return Choices(tuple(draft.places or settings.CLINIC_PLACES), people)


# --- choosing a free time -------------------------------------------------------------------------


def times_step(request: HttpRequest, draft: Draft, walk: Walk) -> HttpResponse:
    """A free time, held while the rest is filled in; or a call, or the waiting list."""
    urgency = urgency_of(walk)
    if not free_times.may_choose(urgency):
        return _no_times(request, draft, walk)
    if request.method != "POST":
        form = choosing.form_of(initial=_initial(walk.content.wish))
        return show_times(request, draft, walk, form)
    if choosing.is_other_list(request):
        form = choosing.form_of(choosing.data_of_other_list(request))
        return show_times(request, draft, walk, form)
    form = choosing.form_of(request.POST)
    if problem := unexpected_fields(request.POST, CHOOSE):
        form.add_error(None, problem)
    if request.POST.get("go") == "save" and not form.chosen:
        return redirect("intake:save")
    if not form.chosen and not form.errors:
        form.add_error("slot", _("Choose a time."))
    if form.errors:
        return show_times(request, draft, walk, form, status=422)
    kind = form.visit_type
    if form.chosen in (CALL, WAIT) or kind is None:
        waits = form.chosen == WAIT and kind is not None
        visit = kind.kind if waits and kind else WishedVisit.CALL_ME
        after = held_time.choose_none(
            draft=draft, visit_type=visit, waitlist=waits, request_id=request.request_id
        )
        return onward(request, after, APPOINTMENT)
    try:
        after = held_time.choose_time(
            draft=draft, slot=form.chosen, visit_type=kind, request_id=request.request_id
        )
    except SlotGone as gone:
        return show_near(request, draft, walk, form, known=gone.nearest)
    except Refused as refused:
        form.add_error(None, str(refused))
        return show_times(request, draft, walk, form, status=409)
    return onward(request, after, APPOINTMENT)


def _no_times(request: HttpRequest, draft: Draft, walk: Walk) -> HttpResponse:
    """What cannot wait for an appointment: no list, the telephone, and on to sending."""
    if request.method == "POST":
        after = held_time.choose_none(
            draft=draft, visit_type=WishedVisit.CALL_ME, request_id=request.request_id
        )
        return onward(request, after, APPOINTMENT)
    context = _context(request, walk, TimesForm(types=(), people=(), places=()))
    context["panels"] = before_sending(walk)
    return render(request, "intake/call_us.html", context)


def show_times(
    request: HttpRequest, draft: Draft, walk: Walk, form: TimesForm, *, status: int = 200
) -> HttpResponse:
    urgency = urgency_of(walk)
    shown = choosing.list_context(form, urgency)
    return _render(request, draft, walk, form, shown, status=status)


def show_near(
    request: HttpRequest,
    draft: Draft,
    walk: Walk,
    form: TimesForm,
    notice: str = "",
    known: Iterable[FreeTime] = (),
) -> HttpResponse:
    """The time cannot be had: say so, with the nearest that can. Nothing else is lost."""
    shown = choosing.near_context(form, urgency_of(walk), known)
    return _render(
        request, draft, walk, form, shown, status=409, notice=notice or choosing.gone_words(shown)
    )


def lost_time(request: HttpRequest, draft: Draft, walk: Walk) -> HttpResponse:
    """Somebody else has the time that was held too long ago: found out at sending."""
    row = held_time.chosen_row(draft, walk.content.wish)
    initial = {"visit": str(row.visit_type_id), "slot": taking.key_of(row)} if row else {}
    form = choosing.form_of(initial=initial)
    notice = _(
        "The time you chose was held for you as long as we could, and somebody else has it now. "
        "Nothing else is lost. Please choose another time."
    )
    return show_near(request, draft, walk, form, notice)


def urgency_of(walk: Walk) -> int:
    return int(Urgency.of(walk.assessment.urgency))


def _initial(wish: Any) -> dict[str, str]:
    """What is ticked for who comes back: the time held, or what was chosen instead of one."""
    if not wish or "chosen" in wish:
        return {}
    return {"slot": WAIT if wish.get("waitlist") else CALL}


def _context(request: HttpRequest, walk: Walk, form: TimesForm) -> dict[str, Any]:
    return step_context(walk.words, walk.protocol.approved, walk.kind, APPOINTMENT, form) | {
        "back_url": back_url(request, walk, APPOINTMENT),
        "panels": panels_of(walk),
        "change": bool(request.GET.get("change")) or request.path.endswith("/check/"),
        "reach": reach_words(walk),
    }


def _render(
    request: HttpRequest,
    draft: Draft,
    walk: Walk,
    form: TimesForm,
    shown: dict[str, Any],
    *,
    status: int,
    notice: str = "",
) -> HttpResponse:
    held = holds.held_by(draft=draft) if walk.content.wish.get("chosen") else None
    context = _context(request, walk, form) | shown
    context |= {
        "notice": notice,
        "urgent": urgency_of(walk) == Urgency.URGENT,
        "held": choosing.held_words(held) if held else None,
        "instead": [
            (CALL, _("Call me to arrange it")),
            *(
                [(WAIT, _("Put me on the waiting list: I hear of times that become free"))]
                if way_to(walk.content.contact)
                else []
            ),
        ],
    }
    return render(request, "intake/times.html", context, status=status)
