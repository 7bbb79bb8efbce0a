"""The ways by which a patient may be reached: what the patient allowed, and what is still open.

A way is tried only if the patient allowed the way, in the patient's order. The patient's newest
record of safe contact counts (`SafeContact`), and for what the record does not say, the contact
step. An address that its owner or a provider closed is no way (`contact_points`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from django.utils import timezone

from clinic.outgoing import sms
from intake.domain.stored import PHONE
from intake.models.contact_points import ContactPoint
from intake.models.safe_contact import SafeContact
from intake.models.submissions import Submission
from intake.ways import contact_points

Channel = Literal["email", "sms"]
Points = Mapping[tuple[str, str], ContactPoint]
YES, NO = "yes", "no"
CHANNELS: tuple[Channel, Channel] = ("email", "sms")
ADULT = 18
UNVERIFIED = "unverified"
"""The name in a contact of the channels whose address was corrected, and that no patient has read
yet. No code goes there."""
PHONE_SINCE = "phone_since"
"""The name in a contact of the time at which the phone number was corrected."""
BORN_SINCE = "born_since"
"""The name in a contact of the time at which the birth date was corrected. The answers keep the age
that the patient told."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """The ways by which one patient may be reached now.

    `letters` are pairs of channel and address, in the patient's order. `codes` are the addresses to
    which a one-time code may be sent when the patient asks for a code. `phone` is the number that
    staff may call, or '' when no call is allowed. `hours` is the time of day to which the patient
    limits calls, or ''. `hears` names the people who may hear what the clinic says. `closed` are
    the addresses that a provider or their owner closed. With `is_ended` the authority of the person
    who filled in the form has ended, so no way is allowed.
    """

    letters: tuple[tuple[Channel, str], ...] = ()
    codes: tuple[str, ...] = ()
    phone: str = ""
    may_leave_word: bool = False
    hours: str = ""
    hears: str = ""
    closed: tuple[ContactPoint, ...] = ()
    is_ended: bool = False
    record: SafeContact | None = None

    @property
    def way(self) -> tuple[Channel, str] | None:
        """The channel and address of a letter, or None when no letter reaches the patient."""
        return next(iter(self.letters), None)

    @property
    def may_call(self) -> bool:
        return bool(self.phone)

    @property
    def is_none(self) -> bool:
        """Whether there is no safe way: no letter reaches the patient, and no call is allowed."""
        return not self.letters and not self.phone

    def next_way(self, tried: Iterable[str]) -> tuple[Channel, str] | None:
        """Return the first way of a letter that was not tried, or None."""
        done = set(tried)
        return next((way for way in self.letters if way[0] not in done), None)


UNREAD: Final = object()


def reach_of(submission: Submission, *, known: object = UNREAD) -> Reach:
    """Return the ways by which the submission's patient may be reached. Two queries at most.

    `known` is the newest record of safe contact, if the caller has read it, or None for no record.
    """
    if known is UNREAD:
        return reaches_of([submission])[submission.pk]
    points = contact_points.states_of(_addresses(submission.person))
    record = known if isinstance(known, SafeContact) else None
    return _reach(submission.person, record, points, sent=submission.submitted_at)


def reaches_of(submissions: Iterable[Submission]) -> dict[UUID, Reach]:
    """Map the ids of submissions to the ways to their patients.

    Takes two queries, however many submissions there are, and one more for each step of the longest
    chain of submissions that follow each other.
    """
    rows = {row.pk: row for row in submissions}
    records = newest_records(rows.values())
    points = contact_points.states_of(
        {each for row in rows.values() for each in _addresses(row.person)}
    )
    return {
        pk: _reach(row.person, records.get(pk), points, sent=row.submitted_at)
        for pk, row in rows.items()
    }


def reaches_of_people(people: Mapping[UUID, Mapping[str, Any]]) -> dict[UUID, Reach]:
    """Map ids to the ways to people who have sent nothing, but are known to the clinic. One query.

    `people` maps the ids to what the clinic recorded, with the names of the contact step.
    """
    points = contact_points.states_of(
        {each for person in people.values() for each in _addresses(person)}
    )
    now = timezone.now()
    return {pk: _reach(person, None, points, sent=now) for pk, person in people.items()}


def reach_in_walk(contact: Mapping[str, Any]) -> Reach:
    """Return the ways that a patient allows who has not sent the form yet. Asks no database."""
    return _reach(contact, None, {}, sent=timezone.now())


def way_to(contact: Mapping[str, Any]) -> tuple[Channel, str] | None:
    """Return the way of a letter that a patient allows who has not sent the form yet."""
    return reach_in_walk(contact).way


def reply_way(
    reach: Reach, *, prefer: str = "", by_phone: bool = False
) -> tuple[Literal["phone"] | Channel, str] | None:
    """Return how the clinic answers a patient, with number or address; None without a way.

    `prefer` is the way that the patient chose in the contact step. `by_phone`: the answer is a
    call, if the clinic may call the patient.
    """
    if reach.way and prefer != "phone" and not by_phone:
        return reach.way
    return ("phone", reach.phone) if reach.phone else reach.way


def return_way(reach: Reach) -> Channel | None:
    """Return by which way a one-time code reaches a patient; None without a way."""
    first = next(iter(reach.codes), "")
    return ("email" if "@" in first else "sms") if first else None


# --- the record of safe contact -------------------------------------------------------------------


def newest_records(submissions: Iterable[Submission]) -> dict[UUID, SafeContact]:
    """Map the ids of submissions to their newest records. A submission without one is left out."""
    firsts = firsts_of(submissions)
    newest = SafeContact.objects.filter(submission__in=set(firsts.values()))
    newest = newest.order_by("submission", "-at", "-id").distinct("submission")
    found = {row.submission_id: row for row in newest} if firsts else {}
    return {pk: found[first] for pk, first in firsts.items() if first in found}


def firsts_of(submissions: Iterable[Submission]) -> dict[UUID, UUID]:
    """Map the id of each submission to the id of the first submission of its chain."""
    firsts = {row.pk: row.follows_id or row.pk for row in submissions}
    known: dict[UUID, UUID | None] = {pk: None for pk, first in firsts.items() if pk == first}
    while unknown := set(firsts.values()) - known.keys():
        known |= dict.fromkeys(unknown)
        known |= dict(Submission.objects.filter(pk__in=unknown).values_list("pk", "follows_id"))
        firsts = {pk: known[first] or first for pk, first in firsts.items()}
    return firsts


def said_of(record: SafeContact | None, person: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the patient said of safe contact: the record, and before it the contact step.

    For each of "email", "sms", "call" and "voicemail" the answer is "yes" or "no". The other names
    are left out if nothing was said.
    """
    number, hours = bool(person.get(PHONE)), person.get("prefer_time", "")
    step = {
        "email": YES if person.get("email") else NO,
        "sms": YES if number and person.get("prefer") == "text" else NO,
        "call": YES if number and person.get("calls") != NO else NO,
        "voicemail": person.get("voicemail", YES),
        "prefer": person.get("prefer", ""),
        "hears": person.get("hears", ""),
        "hours": hours if person.get("calls") == "then" and hours != "any" else "",
    }
    said = step | (record.said if record else {})
    return {name: value for name, value in said.items() if value}


