"""Sending: a draft becomes a sealed submission, once, in one transaction with all beside it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit, hours
from clinic.ids import new_reference, uuid7
from clinic.outgoing import outbox
from intake import search
from intake.appointments import open_requests
from intake.documents import keep_wording
from intake.domain import answers as domain
from intake.domain.definition import Level
from intake.domain.triage import Assessment
from intake.draft_content import Content
from intake.errors import Conflict, Gone, NotReady
from intake.history import build_history
from intake.letters import messages
from intake.models.appointments import AppointmentRequest, WishedVisit
from intake.models.submissions import Draft, Kind, RuleCount, Submission, Urgency
from intake.questionnaire.drafts import walk_of
from intake.questionnaire.held_time import settle
from intake.questionnaire.walk import Walk
from intake.ways import escalation, waiting

MOST_WISHES = 3
TRIES = 5  # of finding a free reference; one in ten billion is taken


def submit(
    *, draft: Draft, confirm: Callable[[], bool] = lambda: True, request_id: str = ""
) -> Submission:
    """Send a finished draft: submission, wish, history, counts, messages and audit event in one
    transaction. `confirm` says whether the patient is written to as well; it is asked in that
    transaction, so that a sending that fails uses up none of the letters a mailbox may get.

    A draft is sent once: asked again, by a double click or a retry, the same submission comes
    back. Raises NotReady when a step is missing, an emergency answer stands, or the protocol
    forbids sending (a minor without a parent or guardian), Gone when it was cleared meanwhile,
    SlotGone when the chosen time was lost, Refused when too many requests are open; then nothing
    is sent.
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
        if draft.kind == Kind.APPOINTMENT:
            open_requests.refuse_one_too_many(person=walk.content.contact)
        is_confirmed = confirm()
        submission = _store(draft, walk, kind=draft.kind, contact=walk.content.contact)
        if walk.content.wish:
            _store_wish(submission, walk.content.wish)
            settle(submission, draft, walk.content, request_id)
        _record_sent(submission, walk.assessment, request_id, confirm=is_confirmed)
    return submission


def tell_clinic(*, draft: Draft, phone: str, name: str, request_id: str = "") -> Submission:
    """'Also tell the clinic' from the emergency page: what was answered so far, as it stands.

    Stored as a submission of kind 'stopped' with the urgency that the rules give (emergency).
    Idempotent like `submit`. Raises NotReady when no emergency answer stands, and Gone.
    """
    with transaction.atomic():
        draft = _locked(draft)
        if draft.submission:
            return draft.submission
        walk = walk_of(draft)
        if not walk.interrupting_rules:
            raise NotReady(walk.first_open or "check")
        # who stops on a change at the end has said already who they are
        asked = {"lang_help": "spanish"} if draft.language == "es" else {}
        contact = {**asked, **walk.content.contact, "callback_phone": phone}
        contact["name"] = name or contact.get("name", "")
        # judged with it, so that who needs an interpreter is flagged
        walk = walk.with_content(replace(walk.content, contact=contact))
        submission = _store(draft, walk, kind=Kind.STOPPED, contact=contact)
        _record_sent(submission, walk.assessment, request_id)
    return submission


def _locked(draft: Draft) -> Draft:
    """The draft's row, locked: the second of two clicks waits here, then finds the receipt.

    The submission is not joined: whoever waited gets the row as it is now, but a join as it was.
    Another tab may hold a time for the draft meanwhile: that names the row and changes nothing.
    """
    try:
        return Draft.objects.select_for_update(of=("self",), no_key=True).get(pk=draft.pk)
    except Draft.DoesNotExist:
        raise Gone from None


def build_submission(
    *,
    draft_id: Any,
    walk: Walk,
    kind: str,
    contact: Mapping[str, Any],
    language: str,
    reference: str,
    at: datetime,
) -> Submission:
    """The submission a walk makes, not yet stored. The demonstration's bulk path uses it too."""
    assessment = walk.assessment
    urgency = Urgency.of(assessment.urgency)
    return Submission(
        id=uuid7(),
        reference=reference,
        kind=kind,
        draft_id=draft_id,
        protocol_id=walk.protocol.content_hash,
        language=language,
        submitted_at=at,
        urgency=urgency,
        assessed_urgency=urgency,
        target_at=target(walk.protocol.level(assessment.urgency), at),
        answers=domain.to_json({q: v for q, v in walk.known.items() if q not in contact}),
        assessment={
            "result": assessment.to_json(),
            "stops": [dict(stop) for stop in walk.content.stops],
        },
        person=dict(contact),
        search_keys=search.tokens(contact),
    )


