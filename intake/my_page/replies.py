"""What a patient does with something already sent: write, add to it, take it back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from clinic import audit, hours
from clinic.models import Event
from clinic.outgoing import outbox
from intake.appointments import changing
from intake.documents import protocol_of
from intake.domain import workflow
from intake.domain.conditions import holds
from intake.domain.definition import Rule
from intake.draft_content import Content
from intake.history import build_history
from intake.models.appointments import AppointmentRequest
from intake.models.submissions import Communication, Draft, Kind, Submission, Urgency
from intake.protocols import current
from intake.questionnaire.drafts import begin
from intake.questionnaire.sending import target
from intake.ways import escalation, waiting

FREE_TEXT = "reason_text"  # the question whose alarm patterns hold for what patients write


def alarm_of(text: str) -> Rule | None:
    """The rule whose alarm patterns stand in the text, as in an answer in own words, or None."""
    rules = (rule for rule in current().rules.rules if FREE_TEXT in rule.inputs)
    return next((rule for rule in rules if holds(rule.when, {FREE_TEXT: text}, {})), None)


def reply(*, submission: Submission, text: str, request_id: str = "") -> Rule | None:
    """The patient writes to the clinic. Returns the alarm rule that the words fire, if any.

    Staff have until the end of the next business day to answer; with an alarm the submission is
    raised to the rule's level, with that level's time, and escalated from then on, whatever its
    status. What staff asked for counts as answered. The answers stay sealed as they were sent.
    The same words sent twice within a minute are stored once.
    """
    rule, now = alarm_of(text), timezone.now()
    with transaction.atomic():
        row = Submission.objects.select_for_update(of=("self",)).get(pk=submission.pk)
        recent = row.communications.filter(by=None, at__gt=now - timedelta(minutes=1))
        if any(other.words["text"] == text for other in recent):
            return rule
        written = Communication(
            submission=row, words={"text": text, "alarm": rule.id if rule else ""}, at=now
        )
        written.save(force_insert=True)
        if rule:
            outbox.put(kind="alarm", occasion=str(written.pk))
        due = hours.current().add_business_days(now, 1)
        waiting.answer(row, action="reply", at=now)
        if rule:
            level = protocol_of(row.protocol_id).level(rule.level)
            due = target(level, now)
            row.urgency = max(row.urgency, Urgency.of(rule.level))
            row.target_at = min(row.target_at, due)
            row.alarm, row.suspect = True, False  # somebody in danger is not held back as a bot
            escalation.start(row=row, at=now)
        row.reply_due_at = min(filter(None, (row.reply_due_at, due)))
        row.revision += 1
        row.save(update_fields=["urgency", "alarm", "suspect", "escalations", *waiting.STATE])
        build_history(row, "reply", by=None, at=now).save(force_insert=True)
        detail = {"kind": "alarm" if rule else "reply"}
        _record(row, "create", request_id, **detail)
    return rule


def withdraw(*, submission: Submission, request_id: str = "") -> None:
    """The patient takes a submission back; again is the same as once.

    One with a red flag that nobody has decided on stays in the worklist until somebody has
    looked, and its escalation goes on until then. Raises workflow.NotAllowed when it is closed.
    """
    with transaction.atomic():
        if AppointmentRequest.objects.filter(submission=submission).exists():
            changing.end_all(submission=submission)
        row = Submission.objects.select_for_update(of=("self",)).get(pk=submission.pk)
        if row.status == "withdrawn":
            return
        undecided = row.status in workflow.OPEN
        waiting.end(row, at=timezone.now())
        row.asked_at = None
        row.status = workflow.move(row.status, "withdraw")
        if undecided and row.urgency >= Urgency.SAME_DAY:
            row.reply_due_at = row.target_at
        row.revision += 1
        row.save(update_fields=waiting.STATE)
        build_history(row, "withdraw", by=None, at=timezone.now()).save(force_insert=True)
        _record(row, "withdraw", request_id)


def begin_addition(*, submission: Submission, language: str) -> tuple[Draft, str]:
    """Begin an addition: the safety page and a few questions, whose answers become a submission of
    their own. Person and contact are taken over and not shown. Returns the draft and its key."""
    answers = {k: v for k, v in submission.answers.items() if k in ("who", "age_years")}
    content = Content(answers=answers, contact=submission.person)
    return begin(kind=Kind.ADDITION, language=language, content=content, follows=submission)


def _record(row: Submission, action: str, request_id: str, **detail: str) -> None:
    audit.record(
        actor=audit.patient(row.reference),
        action=action,
        subject=str(row.pk),
        purpose="PATRQT",
        request_id=request_id,
        detail=detail,
    )


@dataclass(frozen=True)
class Reader:
    """Somebody of the clinic who opened a record: the role, not the person."""

    role: str
    at: datetime


def readers(submission: Submission) -> list[Reader]:
    """Who of the clinic opened the record, newest first, a role at most once an hour."""
    events = list(
        Event.objects.filter(
            subject=str(submission.pk), actor__startswith="staff:", action__in=("read", "print")
        ).order_by("-seq")[:50]
    )
    people = {event.actor: event.actor.partition(":")[2] for event in events}
    groups = Group.objects.filter(user__in=people.values()).order_by("-name")
    roles = {str(pk): name for pk, name in groups.values_list("user", "name")}
    found: list[Reader] = []
    for event in events:
        role = roles.get(people[event.actor], "staff")
        near = (r for r in found if r.role == role and r.at - event.at < timedelta(hours=1))
        if not any(near):
            found.append(Reader(role, event.at))
    return found
