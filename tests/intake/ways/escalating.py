"""Make a red flag, let staff act on it, move the clock, and see who gets letters about it."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core import mail
from django.utils import timezone

from clinic.models import Message
from clinic.outgoing import outbox
from intake.desk import decisions, patient_messages, transitions
from intake.desk.decisions import DecisionInput
from intake.models.submissions import Submission, Urgency
from intake.ways import calls, escalation
from tests import builders
from tests.desk import page_of

SWOLLEN = {"leg_new": ("swelling_one",), "clot_risk": ("none",)}
DANGER = "I am now short of breath, I can’t breathe."
CLOSED_DAY = "2026-12-02"
DUTY = ["duty@staff.example.org"]
EVERYBODY = [f"{name}@staff.example.org" for name in ("clinician", "duty", "front-desk")]


class Clock:
    """The clinic's clock. Its time passes only when a test moves the clock."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def set(self, text: str) -> None:
        self.now = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York"))

    def wait(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)


def red_flag(**answers: Any) -> Submission:
    submission = builders.submission(**{**SWOLLEN, **answers})
    assert submission.urgency >= Urgency.SAME_DAY
    return submission


def fresh(submission: Submission) -> Submission:
    return Submission.objects.get(pk=submission.pk)


def told() -> list[list[str]]:
    """Send the letters about red flags that are due now. Returns the recipients of each letter."""
    escalation.escalate()
    mail.outbox.clear()
    outbox.deliver_due()
    return [letter.to for letter in mail.outbox if "Nobody has seen to it" in letter.subject]


def put() -> int:
    """Run the sweep. Returns how many messages about red flags the sweep puts into the outbox."""
    before = Message.objects.filter(kind="escalation").count()
    escalation.escalate()
    return Message.objects.filter(kind="escalation").count() - before


def act(service: Any, submission: Submission, by: Any, **more: Any) -> None:
    row = fresh(submission)
    service(submission=row, by=by, revision=row.revision, request_id="r", **more)


def take(submission: Submission, by: Any) -> None:
    act(transitions.assign, submission, by, to=by)


def decide(submission: Submission, by: Any, outcome: str = "call_today") -> None:
    urgency = Urgency(fresh(submission).urgency)
    message = "more_needed" if outcome == "need_more_information" else ""
    verdict = DecisionInput(urgency, outcome, "", message=message, alarm_read=True)
    act(decisions.decide, submission, by, given=verdict)


def call(submission: Submission, by: Any, outcome: str = "reached", **more: Any) -> None:
    calls.record(submission=fresh(submission), outcome=outcome, by=by, request_id="r", **more)


def on_banner() -> list[Submission]:
    return list(Submission.objects.on_banner())


def opened(submission, role):
    builders.staff_client(role).get(page_of(submission))


def decided(outcome):
    return lambda submission, role: decide(submission, builders.member(role), outcome)


def called(outcome):
    return lambda submission, role: call(submission, builders.member(role), outcome)


def settled(submission, role):
    act(patient_messages.settle_reply, submission, builders.member(role))


def written_to(submission, role):
    act(patient_messages.send, submission, builders.member(role), text="Call us.")


def taken(submission, role):
    take(submission, builders.member(role))
