"""Correct a wrong name, birth date, phone number or e-mail address of a patient.

The front desk corrects what a caller says, after the caller told two details that fit the record.
The contact as it was sent stays in the first `ContactCorrection`. See decision 0050.
"""

import hmac
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit, limits
from clinic.ids import parse_reference
from clinic.limits import Limit
from clinic.outgoing import outbox
from clinic.outgoing.outbox import Order
from clinic.outgoing.results import KNOWN
from clinic.secrets.sealing import fold
from intake import search
from intake.access import codes
from intake.desk.changes import CHANGED_MEANWHILE, record_change, target_from
from intake.documents import protocol_of
from intake.domain import answers as domain
from intake.domain import workflow
from intake.domain.stored import PHONE
from intake.domain.triage import Assessment, assess, interrupting_rules
from intake.domain.uses import PART_2
from intake.errors import Conflict, Refused
from intake.history import build_history
from intake.models.corrections import ContactCorrection
from intake.models.submissions import Kind, Submission, Urgency
from intake.questionnaire.right_age import age_at_sending, corrected_age
from intake.ways import contact_points, escalation, safe_contact, waiting
from intake.ways.contact import BORN_SINCE, PHONE_SINCE, UNVERIFIED, reach_of
from intake.ways.new_address import NAMES, number_for, unverified

FIELDS = ("name", "birth_date", PHONE, "email")
REFERENCE = "reference"
IDENTIFIERS = (*FIELDS, REFERENCE)
NEEDED = 2  # how many details the caller has to tell
TRIES, PER = 5, timedelta(hours=1)  # wrong details, and wrong numbers, for one submission


class WrongDetails(Refused):
    """The details that the caller told do not identify the patient."""


# --- who calls ------------------------------------------------------------------------------------


def identify(
    *, submission: Submission, told: Mapping[str, str], by: User, request_id: str
) -> tuple[str, ...]:
    """Check the details that the caller told. Returns their names.

    At least two details are needed, and each has to fit the record. Raises WrongDetails without
    saying which one is wrong, and records the try. After a few wrong tries, right details are
    refused, too, for a while. Call this function outside of a transaction.
    """
    limit = Limit(f"identify:{submission.pk}", TRIES, PER)
    if limits.seconds_to_wait(limit):
        raise WrongDetails(
            _("Too many tries were wrong. Wait a quarter of an hour, or see the patient in person.")
        )
    names = tuple(name for name in IDENTIFIERS if told.get(name))
    if len(names) >= NEEDED and all(_fits(submission, name, told[name]) for name in names):
        return names
    limits.take(limit.key, capacity=limit.capacity, per=limit.per)
    with transaction.atomic():
        record_change(submission, by, "deny", request_id, {"kind": "identifiers"})
    raise WrongDetails(
        _("What the caller said does not fit this record. Ask again, or open another record.")
    )


def _fits(submission: Submission, name: str, told: str) -> bool:
    """Whether a detail is the stored one, in any spelling."""
    if name == REFERENCE:
        return parse_reference(told) == submission.reference
    stored = submission.person.get(name, "")
    if not stored:
        return False
    match name:
        case "name":
            return bool(fold(told)) and fold(told) == fold(stored)
        case "birth_date":
            return told == str(stored)
    channel = "email" if name == "email" else "sms"
    return contact_points.key_of(channel, told) == contact_points.key_of(channel, stored)


# --- the correction -------------------------------------------------------------------------------


