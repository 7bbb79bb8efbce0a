"""Invite a known person to answer the questions of a protocol.

Each act is one transaction with its audit event and its letter. A letter holds a bare address and a
code. If no letter reaches the patient, staff owe a call.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit, hours
from clinic.outgoing import outbox
from clinic.outgoing.outbox import Order
from clinic.secrets.sealing import blind
from intake import documents, search
from intake.access import codes, part_2
from intake.domain.stored import PHONE
from intake.errors import Conflict, Refused
from intake.invitations import sql
from intake.models.appointments import Appointment
from intake.models.calls import CallTask
from intake.models.invitations import OF_AGE, Invitation, InvitationList, Part
from intake.models.submissions import Submission
from intake.protocols import served_names
from intake.questionnaire import all_questions
from intake.questionnaire.walk import age_on
from intake.staff import paperwork
from intake.staff.paperwork import LETTER
from intake.ways import calls, telling
from intake.ways import invited as invited_ways

LASTS = timedelta(days=14)
"""How long an invitation without a visit lasts. With a visit it lasts until the visit begins."""
REMIND_AFTER = timedelta(days=2)
CONTACT = ("name", "birth_date", PHONE, "email", "prefer")


@dataclass(frozen=True, kw_only=True)
class Invited:
    """A person whom the clinic knows, with the way by which an invitation may go.

    `person` has the names of a contact. For a child, `guardian` has name and relation of the parent
    or guardian, and the ways in `person` are the guardian's. `visit` is how the clinic's own
    calendar names the visit, `visit_at` when it begins.
    """

    person: Mapping[str, Any]
    guardian: Mapping[str, str] = field(default_factory=dict)
    visit: str = ""
    visit_at: datetime | None = None

    @property
    def stored(self) -> dict[str, Any]:
        """The person as the invitation stores it."""
        known = {name: self.person[name] for name in CONTACT if self.person.get(name)}
        guardian = {"guardian": dict(self.guardian)} if self.guardian else {}
        return known | guardian | ({"visit": self.visit} if self.visit else {})


def of_visit(appointment: Appointment, guardian: Mapping[str, str]) -> Invited:
    """Return the patient of a visit as the person to invite."""
    submission = appointment.submission
    return Invited(person=submission.person if submission else {}, guardian=guardian)


def is_child(person: Mapping[str, Any], today: date) -> bool:
    """Whether the patient is under 18, so that only a parent or guardian is written to."""
    return age_on(today, date.fromisoformat(person["birth_date"])) < OF_AGE


def invite(
    *,
    invited: Invited,
    protocol: str,
    language: str,
    by: User,
    request_id: str,
    appointment: Any = None,
    from_list: InvitationList | None = None,
) -> Invitation:
    """Invite one person, and order the letter or owe a call. Returns the invitation.

    Raises Refused if this person cannot be invited, and Conflict if the person is invited already.
    """
    with transaction.atomic():
        if appointment is not None:
            lock = Submission.objects.select_for_update(of=("self",), no_key=True)
            lock.get(pk=appointment.submission.pk)
        else:
            _lock_people([invited.person])
        if why := refusal(invited, appointment):
            raise Refused(why)
        row = build(
            invited=invited,
            protocol=protocol,
            language=language,
            by=by,
            appointment=appointment,
            from_list=from_list,
        )
        if known := invited_already(row):
            raise Conflict(
                _("This patient was invited on %(day)s, and the invitation is still open.")
                % {"day": timezone.localtime(known.created_at).strftime("%b %-d")}
            )
        row.save(force_insert=True)
        tell(row=row)
        audit.record(
            actor=audit.staff(by),
            action="create",
            subject=str(row.pk),
            purpose="TREAT",
            request_id=request_id,
            detail={"kind": "invitation"},
        )
    return row


def invite_all(
    *, people: Iterable[Invited], batch: InvitationList, by: User, request_id: str
) -> int:
    """Invite many people who have no visit in the program's own calendar. Returns how many.

    Leaves out people who cannot be invited, and people who are invited already. Takes the same 14
    statements for 200 and for 1,000 people.
    """
    given: dict[str, Any] = {
        "protocol": batch.protocol,
        "language": batch.language,
        "by": by,
        "from_list": batch,
    }
    with transaction.atomic():
        wanted = [each for each in people if not refusal(each)]
        _lock_people([each.person for each in wanted])
        known = open_people([each.person for each in wanted])
        rows = [build(invited=each, **given) for each in wanted]
        rows = [row for row in rows if not is_among(row.person, known)]
        reaches = invited_ways.reaches_of(rows)
        for row in rows:
            row.letters = 1
            if not reaches[row.pk].way:
                _owe_call_only(row)
        Invitation.objects.bulk_create(rows)
        outbox.put_all(order_of(row) for row in rows if reaches[row.pk].way)
        audit.record(
            actor=audit.staff(by),
            action="create",
            subject=str(batch.pk),
            purpose="TREAT",
            request_id=request_id,
            detail={"kind": "invitation", "count": len(rows)},
        )
    return len(rows)


def refusal(invited: Invited, appointment: Appointment | None = None) -> str:
    """Return why this person cannot be invited, or ''."""
    starts = appointment.during.lower if appointment else invited.visit_at
    if starts is not None and starts <= timezone.now():
        return _("This visit has begun already, so an invitation would come too late.")
    if appointment is not None and appointment.status != "confirmed":
        return _("This visit does not take place, so nobody is invited to prepare it.")
    if not invited.person.get("birth_date"):
        return _("We do not know the date of birth, with which the patient opens the questions.")
    if is_child(invited.person, timezone.localdate()) and not invited.guardian:
        return _(
            "The patient is under 18. Enter the parent or guardian to whom the invitation goes."
        )
    if appointment is not None and is_child(invited.person, timezone.localdate()):
        sender = appointment.submission.person if appointment.submission else {}
        if not sender.get("proxy_name"):
            return _(
                "The patient is under 18, and no parent or guardian sent the request. Invite the "
                "guardian from the list of invitations."
            )
    if appointment is None and not (invited.person.get("email") or invited.person.get(PHONE)):
        return _("There is no safe way to reach this person. Enter an e-mail address or a phone.")
    if appointment is not None and part_for(appointment.submission) is None:
        return _("There are no more questions to ask about this request.")
    return ""


def part_for(submission: Submission | None) -> Part | None:
    """Return the part that the patient of a request answers next; None after the last part."""
    if submission is None or all_questions.is_offered(submission):
        return Part.FORM
    answered = submission.additions.filter(kind=Part.FORM).order_by("submitted_at").last()
    return Part.PART_2 if part_2.is_offered(answered or submission) else None


def build(
    *,
    invited: Invited,
    protocol: str,
    language: str,
    by: User,
    appointment: Appointment | None = None,
    from_list: InvitationList | None = None,
) -> Invitation:
    """Return an invitation that is not stored yet."""
    now, code = timezone.now(), codes.new_code()
    submission = appointment.submission if appointment else None
    part = part_for(submission) or Part.FORM
    if submission is not None:
        known = documents.newest(submission.protocol_id).name
        protocol = known if part == Part.PART_2 or known in served_names() else protocol
    starts = appointment.during.lower if appointment else invited.visit_at
    expires = starts or now + LASTS
    person = invited.stored
    remind = now + REMIND_AFTER
    return Invitation(
        protocol=protocol,
        part=part,
        language=language,
        person=person,
        search_keys=search.tokens(person),
        code={"code": code},
        code_key=key_of(code),
        submission=submission,
        appointment=appointment,
        visit_at=None if appointment else invited.visit_at,
        from_list=from_list,
        by=by,
        created_at=now,
        expires_at=expires,
        remind_at=remind if remind < expires else None,
    )


def key_of(code: str) -> int:
    """Return the blind index by which a typed code is found, in any spelling."""
    return blind("invitation", codes.parse_code(code))


def invited_already(row: Invitation) -> Invitation | None:
    """Return an invitation of the same person to the same part that is still open, or None."""
    tokens = search.person_tokens(row.person)
    same = Q(search_keys__contains=tokens) if tokens else Q(pk=None)
    if row.submission_id:
        same |= Q(submission=row.submission_id)
    standing = Invitation.objects.standing(timezone.now()).filter(same, part=row.part)
    for known in paperwork.with_facts(standing):
        if paperwork.standing_of(known).is_open:
            return known
    return None


def open_people(people: Iterable[Mapping[str, Any]]) -> list[set[int]]:
    """Return the blind tokens of each open invitation to the questions that may be theirs."""
    every = {key for person in people for key in search.person_tokens(person)}
    standing = Invitation.objects.standing(timezone.now()).filter(
        search_keys__overlap=sorted(every), part=Part.FORM
    )
    return [
        set(row.search_keys)
        for row in paperwork.with_facts(standing)
        if paperwork.standing_of(row).is_open
    ]


def is_among(person: Mapping[str, Any], known: Iterable[set[int]]) -> bool:
    """Whether one of the token sets of `open_people` is this person's."""
    same = set(search.person_tokens(person))
    return bool(same) and any(same <= tokens for tokens in known)


