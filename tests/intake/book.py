"""Make appointments for tests: a location, clinicians who work every day, patients, visits."""

from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone

from intake.appointments import booking, free_times, holds
from intake.appointments.book import FreeTime
from intake.models.appointments import AppointmentRequest
from intake.models.clinic_time import Clinician, Location, OpeningHours, VisitType
from intake.models.submissions import Draft, Submission, Urgency
from intake.questionnaire import drafts
from tests import builders


def location(name: str = "Main clinic", zone: str = "America/New_York") -> Location:
    place, _new = Location.objects.get_or_create(name=name, defaults={"time_zone": zone})
    return place


def visit_type(minutes: int = 30, **more: Any) -> VisitType:
    given = {"title": f"Visit of {minutes} minutes", "kind": "in_person", **more}
    kind, _new = VisitType.objects.get_or_create(
        title=given["title"], defaults={"kind": given["kind"], "minutes": minutes}
    )
    return kind


def clinician(
    name: str = "Dr. Lee",
    *,
    starts: str = "09:00",
    ends: str = "17:00",
    capacity: int = 1,
    place: Location | None = None,
    types: tuple[VisitType, ...] = (),
) -> Clinician:
    """Return a clinician who sees patients every day of the week at these hours."""
    who, _new = Clinician.objects.get_or_create(name=name)
    who.visit_types.set(types or (visit_type(),))
    OpeningHours.objects.bulk_create(
        OpeningHours(
            clinician=who,
            location=place or location(),
            weekday=weekday,
            starts=time.fromisoformat(starts),
            ends=time.fromisoformat(ends),
            capacity=capacity,
        )
        for weekday in range(7)
    )
    return who


def in_days(days: int, wall: str = "09:00", zone: str = "America/New_York") -> datetime:
    """Return a moment some days from now, by the wall time of a location."""
    local = timezone.now().astimezone(location(zone=zone).zone) + timedelta(days=days)
    clock = time.fromisoformat(wall)
    return local.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)


def free(days: int = 7, wall: str = "09:00", kind: VisitType | None = None) -> FreeTime:
    """Return the free time that begins at this wall time in `days` days."""
    start = in_days(days, wall)
    kind = kind or visit_type()
    # finding the free times of two days takes 2 ms; finding all up to the horizon takes 24 ms
    near = start + timedelta(days=2)
    found = free_times.free_slots(visit_type=kind, start=start, end=near, limit=1)
    return (found or free_times.free_slots(visit_type=kind, start=start, limit=1))[0]


def patient(
    number: int = 0, *, wish: dict[str, Any] | None = None, urgency: int = Urgency.ROUTINE
) -> Submission:
    """Return a submission with an appointment request, by default for the first free time.

    Each number stands for another patient.
    """
    contact = {"name": f"Quentin Canary{number}", "email": f"canary{number}@example.org"}
    row = builders.submission(contact)
    Submission.objects.filter(pk=row.pk).update(urgency=urgency)
    requests = AppointmentRequest.objects.filter(submission=row)
    requests.update(wishes=[wish] if wish else [])
    return Submission.objects.get(pk=row.pk)


def progress(submission: Submission) -> str:
    return AppointmentRequest.objects.get(submission=submission).progress


def booked(submission: Submission, slot: FreeTime | None = None, **more: Any) -> Any:
    """Return the visit that the front desk booked for the patient after a call."""
    slot = slot or free()
    return booking.confirm_by_call(
        submission=submission,
        slot=slot.key,
        visit_type=slot.visit_type,
        by=builders.member("front desk"),
        request_id="r",
        **more,
    )


def hold(*, draft: Draft | None = None, submission: Submission | None = None, **more: Any) -> Any:
    """Hold a slot for a draft or a submission, with the urgency and person stored there."""
    if submission:
        mine = {"urgency": submission.urgency, "person": submission.person}
    else:
        walk = drafts.walk_of(draft)
        urgency = Urgency.of(walk.assessment.urgency)
        mine = {"urgency": urgency, "person": walk.content.contact}
    return holds.hold(draft=draft, submission=submission, **mine, **more)


def holding(submission: Submission, slot: FreeTime | None = None) -> Any:
    """Hold `slot` for the patient; without `slot`, the free time that `free` finds."""
    slot = slot or free()
    return hold(submission=submission, slot=slot.key, visit_type=slot.visit_type)