def correct(
    *,
    submission: Submission,
    told: Mapping[str, str],
    new: Mapping[str, str],
    reason: str,
    by: User,
    revision: int,
    request_id: str,
) -> ContactCorrection:
    """Correct the contact of a submission and of the submissions that belong to it.

    `told` are the details by which the caller was identified, `new` maps names of FIELDS to the
    right values; '' takes the e-mail address away. Each address that letters could reach before
    hears of the correction. All open grants and codes end, and no code goes to a new address before
    `confirm`. If the rules give another level for another age, the submission comes back to the
    clinicians with `recheck_urgency`; its urgency and its assessment stay.

    Raises WrongDetails, Conflict when the submission was changed since `revision`, and Refused when
    nothing would change. Call this function outside of a transaction.
    """
    checked = identify(submission=submission, told=told, by=by, request_id=request_id)
    with transaction.atomic():
        rows = _locked_chain(submission)
        row = next(each for each in rows if each.pk == submission.pk)
        if row.revision != revision:
            raise Conflict(f"{CHANGED_MEANWHILE} {_('Look at it again, then correct it.')}")
        wrong = {name: row.person.get(name, "") for name in FIELDS}
        right = {name: new[name] for name in FIELDS if name in new and new[name] != wrong[name]}
        if not right:
            raise Refused(_("The record says this already. Nothing was changed."))
        letters, now = reach_of(row).letters, timezone.now()
        mend = partial(_mended, wrong=wrong, right=right, at=now)
        correction = None
        for each in rows:
            words = {"before": each.person, "after": mend(each.person), "reason": reason.strip()}
            if each.person == words["after"]:
                continue
            stored = ContactCorrection(
                submission=each,
                words={**words, "told": letters if each is row else []},
                checked=" ".join(checked),
                by=by,
                at=now,
            )
            stored.save(force_insert=True)
            correction = stored if each is row else correction
            _store(each, mend(each.person), by, now)
        assert correction is not None
        codes.end_all(
            submissions=[each.pk for each in rows],
            mend=mend,
            age=corrected_age(row) if "birth_date" in right else None,
        )
        safe_contact.mark_calls(row)
        outbox.put_all(
            Order(kind="contact_changed", occasion=f"{correction.pk}:{channel}", payload=KNOWN)
            for channel, _address in letters
        )
        detail = {"kind": "contact", "fields": sorted(right), "ground": correction.checked}
        record_change(row, by, "update", request_id, detail)
    return correction


def _locked_chain(submission: Submission) -> list[Submission]:
    """Lock and return the submissions that have the patient's contact: the whole chain."""
    chain = [each.pk for each in safe_contact.chain_of(submission)]
    rows = Submission.objects.filter(pk__in=chain).order_by("pk")
    return list(rows.select_for_update(of=("self",)))


def _mended(
    person: Mapping[str, Any], *, wrong: Mapping[str, str], right: Mapping[str, str], at: datetime
) -> dict[str, Any]:
    """Return the contact with the right details in place of the wrong ones.

    Another submission of the chain may have another address, which stays.
    """
    changed = {name: value for name, value in right.items() if person.get(name, "") == wrong[name]}
    mended = {name: value for name, value in {**person, **changed}.items() if value != ""}
    open_ways = set(person.get(UNVERIFIED, ()))
    for channel, name in NAMES.items():
        if name in changed:
            open_ways = open_ways | {channel} if changed[name] else open_ways - {channel}
    mended.pop(UNVERIFIED, None)
    if PHONE in changed:
        mended[PHONE_SINCE] = at.isoformat()
    if "birth_date" in changed:
        mended[BORN_SINCE] = at.isoformat()
    return mended | ({UNVERIFIED: sorted(open_ways)} if open_ways else {})


def _store(row: Submission, person: dict[str, Any], by: User, at: datetime) -> None:
    before = row.person
    row.person, row.search_keys = person, search.tokens(person)
    row.revision += 1
    columns = ["person", "search_keys", "revision"]
    if person.get("birth_date") and person["birth_date"] != before.get("birth_date"):
        columns += _recheck(row, date.fromisoformat(person["birth_date"]), by, at)
    row.save(update_fields=columns)


# --- another age ----------------------------------------------------------------------------------


