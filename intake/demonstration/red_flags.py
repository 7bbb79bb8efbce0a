"""Put a rota, a leave and one red flag that nobody has ended into the demonstration."""

from collections.abc import Sequence
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from intake.appointments.clinic_time import save_clinic_time
from intake.models.calls import Call
from intake.models.rota import Leave, OnCall
from intake.models.submissions import Kind, Submission, Urgency
from intake.my_page import replies
from intake.staff import leaving
from intake.ways import calls, escalation

WRITTEN = ("Can I come in the morning?", "It is worse now, and I am short of breath.")


@transaction.atomic
def load(*, clinicians: Sequence[tuple[str, User]]) -> None:
    """Name the last clinician on call for a week, and give the first one a leave in three weeks.

    The newest red flag is escalated, and the clinician on call has tried to reach the patient once.
    Two patients who can wait write: one asks something, one writes words of danger.
    """
    first, last, now = clinicians[0][1], clinicians[-1][1], timezone.now()
    week = OnCall(person=last, starts_at=now, ends_at=now + timedelta(days=7), phone="+12025550188")
    save_clinic_time(row=week, links={}, fields=(), by=last)
    begin = timezone.localdate(now) + timedelta(days=21)
    leave = Leave(person=first, first_day=begin, last_day=begin + timedelta(days=4))
    leaving.store_leave(leave=leave, by=first)
    red = Submission.objects.filter(status="new", urgency__gte=Urgency.SAME_DAY)
    row = red.order_by("-submitted_at").first()
    if row:
        escalation.start(row=row, at=now)
        row.save(update_fields=["escalate_at", "escalations"])
        calls.record(submission=row, outcome=Call.Outcome.NOT_REACHED, by=last, request_id="")
    waiting = Submission.objects.filter(status="new", kind=Kind.INTAKE, urgency=Urgency.SOON)
    for row, text in zip(waiting.order_by("-submitted_at"), WRITTEN, strict=False):
        replies.reply(submission=row, text=text)
