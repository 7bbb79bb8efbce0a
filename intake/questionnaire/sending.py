"""Send a draft: make it a sealed submission, only once, and in one transaction."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit, hours
from clinic.ids import new_reference
from clinic.outgoing import outbox
from intake.access.part_2 import refusal
from intake.appointments import open_requests
from intake.chart import details
from intake.documents import store_wording
from intake.domain.stored import LANGUAGE_HELP, PHONE
from intake.domain.triage import Assessment
from intake.draft_content import CONTACT, Content
from intake.errors import Conflict, Gone, NotReady, Refused
from intake.history import build_history
from intake.letters import orders
from intake.models.phone_calls import PhoneCall
from intake.models.submissions import Draft, Kind, Submission, Urgency, WalkCount
from intake.questionnaire import by_phone, rule_counts, walk_counts
from intake.questionnaire.composing import build_submission, build_wish, chosen_place
from intake.questionnaire.drafts import walk_of
from intake.questionnaire.held_time import fulfil_wish
from intake.questionnaire.usual_minutes import seconds_between
from intake.questionnaire.walk import Walk
from intake.ways import escalation, safe_contact, waiting

Event = WalkCount.Event
TRIES = 5  # tries to find a reference that no other submission has


def submit(
    *,
    draft: Draft,
    consent: Mapping[str, Any] | None = None,
    confirm: Callable[[], bool] = lambda: True,
    request_id: str = "",
    call: PhoneCall | None = None,
) -> Submission:
    """Send a finished draft, and return the submission.

    `consent` is what the contact stores of the tick beside Send (SendForm). A draft that an earlier
    release began may have the tick in its contact.

    Stores submission, wish, history, counts, messages and audit event in one transaction. `confirm`
    decides whether the patient gets a letter of confirmation. `confirm` is called inside the
    transaction, so that a failed sending does not count against the limit of the patient's mailbox.
    After a double click or a retry, returns the submission that was stored first. `call` is the
    call in which a member of staff entered the answers.

    Raises NotReady if a step is not done, the consent is missing, an emergency answer still stops
    the form, or the protocol forbids sending (a minor without a parent or guardian). Raises Gone if
    the draft was deleted, SlotGone if another patient has the chosen slot, and Refused if the
    patient has too many open requests or has sent part 2 before. After an error nothing is sent.
    """
    with transaction.atomic():
        draft = _locked(draft)
        if draft.submission:
            return draft.submission
        walk = walk_of(draft)
        if walk.interrupting_rules:
            raise NotReady("emergency")
        if walk.assessment.blocked:
            raise NotReady("minor")
        if walk.first_open:
            raise NotReady(walk.first_open)
        contact = {**walk.content.contact, **(consent or {})}
        if CONTACT in walk.steps and "consent" not in contact:
            raise NotReady("check")
        if draft.kind == Kind.PART_2:
            _refuse_a_second_part_2(draft)
        if draft.kind == Kind.APPOINTMENT:
            open_requests.refuse_one_too_many(person=dict(walk.content.contact))
        is_confirmed = confirm()
        submission = _store(draft, walk, kind=draft.kind, contact=contact)
        if CONTACT in walk.steps and submission.follows_id:
            safe_contact.take_over(submission=submission)
        if draft.kind == Kind.PART_2:
            details.take_over(
                part_2=submission, by=call.by if call else None, request_id=request_id
            )
        if walk.content.wish:
            build_wish(submission, walk.content.wish).save(force_insert=True)
            # the letter about the visit also confirms that the submission arrived
            if fulfil_wish(submission, draft, walk.content, request_id):
                is_confirmed = False
        if call is not None:
            by_phone.keep(call, submission, confirm=is_confirmed)
            is_confirmed = False
        _record_sent(submission, walk.assessment, request_id, confirm=is_confirmed, call=call)
    return submission


def tell_clinic(
    *, draft: Draft, phone: str, name: str, request_id: str = "", call: PhoneCall | None = None
) -> Submission:
    """Send the unfinished answers from the emergency page ('Also tell the clinic').

    The submission is of kind 'stopped' and has the urgency that the rules give (emergency). A
    double click returns the same submission, as in `submit`. `call` is as in `submit`. Raises Gone,
    and NotReady if no emergency answer stops the form any more.
    """
    with transaction.atomic():
        draft = _locked(draft)
        if draft.submission:
            return draft.submission
        walk = walk_of(draft)
        if not walk.interrupting_rules:
            raise NotReady(walk.first_open or "check")
        # The contact may be filled in already, because a patient can go back from the check page,
        # change an answer, and only then be stopped.
        # The patient was not asked: only a page in another language says which help is needed.
        speaks = walk.uses.contact.speaks.get(draft.language) if draft.language != "en" else None
        asked = {LANGUAGE_HELP: speaks} if speaks else {}
        contact = {**asked, **walk.content.contact, PHONE: phone}
        contact["name"] = name or contact.get("name", "")
        # the rules are applied with the contact, so that they can flag the need for an interpreter
        walk = walk.with_content(replace(walk.content, contact=contact))
        submission = _store(draft, walk, kind=Kind.STOPPED, contact=contact)
        if call is not None:
            by_phone.keep(call, submission, confirm=False)
        _record_sent(submission, walk.assessment, request_id, call=call)
    return submission


def _locked(draft: Draft) -> Draft:
    """Lock and read the draft's row.

    The second of two clicks waits here, and then reads that the draft was sent by the first click.

    The query does not join the submission, because after the wait PostgreSQL reads the locked row
    again, but returns joined rows as they were before the wait. The lock is FOR NO KEY UPDATE, so
    that another tab can meanwhile hold an appointment that refers to the draft. Raises Gone.
    """
    try:
        return Draft.objects.select_for_update(of=("self",), no_key=True).get(pk=draft.pk)
    except Draft.DoesNotExist:
        raise Gone from None


def _refuse_a_second_part_2(draft: Draft) -> None:
    """Lock the submission of part 1. Raises Refused if it cannot have part 2 any more."""
    rows = Submission.objects.select_for_update(of=("self",), no_key=True)
    if why := refusal(rows.filter(pk__in=[draft.follows_id]).first()):
        raise Refused(why)


def _store(draft: Draft, walk: Walk, *, kind: str, contact: Mapping[str, Any]) -> Submission:
    """Store the submission and empty the draft. Raises Conflict if no free reference was found."""
    now = timezone.now()
    translation = store_wording(draft.protocol_id, walk.words)
    location = _location(draft, walk)
    for number in range(TRIES):
        submission = build_submission(
            draft_id=draft.pk,
            walk=walk,
            kind=kind,
            contact=contact,
            language=draft.language,
            # a saved draft has a reference that the patient knows, so the submission gets this
            # reference
            reference=(not number and draft.reference) or new_reference(),
            at=now,
            location=location,
        )
        submission.follows_id = draft.follows_id
        # reading a form to a caller takes longer, and says nothing of how long patients take
        submission.took_seconds = None if draft.by_staff else seconds_between(draft.created_at, now)
        submission.translation_id = translation
        submission.suspect = _suspect(draft, walk, submission)
        if kind == Kind.PART_2 and not walk.assessment.fired:
            # staff read part 2 on the page of part 1, and have nothing to decide about part 2
            submission.status = "closed"
        if submission.is_for_today:
            escalation.start(row=submission, at=now)
        try:
            with transaction.atomic():  # a savepoint, so that a failed save can be tried again
                submission.save(force_insert=True)
            break
        except IntegrityError as error:
            if "reference" not in str(error.__cause__):
                raise
    else:
        raise Conflict(_("Please try again."))
    # From now on the draft only leads to the receipt, and the submission has the answers.
    sealed = Draft._meta.get_field("content").seal_for(draft.pk, Content().dump())
    Draft.objects.filter(pk=draft.pk).update(
        submission=submission,
        content=sealed,
        address_keys=[],
        revision=draft.revision + 1,
        updated_at=now,
    )
    return submission


def _location(draft: Draft, walk: Walk) -> UUID | None:
    """Return the id of the place that the patient chose, now or in the submission it follows."""
    if name := chosen_place(walk.content.wish):
        found = hours.place_id(name)
        return UUID(found) if found else None
    if draft.follows_id:
        rows = Submission.objects.filter(pk=draft.follows_id)
        return rows.values_list("location_id", flat=True).first()
    return None


def _suspect(draft: Draft, walk: Walk, submission: Submission) -> bool:
    """Whether a bot may have sent the submission, so that staff must check it first.

    Returns False from the urgency "same day" on. The sign of a bot may be wrong, because a browser
    may fill in the hidden field by itself, and a patient who may have a clot must not wait for the
    check. What a member of staff entered was sent by a person.
    """
    if submission.urgency >= Urgency.SAME_DAY or draft.by_staff:
        return False
    quick = timezone.now() - draft.created_at < timedelta(seconds=settings.MIN_FILL_SECONDS)
    return bool(walk.content.suspect) or (quick and not draft.follows_id)


def _record_sent(
    submission: Submission,
    assessment: Assessment,
    request_id: str,
    *,
    confirm: bool = True,
    call: PhoneCall | None = None,
) -> None:
    """Store the history, the rule counts, the letters and the audit event of a new submission."""
    by, at = call.by if call else None, submission.submitted_at
    build_history(submission, "send", by=by, at=at).save(force_insert=True)
    rule_counts.add(dict.fromkeys(rule_counts.keys_of(submission, assessment), 1))
    outbox.put_all(orders.for_submission(submission, confirm=confirm))
    if submission.follows_id:
        waiting.record_answers(addition=submission)
    audit.record(
        actor=audit.staff(by) if by else audit.patient(submission.reference),
        action="create",
        subject=str(submission.pk),
        purpose="TREAT" if by else "PATRQT",
        request_id=request_id,
        detail={"kind": submission.kind, "urgency": submission.urgency_code},
    )
    walk_counts.add({walk_counts.key_of(submission, submission.submitted_at, Event.SENT): 1})