def authority_ends(
    said: Mapping[str, Any], person: Mapping[str, Any], sent: datetime
) -> date | None:
    """Return the day on which a proxy may no longer act for the patient; None without an end.

    A parent or guardian may act for a minor until the patient's 18th birthday. For another proxy
    the record says until when.
    """
    if until := said.get("proxy_until"):
        return date.fromisoformat(until)
    born = person.get("birth_date")
    if not born or not person.get("proxy_name"):
        return None
    birthday = _birthday(date.fromisoformat(born), ADULT)
    return birthday if timezone.localtime(sent).date() < birthday else None


def _birthday(born: date, age: int) -> date:
    """Return the birthday. A person who was born on February 29 has it on March 1 in other years.

    Most US states count the age so.
    """
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)


def _addresses(person: Mapping[str, Any]) -> list[tuple[Channel, str]]:
    """Return the patient's addresses as pairs of channel and address."""
    found: dict[Channel, str] = {"email": person.get("email", ""), "sms": person.get(PHONE, "")}
    return [(channel, address) for channel, address in found.items() if address]


def _reach(
    person: Mapping[str, Any], record: SafeContact | None, points: Points, *, sent: datetime
) -> Reach:
    said = said_of(record, person)
    ends = authority_ends(said, person, sent)
    if ends and ends <= timezone.localdate() and not _is_since(record, ends):
        return Reach(is_ended=True, record=record)
    is_open = {
        (channel, address): (channel != "sms" or sms.is_on()) and (point is None or point.is_open)
        for channel, address in _addresses(person)
        for point in [points.get((channel, address))]
    }
    letters = [way for way, is_it in is_open.items() if is_it and said[way[0]] == YES]
    if said.get("prefer") == "text":
        letters.reverse()
    number = person.get(PHONE, "") if said["call"] == YES else ""
    refused = record.said if record else {}
    return Reach(
        letters=tuple(letters),
        codes=tuple(
            address
            for (channel, address), is_it in is_open.items()
            if is_it and refused.get(channel) != NO and channel not in person.get(UNVERIFIED, ())
        ),
        phone=number,
        may_leave_word=bool(number) and said["voicemail"] == YES,
        hours=said.get("hours", ""),
        hears=said.get("hears", ""),
        closed=tuple(
            points[each]
            for each in _addresses(person)
            if each in points and not points[each].is_open
        ),
        record=record,
    )


def _is_since(record: SafeContact | None, day: date) -> bool:
    """Whether the record was made on `day` or later, so that the patient alone said it."""
    return record is not None and timezone.localtime(record.at).date() >= day