def _recheck(row: Submission, born: date, by: User, at: datetime) -> list[str]:
    """Bring `row` back to the clinicians if the rules say something else for the right age.

    Returns the columns to save. Neither the urgency nor the assessment changes. A decided or closed
    submission is opened again, and a stopped clock runs again. The target time only comes nearer,
    and a red flag is escalated.
    """
    before, after = _judged(row, born)
    if before is None or (before.urgency, before.blocked) == (after.urgency, after.blocked):
        return []
    row.recheck_urgency = Urgency.of(after.urgency)
    action = ""
    if row.waits_for_patient:
        waiting.end(row, at=at)
        action = "return"
    elif row.status in ("decided", "closed"):
        row.target_at = target_from(row, row.urgency, at)
        row.asked_at = row.back_at = row.redirected_at = None
        action = "reopen"
    if action:
        row.status = workflow.move(row.status, action)
        build_history(row, action, by=by, at=at).save(force_insert=True)
    target = target_from(row, row.recheck_urgency, at)
    row.target_at = min(row.target_at, target)
    if row.status not in workflow.OPEN:  # the patient withdrew it
        row.reply_due_at = min(filter(None, (row.reply_due_at, target)))
    if row.recheck_urgency >= Urgency.SAME_DAY:
        row.suspect = False
        escalation.start(row=row, at=at)
    return ["recheck_urgency", "suspect", *waiting.STATE]


def _judged(row: Submission, born: date) -> tuple[Assessment | None, Assessment]:
    """Return what the rules say of the stored answers, and of the same answers with the right age.

    The first is None if the age stays, or was not asked.
    """
    protocol = protocol_of(row.protocol_id)
    uses, answers = protocol.uses, domain.from_json(protocol, row.answers)
    stored = uses.contact.stored_names
    asked = {q: row.person[name] for q, name in stored.items() if name in row.person}
    known = {**answers, **asked}
    stopped = bool(row.assessment.get("stops"))
    screened = settings.SI_SCREEN

    def judge(age: Any) -> Assessment:
        given = {**known, uses.age: age}
        stops_now = interrupting_rules(protocol, given, si_screen=screened)
        return assess(
            protocol,
            given,
            safety_retracted=stopped and not stops_now,
            si_screen=screened,
            asked=uses.short_walk(PART_2) if row.kind == Kind.PART_2 else None,
        )

    told, age = answers.get(uses.age), age_at_sending(row, born)
    return (None if told in (None, age) else judge(told)), judge(age)


# --- the new address ------------------------------------------------------------------------------


def send_number(*, submission: Submission, channel: str, by: User, request_id: str) -> None:
    """Send a number to a corrected address, so that the patient reads it to the front desk.

    The number opens nothing. Raises Refused for an address that needs no number, and after too many
    numbers.
    """
    if channel not in unverified(submission):
        raise Refused(_("This address needs no number any more."))
    if not limits.take(f"contact-number:{submission.pk}", capacity=TRIES, per=PER):
        raise Refused(_("Too many numbers were sent. Wait a quarter of an hour."))
    now = timezone.now()
    with transaction.atomic():
        occasion = f"{submission.pk}:{channel}:{int(now.timestamp())}"
        outbox.put(kind="contact_number", occasion=occasion, expires=PER)
        record_change(submission, by, "update", request_id, {"kind": "contact_number"})


def confirm(
    *, submission: Submission, channel: str, number: str, by: User, request_id: str
) -> None:
    """Let codes go to a corrected address, because the patient read the number that came there.

    Raises Refused for a wrong number, and after too many wrong numbers. Call this function outside
    of a transaction.
    """
    limit = Limit(f"contact-number-try:{submission.pk}", TRIES, PER)
    if limits.seconds_to_wait(limit):
        raise Refused(_("Too many numbers were wrong. Wait a quarter of an hour."))
    address = unverified(submission).get(channel)
    today = timezone.localdate()
    right = [number_for(submission, channel, day) for day in (today, today - timedelta(days=1))]
    if not address or not any(hmac.compare_digest(each, number) for each in right):
        limits.take(limit.key, capacity=limit.capacity, per=limit.per)
        raise Refused(_("This is not the number that we sent. Ask for it again."))
    with transaction.atomic():
        for row in _locked_chain(submission):
            if row.person.get(NAMES[channel]) == address:
                left = [each for each in row.person.get(UNVERIFIED, ()) if each != channel]
                row.person = row.person | {UNVERIFIED: left}
                row.save(update_fields=["person"])
        contact_points.verify(
            channel=channel, address=address, actor=audit.staff(by), request_id=request_id
        )
        safe_contact.tell_what_had_no_way(submission, f"{channel}:{timezone.now():%y%m%d%H%M%S}")
        detail = {"kind": "contact", "to": "verified", "fields": [NAMES[channel]]}
        record_change(submission, by, "state", request_id, detail)
