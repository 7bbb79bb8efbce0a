"""What a patient does with a sent submission: reply, begin an addition, withdraw."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from clinic import audit, hours
from intake.appointments import changing
from intake.documents import newest, protocol_of
from intake.domain import workflow
from intake.domain.definition import Rule
from intake.domain.triage import rule_for_text
from intake.draft_content import Content
from intake.history import build_history
from intake.models.appointments import AppointmentRequest
from intake.models.submissions import Communication, Draft, Kind, Submission, Urgency
from intake.questionnaire import drafts
from intake.questionnaire.right_age import with_right_age
from intake.questionnaire.target_times import target_time
from intake.ways import alarms, escalation, on_call, waiting


def reply(
    *, submission: Submission, text: str, cannot_wait: bool = False, request_id: str = ""
) -> Rule | None:
    """Store a patient's reply to the clinic. Returns the alarm rule that the text fires, or None.

    Staff have until the end of the next business day to answer. An alarm raises the submission to
    the level and target time of the rule and starts the escalation, whatever the status. The reply
    also answers a question that staff asked. The answers of the questionnaire are not changed. With
    `cannot_wait`, the patient says that the text needs help today. The same text sent twice within
    a minute is stored once, unless only the second time fires a rule.
    """
    protocol, now = newest(submission.protocol_id), timezone.now()
    rule = rule_for_text(protocol, text, cannot_wait=cannot_wait)
    alarm = rule.id if rule else ""
    with transaction.atomic():
        row = Submission.objects.select_for_update(of=("self",)).get(pk=submission.pk)
        recent = row.communications.filter(by=None, at__gt=now - timedelta(minutes=1))
        same = [other for other in recent if other.words["text"] == text]
        if any(other.words["alarm"] or not alarm for other in same):
            return rule
        written = Communication(submission=row, words={"text": text, "alarm": alarm}, at=now)
        written.save(force_insert=True)
        if rule:
            alarms.order(communication=written.pk, at=now)
            on_call.order(now, row.location_id)
        due = hours.current(row.location_id).add_business_days(now, 1)
        waiting.answer(row, action="reply", at=now)
        if rule:
            level = protocol_of(row.protocol_id).level(rule.level)
            due = target_time(level, now, row.location_id)
            row.urgency = max(row.urgency, Urgency.of(rule.level))
            row.target_at = min(row.target_at, due)
            # a patient in danger is not held back as a possible bot
            row.alarm, row.suspect = True, False
            escalation.start(row=row, at=now)
        row.reply_due_at = min(filter(None, (row.reply_due_at, due)))
        row.revision += 1
        row.save(update_fields=["urgency", "alarm", "suspect", "escalations", *waiting.STATE])
        build_history(row, "reply", by=None, at=now).save(force_insert=True)
        detail = {"kind": "alarm" if rule else "reply"}
        _record(row, "create", request_id, **detail)
    return rule


def withdraw(*, submission: Submission, request_id: str = "") -> None:
    """Withdraw the patient's submission. Idempotent.

    A submission with a red flag and without a decision stays on the worklist, and is escalated,
    until staff have looked at it. Raises workflow.NotAllowed when the submission is closed.
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
    """Begin or continue an addition: a draft with the safety page and a few questions.

    The addition is sent separately. The contact is taken over from the submission and not shown.
    Returns the draft and its key.
    """
    protocol = newest(submission.protocol_id)

    def content() -> Content:
        known = protocol.uses.contact_agrees_with
        answers = {q: value for q, value in submission.answers.items() if q in known}
        answers = with_right_age(submission, answers, protocol.uses.age)
        return Content(answers=answers, contact=submission.person)

    return drafts.go_on_or_begin(
        kind=Kind.ADDITION,
        follows=submission,
        language=language,
        content=content,
        protocol=protocol,
    )


def _record(row: Submission, action: str, request_id: str, **detail: str) -> None:
    audit.record(
        actor=audit.patient(row.reference),
        action=action,
        subject=str(row.pk),
        purpose="PATRQT",
        request_id=request_id,
        detail=detail,
    )
