"""Find the promises that a closure breaks, move them to open time, and tell the patients.

A place that gets other hours, or goes out of use, breaks promises like a closure.

A promise is a time by which the clinic told a patient to make contact or to answer. A red flag's
target never moves: its patient hears that the clinic is closed, and where to go.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import override

from clinic import audit, hours
from clinic.hours import Calendar
from clinic.outgoing.outbox import Order
from intake import calendars, documents
from intake.domain import workflow
from intake.models.appointments import Appointment
from intake.models.calls import CallTask
from intake.models.clinic_time import Closure, Location
from intake.models.submissions import Communication, Submission, SubmissionQuerySet, Urgency
from intake.ways import telling
from intake.wording.advice import with_local_numbers
from intake.wording.closures import moved_words, worse_words

PROMISES = ("target_at", "reply_due_at")
# opening time that is left before the closure, in which the clinic can still keep a promise
ENOUGH = timedelta(hours=1)
_DAY = timedelta(days=1)
_EVER = datetime(3000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Broken:
    """A promise in closed time: the old time, and the time that replaces it.

    `column` is the column of the submission that holds the promise. With `is_kept`, the clinic can
    keep the promise earlier on the same day, so the patient is not told.
    """

    submission: Submission
    column: str
    promised: datetime
    moved: datetime
    is_kept: bool = False


def broken_by(changed: Closure | Location) -> list[Broken]:
    """Return the promises that a closure or location breaks, which is not saved yet, by their time.

    A closure of one clinician breaks no promise.
    """
    return [each for each in _in_closed_time(changed) if not each.is_kept]


def _in_closed_time(
    changed: Closure | Location, *, lock: bool = False, stored: bool = False
) -> list[Broken]:
    if isinstance(changed, Closure) and changed.clinician_id:
        return []
    known = changed if stored and isinstance(changed, Closure) else None
    before = calendars.read(without=known, proposals=False)
    after = calendars.read(instead=changed, proposals=False)
    start, end = timezone.now(), _EVER
    if isinstance(changed, Closure):
        first, last = calendars.closed_by(changed).moments(hours.settings_hours().zone)
        start, end = max(start, first - _DAY), last + _DAY
    rows = _promised_between(start, end)
    if lock:
        rows = rows.select_for_update(of=("self",)).order_by("pk")
    found = [each for row in rows for each in _promises_of(row, before, after)]
    return sorted(found, key=lambda each: (each.promised, each.submission.pk))


def _promised_between(start: datetime, end: datetime) -> SubmissionQuerySet:
    """Return the submissions with a promise between two moments."""
    visits = Appointment.objects.taking().filter(submission=OuterRef("pk"))
    undecided = Q(status__in=workflow.OPEN, target_at__gt=start, target_at__lte=end)
    # a patient with a booked visit was not told by when the clinic aims to see the patient
    visited = Q(urgency__lt=Urgency.URGENT) & Exists(visits)
    answer = Q(reply_due_at__gt=start, reply_due_at__lte=end)
    rows = Submission.objects.annotate(visited=visited).filter(answer | (undecided & ~visited))
    return rows.defer("answers", "assessment", "search_keys")


def _promises_of(row: Submission, before: Calendar, after: Calendar) -> Iterator[Broken]:
    now = timezone.now()
    was, becomes = (
        each.places.get(str(row.location_id), each.anywhere) for each in (before, after)
    )
    for column in PROMISES:
        promised: datetime | None = getattr(row, column)
        if promised is None or promised <= now:
            continue
        decided = row.status not in workflow.OPEN or row.waits_for_patient
        if column == "target_at" and (decided or vars(row)["visited"]):
            continue
        moved = becomes.keepable(promised)
        too_short = row.is_for_today or becomes.open_time_between(now, moved) < ENOUGH
        if moved < promised and too_short:
            moved = becomes.closing(promised)
        if moved != promised and was.keepable(promised) < moved:
            yield Broken(row, column, promised, moved)
        elif moved < promised:
            yield Broken(row, column, promised, moved, is_kept=True)


def keep(
    *, changed: Closure | Location, by: User, request_id: str = "", stored: bool = False
) -> int:
    """Move the promises that a closure or location breaks to open time, and tell the patients.

    Called before the change is stored, in the same transaction. With `stored`, a stored closure is
    looked at again, to find the promises of processes that did not know it yet. Each patient gets
    one message on the own page. A letter announces the message; if no letter reaches the patient,
    staff owe a call. Returns how many patients are told.
    """
    told = 0
    promises: dict[Submission, list[Broken]] = {}
    for each in _in_closed_time(changed, lock=True, stored=stored):
        promises.setdefault(each.submission, []).append(each)
    for row, moves in promises.items():
        if not row.is_for_today:
            for move in moves:
                setattr(row, move.column, move.moved)
        row.revision += 1
        row.save(update_fields=[*PROMISES, "revision"])
        broken = [move for move in moves if not move.is_kept]
        if broken and not row.suspect:
            _tell(row, broken, by)
            told += 1
        audit.record(
            actor=audit.staff(by),
            action="create" if broken else "state",
            subject=str(row.pk),
            purpose="TREAT",
            request_id=request_id,
            detail={"kind": changed._meta.model_name, "fields": [move.column for move in moves]},
        )
    return told


def _tell(row: Submission, broken: list[Broken], by: User) -> None:
    now = timezone.now()
    texts = {"text": words_of(row, broken, row.language)}
    if (english := words_of(row, broken, "en")) != texts["text"]:
        texts["english"] = english
    message = Communication(submission=row, words={"alarm": "", **texts}, by=by, at=now)
    message.save(force_insert=True)
    telling.tell(
        submission=row,
        reason=CallTask.Reason.MESSAGE,
        order=Order(kind="news", occasion=str(message.pk)),
        before=[move.promised for move in broken],
    )


def words_of(row: Submission, broken: list[Broken], language: str) -> str:
    """Return the message to the patient, in a language. It names no illness.

    A message that sends the patient elsewhere today is English until its translation is signed.
    """
    now, urgency = timezone.now(), Urgency.SAME_DAY if row.is_for_today else row.urgency
    wording = documents.wording(row.protocol_id, language)
    is_safety_text = urgency >= Urgency.SAME_DAY
    with override(wording.language_of("same_day") if is_safety_text else language):
        sentences = [moved_words(move.column, urgency, move.moved, now) for move in broken]
        level = wording.protocol.level(Urgency(row.urgency).code)
        put_off = [move for move in broken if move.column == "target_at"]
        if put_off and level.closed and not row.is_for_today:
            usual = hours.usual().add_business_days(put_off[0].promised, 1)
            if usual < put_off[0].moved:
                sentences.append(with_local_numbers(level.closed))
        sentences.append(worse_words())
    return " ".join(dict.fromkeys(sentences))
