"""The time a patient chooses while filling in: held for the draft, confirmed when it is sent."""

from datetime import UTC
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from intake.appointments import booking, free_times, holds, waiting_list
from intake.appointments.free_times import time_still_allowed
from intake.appointments.slot_gone import SlotGone
from intake.appointments.taking import key_of
from intake.draft_content import Content
from intake.models.appointments import Appointment
from intake.models.clinic_time import VisitKind, VisitType
from intake.models.submissions import Draft, Submission, Urgency
from intake.questionnaire.drafts import save_wish, walk_of
from intake.questionnaire.walk import Walk


def choose_time(*, draft: Draft, slot: str, visit_type: VisitType, request_id: str = "") -> Walk:
    """Hold a free time for the draft and keep it as its wish. The time already held stays, with
    the end it has. Two transactions: a hold whose wish was not kept ends by itself.

    Raises SlotGone, Refused (see appointments.hold), Conflict and Gone (see save_wish).
    """
    held = holds.held_by(draft=draft)
    if held is None or key_of(held) != slot or held.visit_type_id != visit_type.pk:
        walk = walk_of(draft)
        held = holds.hold(
            draft=draft,
            slot=slot,
            visit_type=visit_type,
            urgency=Urgency.of(walk.assessment.urgency),
            person=walk.content.contact,
            request_id=request_id,
        )
    chosen = {
        "appointment": str(held.pk),
        "title": visit_type.title,
        "start": held.during.lower.astimezone(UTC).isoformat(),
        "zone": held.location.time_zone,
        "place": held.location.name if visit_type.kind == VisitKind.IN_PERSON else "",
    }
    wish = {"visit_type": visit_type.kind, "wishes": [], "chosen": chosen}
    return save_wish(draft=draft, wish=wish)


def choose_none(
    *, draft: Draft, visit_type: str, waitlist: bool = False, request_id: str = ""
) -> Walk:
    """None of the free times is wanted: the clinic calls, or the patient waits for others. What
    was held is given back. Raises Conflict and Gone."""
    if held := holds.held_by(draft=draft):
        holds.release(appointment=held, draft=draft, request_id=request_id)
    wish = {"visit_type": visit_type, "wishes": [], "waitlist": waitlist}
    return save_wish(draft=draft, wish=wish)


def chosen_row(draft: Draft, wish: Any) -> Appointment | None:
    """The appointment a draft's wish names, if it is the draft's."""
    pk = wish.get("chosen", {}).get("appointment")
    rows: QuerySet[Appointment] = Appointment.objects.filter(pk=pk, draft=draft)
    return rows.for_reading().first() if pk else None


def settle(submission: Submission, draft: Draft, content: Content, request_id: str) -> None:
    """A part of `submit`: the held time becomes the appointment, or the patient joins the waitlist.
    A time later than the urgency allows is given back, and the request is the clinic's to answer.
    Raises SlotGone when somebody else has the time by now, and Refused."""
    wish = content.wish
    if "chosen" in wish:
        row = chosen_row(draft, wish)
        if row is None:
            raise SlotGone
        if time_still_allowed(submission.urgency, row.during.lower):
            if row.held_until is None or row.held_until <= timezone.now():
                # the book may have changed since, and the time be past
                free_times.find_slot(key=key_of(row), visit_type=row.visit_type)
            booking.confirm_hold(appointment=row, submission=submission, request_id=request_id)
        else:
            holds.release(appointment=row, draft=draft, request_id=request_id)
    elif wish.get("waitlist") and free_times.may_be_offered(submission=submission):
        waiting_list.join_waitlist(submission=submission, request_id=request_id)
