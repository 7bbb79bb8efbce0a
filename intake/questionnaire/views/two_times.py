"""Ask which time to keep, if another window has chosen another time after the list was shown."""

from typing import Final

from django.http import HttpResponse, QueryDict
from django.utils.translation import gettext as _

from clinic.requests import Request
from intake.appointments import free_times, taking
from intake.appointments.forms import CALL, WAIT, TimesForm
from intake.appointments.slot_gone import SlotGone
from intake.appointments.views import choosing
from intake.draft_content import APPOINTMENT, Content, detail
from intake.models.submissions import Draft
from intake.questionnaire import held_time
from intake.questionnaire.views import two_windows
from intake.questionnaire.views.returned import revision_of
from intake.questionnaire.views.two_windows import TwoAnswers
from intake.questionnaire.walk import Walk
from intake.wording import moments

TIME: Final = detail(APPOINTMENT, "chosen")


def differs_from_other(draft: Draft, walk: Walk, form: TimesForm, posted: QueryDict) -> bool:
    """Whether the choice would change what another window has chosen since the list was shown."""
    seen = revision_of(posted)
    if seen is None or not walk.content.wish:
        return False
    parts = (detail(APPOINTMENT, name) for name in walk.content.wish)
    changed = max(walk.content.changed.get(part, 0) for part in parts)
    return changed > seen and form.chosen != choice_of(draft, walk.content)


def choice_of(draft: Draft, content: Content) -> str:
    """Return what the list ticks for the stored wish: a slot, a call or the waiting list."""
    if row := held_time.chosen_appointment(draft, content.wish):
        return taking.key_of(row)
    return WAIT if content.wish.get("waitlist") else CALL


def show_choice(
    request: Request, draft: Draft, walk: Walk, form: TimesForm, posted: QueryDict
) -> HttpResponse:
    """Show both choices, and ask which one to keep. Raises SlotGone for a slot that is gone."""
    row = held_time.chosen_appointment(draft, walk.content.wish)
    other = _words_of(choice_of(draft, walk.content))
    if row:
        other = moments.moment_words(row.starts, row.location.time_zone)
    mine = _words_of(form.chosen)
    if form.chosen not in (CALL, WAIT):
        if form.visit_type is None:
            raise SlotGone
        free = free_times.find_slot(key=form.chosen, visit_type=form.visit_type)
        mine = choosing.free_words(free)["moment"]
    asked = [TwoAnswers(TIME, _("Your time"), mine=mine, other=other)]
    return two_windows.show_choice(request, draft, walk, APPOINTMENT, asked, posted)


def chosen(request: Request, draft: Draft, walk: Walk) -> QueryDict | HttpResponse:
    """Return what was posted on the list, with the choice between both times."""

    def take_other(posted: QueryDict, _name: str) -> None:
        posted["slot"] = choice_of(draft, walk.content)
        if row := held_time.chosen_appointment(draft, walk.content.wish):
            posted["visit"] = str(row.visit_type_id)

    return two_windows.chosen(
        request, draft, walk, APPOINTMENT, names=[TIME], take_other=take_other
    )


def _words_of(choice: str) -> str:
    return _("Put me on the waiting list") if choice == WAIT else _("Call me to arrange it")