def build_wish(submission: Submission, wish: Mapping[str, Any]) -> AppointmentRequest:
    """The appointment request of a submission, not yet stored."""
    earliest = wish.get("earliest")
    return AppointmentRequest(
        submission=submission,
        visit_type=wish.get("visit_type", WishedVisit.CALL_ME),
        wishes=_wishes(wish),
        earliest=date.fromisoformat(earliest) if earliest else None,
    )


def _wishes(wish: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Up to three wishes, those left out that wish for nothing."""
    wishes = [
        {
            "days": list(one.get("days", ())),
            "times": list(one.get("times", ())),
            "place": one.get("place", ""),
            "clinician": one.get("clinician", ""),
        }
        for one in wish.get("wishes") or [wish]
    ]
    return [one for one in wishes if any(one.values())][:MOST_WISHES]


def target(level: Level, at: datetime) -> datetime:
    """When the clinic must have made contact; in opening hours where the level says so."""
    within = level.contact_within
    calendar = hours.current()
    if within.open_hours is not None:
        return (
            calendar.add_open(at, timedelta(hours=within.open_hours)) if within.open_hours else at
        )
    if within.business_days is not None:
        return calendar.add_business_days(at, within.business_days)
    return at + timedelta(days=within.days or 0)


def _store(draft: Draft, walk: Walk, *, kind: str, contact: Mapping[str, Any]) -> Submission:
    now = timezone.now()
    translation = keep_wording(draft.protocol_id, walk.words)
    for number in range(TRIES):
        submission = build_submission(
            draft_id=draft.pk,
            walk=walk,
            kind=kind,
            contact=contact,
            language=draft.language,
            # the number that the patient has already, if the draft was saved for later
            reference=(not number and draft.reference) or new_reference(),
            at=now,
        )
        submission.follows_id = draft.follows_id
        submission.translation_id = translation
        submission.suspect = _suspect(draft, walk, submission)
        if submission.is_for_today:
            escalation.start(row=submission, at=now)
        try:
            with transaction.atomic():  # one reference in ten billion is taken
                submission.save(force_insert=True)
            break
        except IntegrityError as error:
            if "reference" not in str(error.__cause__):
                raise
    else:
        raise Conflict(_("Please try again."))
    # The draft turns into the receipt: what it held now lives sealed in the submission.
    sealed = Draft._meta.get_field("content").seal_for(draft.pk, Content().dump())
    Draft.objects.filter(pk=draft.pk).update(
        submission=submission,
        content=sealed,
        address_keys=[],
        revision=draft.revision + 1,
        updated_at=now,
    )
    return submission


def _suspect(draft: Draft, walk: Walk, submission: Submission) -> bool:
    """Whether a person has to look first if this is a bot's. Never what may be urgent: a hidden
    field can be filled in by a browser that means well, and nobody with a clot waits for that."""
    if submission.urgency >= Urgency.SAME_DAY:
        return False
    quick = timezone.now() - draft.created_at < timedelta(seconds=settings.MIN_FILL_SECONDS)
    return bool(walk.content.suspect) or (quick and not draft.follows_id)


def _store_wish(submission: Submission, wish: Mapping[str, Any]) -> None:
    build_wish(submission, wish).save(force_insert=True)


def _record_sent(
    submission: Submission, assessment: Assessment, request_id: str, *, confirm: bool = True
) -> None:
    build_history(submission, "send", by=None, at=submission.submitted_at).save(force_insert=True)
    add_rule_counts(dict.fromkeys(rule_count_keys(submission, assessment), 1))
    outbox.put_all(messages.of_sending(submission, confirm=confirm))
    if submission.follows_id:
        waiting.answered_by(addition=submission)
    audit.record(
        actor=audit.patient(submission.reference),
        action="create",
        subject=str(submission.pk),
        purpose="PATRQT",
        request_id=request_id,
        detail={"kind": submission.kind, "urgency": submission.urgency_code},
    )


def rule_count_keys(submission: Submission, assessment: Assessment) -> list[tuple[date, str, str]]:
    """What `add_rule_counts` counts for one submission: each fired rule and flag, once."""
    day = timezone.localdate(submission.submitted_at)
    rules = {fired.id for fired in (*assessment.fired, *assessment.flags)}
    return [(day, rule, submission.protocol_id) for rule in rules]


def add_rule_counts(counts: Mapping[tuple[date, str, str], int]) -> None:
    """Add to the per-day counts; keys are (day, rule id, protocol hash).

    The rows are locked in one order, so that two never deadlock.
    """
    if not counts:
        return
    table = connection.ops.quote_name(RuleCount._meta.db_table)
    rows = ",".join(["(%s, %s, %s, %s)"] * len(counts))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} AS old (day, rule, protocol_hash, fired) VALUES {rows} "  # noqa: S608
            "ON CONFLICT (day, rule, protocol_hash)"
            " DO UPDATE SET fired = old.fired + excluded.fired",
            [part for key in sorted(counts) for part in (*key, counts[key])],
        )
