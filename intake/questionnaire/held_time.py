"""Hold the slot that a patient chooses, and book it when the draft is sent."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from django.utils import timezone

from intake.appointments import booking, free_times, holds, waiting_list
from intake.appointments.free_times import time_still_allowed
from intake.appointments.slot_gone import SlotGone
from intake.appointments.taking import key_of
from intake.draft_content import Content
from intake.models.appointments import Appointment
from intake.models.clinic_time import VisitKind, VisitType
from intake.models.submissions import Draft, Submission, Urgency
from intake.questionnaire.answering import save_wish
from intake.questionnaire.drafts import walk_of
from intake.questionnaire.walk import Walk


def choose_time(*, draft: Draft, slot: str, visit_type: VisitType, request_id: str = "") -> Walk:
    """Hold a free slot for the draft and save it as the draft's wish.

    If the patient chooses the held slot again, the hold does not last longer. Holding and saving
    are two transactions; if saving fails, the hold expires by itself. Raises SlotGone and Refused
    (see `holds.hold`), Conflict and Gone (see `answering.save_wish`).
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


def choose_no_time(
    *, draft: Draft, visit_type: str, waitlist: bool = False, request_id: str = ""
) -> Walk:
    """Save that the patient wants a call, or a place on the waiting list, instead of a free slot.

    Releases the slot that is held for the draft. Raises Conflict and Gone.
    """
    if held := holds.held_by(draft=draft):
        holds.release(appointment=held, draft=draft, request_id=request_id)
    wish = {"visit_type": visit_type, "wishes": [], "waitlist": waitlist}
    return save_wish(draft=draft, wish=wish)


def chosen_appointment(draft: Draft, wish: Mapping[str, Any]) -> Appointment | None:
    """Return the appointment that the wish names, if it belongs to this draft; else None."""
    pk = wish.get("chosen", {}).get("appointment")
    rows = Appointment.objects.filter(pk=pk, draft=draft)
    return rows.for_reading().first() if pk else None


def fulfil_wish(submission: Submission, draft: Draft, content: Content, request_id: str) -> bool:
    """Book the held slot, or put the patient on the waiting list. Part of `sending.submit`.

    Returns whether a visit was booked.

    If the urgency does not allow so late a slot, the slot is released, and staff answer the
    request. Raises Refused, and SlotGone if another patient has the slot meanwhile.
    """
    wish = content.wish
    if "chosen" in wish:
        row = chosen_appointment(draft, wish)
        if row is None:
            raise SlotGone
        if time_still_allowed(submission.urgency, row.during.lower):
            if row.held_until is None or row.held_until <= timezone.now():
                # the hold has expired, so the slot may meanwhile be past, closed or taken
                free_times.find_slot(key=key_of(row), visit_type=row.visit_type)
            booking.confirm_hold(appointment=row, submission=submission, request_id=request_id)
            return True
        holds.release(appointment=row, draft=draft, request_id=request_id)
    elif wish.get("waitlist") and free_times.may_be_offered(submission=submission):
        waiting_list.join_waitlist(submission=submission, request_id=request_id)
    return False