def _lock_people(people: Iterable[Mapping[str, Any]]) -> None:
    """Make a second invitation of the same person wait until this transaction ends."""
    keys = sorted({min(search.person_tokens(person), default=0) for person in people})
    with connection.cursor() as cursor:
        cursor.execute(sql.LOCK_PEOPLE, [keys])


# --- telling the patient --------------------------------------------------------------------------


def order_of(row: Invitation) -> Order:
    return Order(kind=LETTER, occasion=row.letter, expires=row.ends_at)


def tell(*, row: Invitation) -> None:
    """Order the next letter, or owe a call, and store the row."""
    row.bounced_at = row.call_due_at = None
    row.letters += 1
    if row.submission is not None:
        telling.tell(
            submission=row.submission,
            reason=CallTask.Reason.INVITED,
            order=order_of(row),
            before=[row.ends_at],
        )
    elif invited_ways.reach_of(row).way:
        outbox.put_all([order_of(row)])
    else:
        _owe_call_only(row)
    row.save()


def _owe_call_only(row: Invitation) -> None:
    """Owe a call in place of the newest letter. Without a number, the letter counts as not sent."""
    owe_call(row, str(row.letters))
    if row.call_due_at is None:
        row.letters -= 1
        row.bounced_at = timezone.now() if row.letters else None


def call_by(row: Invitation) -> datetime:
    """Return by when staff should call: the end of the next business day, before the visit."""
    return min(hours.current(None).add_business_days(timezone.now(), 1), row.ends_at)


def owe_call(row: Invitation, occasion: str) -> None:
    """Put a call about the locked `row` on the call list. The caller stores the row.

    Nobody is told to call a person without a number, or whom staff may not call.
    """
    if row.submission is None:
        row.call_due_at = call_by(row) if invited_ways.reach_of(row).may_call else None
        return
    calls.owe(
        submission=row.submission,
        reason=CallTask.Reason.INVITED,
        occasion=f"{row.pk}:{occasion}",
        due_at=call_by(row),
    )
