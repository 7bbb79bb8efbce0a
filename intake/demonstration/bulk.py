"""Load synthetic submissions and a calendar in bulk, for the demonstration.

Each row is built by the same function as when a patient sends a submission; a test compares the
rows. Only the audit trail differs: it gets one event for a whole batch.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from clinic import audit
from clinic.ids import new_reference, uuid7
from clinic.models import Message
from clinic.outgoing import deliveries
from clinic.outgoing.addresses import Closed
from clinic.pagecache import rendered
from intake.appointments import free_times
from intake.demonstration import clinic_pages
from intake.demonstration.people import Patient
from intake.domain import workflow
from intake.history import build_history
from intake.models.appointments import (
    Appointment,
    AppointmentChange,
    AppointmentRequest,
    Offer,
    WaitlistEntry,
    during,
)
from intake.models.clinic_time import Clinician, Location, OpeningHours, VisitType
from intake.models.submissions import Decision, Kind, StatusChange, Submission, Urgency
from intake.protocols import load as load_protocol
from intake.questionnaire import composing, rule_counts
from intake.questionnaire.walk import Walk
from intake.ways.contact import Reach, reach_of

OUTCOMES = {
    Urgency.EMERGENCY: "redirect_emergency",
    Urgency.SAME_DAY: "call_today",
    Urgency.URGENT: "book_urgent",
    Urgency.SOON: "book_soon",
    Urgency.ROUTINE: "book_routine",
}


def walk_of(patient: Patient) -> Walk:
    """Return the walk of a synthetic patient, without the question about suicidal thoughts."""
    kind = Kind.APPOINTMENT if patient.kind == Kind.APPOINTMENT else Kind.INTAKE
    return Walk(load_protocol(patient.protocol), patient.content, kind=kind, si_screen=False)


@transaction.atomic
def load(*, patients: Sequence[Patient], now: datetime, clinician: User | None = None) -> int:
    """Store a batch of synthetic patients. Returns how many were stored.

    With a `clinician`, most submissions older than two days are decided and closed. No red flag is
    escalated, because the batch has dozens of old red flags and no clinician is there to see them.
    """
    references = _free_references(len(patients))
    submissions: list[Submission] = []
    wishes: list[AppointmentRequest] = []
    history: list[StatusChange] = []
    decisions: list[Decision] = []
    counts: Counter[tuple[date, str, str]] = Counter()
    for patient, reference in zip(patients, references, strict=True):
        walk = walk_of(patient)
        submission = composing.build_submission(
            draft_id=uuid7(),
            walk=walk,
            kind=patient.kind,
            contact=patient.content.contact,
            language=patient.language,
            reference=reference,
            at=patient.sent_at,
        )
        submissions.append(submission)
        history.append(build_history(submission, "send", by=None, at=patient.sent_at))
        if patient.kind != Kind.STOPPED:
            wishes.append(composing.build_wish(submission, patient.content.wish))
        counts.update(rule_counts.keys_of(submission, walk.assessment))
        if clinician and patient.handled and now - patient.sent_at > timedelta(days=2):
            decisions.append(_decided(submission, clinician, history))
    Submission.objects.bulk_create(submissions)
    AppointmentRequest.objects.bulk_create(wishes)
    StatusChange.objects.bulk_create(history)
    Decision.objects.bulk_create(decisions)
    rule_counts.add(counts)
    audit.record(actor=audit.system("demo"), action="create", detail={"count": len(submissions)})
    return len(submissions)


DEMO_VISITS = (("in_person", "First visit", 40), ("video", "Video visit", 20),
               ("phone", "Phone visit", 20))  # fmt: skip
DEMO_HOURS = (("08:30", "12:00"), ("13:00", "16:30"))
# the visits of today: the request, and in how many minutes the visit begins and the patient arrived
DEMO_TODAY = {4: (-60, None), 5: (0, -10), 6: (60, None)}


@transaction.atomic
def load_book(*, clinicians: Sequence[tuple[str, Any]]) -> int:
    """Make the calendar of the demonstration. Returns how many appointments the calendar has.

    Makes a location, opening hours on weekdays for `clinicians` (name, account), visit types, and
    visits of patients who ask for one: three are over, one is offered, the others are booked. Three
    of these are about now: a patient is late, one is here, one comes soon. Two patients are put on
    the waiting list. No letter is sent. The letter about one visit came back, so a call is owed.
    """
    place = Location.objects.create(
        name=settings.CLINIC_PLACES[0],
        address="12 Example Street\nExampletown, NY 10001 (invented)",
        time_zone=settings.TIME_ZONE,
        directions="Bus 7 to Example Square. The door is beside the pharmacy; there is a lift.",
        phone=settings.CLINIC_PHONE,
    )
    people = [Clinician.objects.create(name=name, user=user) for name, user in clinicians]
    OpeningHours.objects.bulk_create(
        OpeningHours(
            clinician=who,
            location=place,
            weekday=weekday,
            starts=time.fromisoformat(starts),
            ends=time.fromisoformat(ends),
        )
        for who in people
        for weekday in range(5)
        for starts, ends in DEMO_HOURS
    )
    for kind, title, minutes in DEMO_VISITS:
        VisitType.objects.create(kind=kind, title=title, minutes=minutes).clinicians.set(people)
    clinic_pages.load(place=place, people=people)
    made = _demo_visits(VisitType.objects.get(kind="in_person"), place, people[0])
    _demo_returned_mail()
    audit.record(actor=audit.system("demo"), action="create", detail={"count": made})
    rendered.renew_on_commit()
    return made


def _demo_visits(visit: VisitType, place: Location, clinician: Clinician) -> int:
    now = timezone.now()
    wishing = AppointmentRequest.objects.select_related("submission").filter(
        progress="requested", submission__urgency__lt=Urgency.SAME_DAY
    )
    requests = list(wishing.order_by("-submission__urgency", "submission__submitted_at")[:16])
    free = free_times.free_slots(visit_type=visit)[1::5]
    before = now.astimezone(place.zone).replace(hour=9, minute=0, second=0, microsecond=0)
    before -= timedelta(days=7 + max(0, before.weekday() - 4))  # a week ago, moved to a weekday
    rows: list[Appointment] = []
    offers: list[Offer] = []
    for number, request in enumerate(requests[:-2]):
        is_over, is_offered = number < 3, number == 3
        if not is_over and not free:
            break
        start = before + timedelta(hours=number) if is_over else free[0].start
        arrived_at = None
        if number in DEMO_TODAY:
            begins, arrived = DEMO_TODAY[number]
            start = now.replace(second=0, microsecond=0) + timedelta(minutes=begins)
            arrived_at = now + timedelta(minutes=arrived) if arrived is not None else None
        row = Appointment(
            id=uuid7(),
            submission=None if is_offered else request.submission,
            clinician=clinician if is_over or number in DEMO_TODAY else free[0].clinician,
            arrived_at=arrived_at,
            location=place,
            visit_type=visit,
            during=during(start, start + timedelta(minutes=visit.minutes)),
            status=("completed" if number else "no_show") if is_over else "confirmed",
            created_at=now - timedelta(days=14),
            changed_at=now,
        )
        request.progress = ("done" if number else "missed") if is_over else "booked"
        if not is_over:
            free.pop(0)
        if is_offered:
            row.status, request.progress = "held", "offered"
            row.held_until = now + timedelta(hours=settings.APPOINTMENT_OFFER_HOURS)
            offers.append(
                Offer(appointment=row, request=request, created_at=now, expires_at=row.held_until)
            )
        rows.append(row)
    Appointment.objects.bulk_create(rows)
    AppointmentChange.objects.bulk_create(
        AppointmentChange(
            appointment=row, action="confirm", status=row.status, during=row.during, at=now
        )
        for row in rows
    )
    Offer.objects.bulk_create(offers)
    AppointmentRequest.objects.bulk_update(requests, ["progress"])
    WaitlistEntry.objects.bulk_create(
        WaitlistEntry(request=request, since=now - timedelta(days=number))
        for number, request in enumerate(requests[-2:], 1)
    )
    return len(rows)


def _demo_returned_mail() -> None:
    """Let the confirmation of one visit come back, so that staff owe a call."""
    for visit in Appointment.objects.filter(status="confirmed").order_by("during"):
        reach = reach_of(visit.submission) if visit.submission else Reach()
        if len(reach.letters) == 1 and reach.letters[0][0] == "email" and reach.may_call:
            break
    else:
        return
    message = Message.objects.create(
        kind="appointment_confirmed",
        occasion=f"{visit.pk}:{visit.sequence}",
        state=Message.State.SENT,
        attempts=1,
        finished_at=timezone.now(),
    )
    (channel, address) = reach.letters[0]
    closed = Closed(channel=channel, address=address, why="dead", trouble="bounced")
    delivery = Message.Delivery.UNDELIVERED
    deliveries.record(
        message_id=message.pk, delivery=delivery, trouble=closed.trouble, closed=closed
    )
    # dealt with, so that no banner stands on every page
    Message.objects.filter(pk=message.pk).update(state=Message.State.DROPPED)


def _free_references(count: int) -> list[str]:
    found: set[str] = set()
    while len(found) < count:
        wanted = {new_reference() for _ in range(count - len(found))} - found
        taken = Submission.objects.filter(reference__in=wanted).values_list("reference", flat=True)
        found |= wanted - set(taken)
    return sorted(found)


def _decided(submission: Submission, by: User, history: list[StatusChange]) -> Decision:
    at = submission.submitted_at + timedelta(hours=3)
    decision = Decision(
        submission=submission,
        revision=0,
        urgency_before=submission.urgency,
        urgency=submission.urgency,
        outcome=OUTCOMES[Urgency(submission.urgency)],
        words={"reason": "", "note": ""},
        by=by,
        at=at,
    )
    for action, after in (("decide", timedelta(0)), ("close", timedelta(hours=1))):
        submission.status = workflow.move(submission.status, action)
        history.append(build_history(submission, action, by=by, at=at + after))
    submission.revision = 2
    return decision
