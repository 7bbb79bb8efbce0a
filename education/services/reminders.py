"""The monthly message that names pages whose review is overdue."""

from datetime import date, timedelta

from django.db import transaction

from clinic import audit
from clinic.models import Event
from clinic.outgoing import outbox
from education.models import Page

JOB = "review-reminders"
REVIEWS_DUE = "reviews due"
"""The kind of the message; education/messages.py writes its words."""
EXPIRES_AFTER = timedelta(days=14)  # a message that could not be sent by then waits for next month


def remind_of_reviews(*, today: date) -> int:
    """Tell the editors which reviews are overdue, at most once a month.

    Returns how many pages are overdue, or 0 when no message was put.
    """
    month = f"{today:%Y-%m}"
    with transaction.atomic():
        count = Page.objects.overdue(today).count()
        # the outbox deletes old messages, the audit trail keeps its events
        already_told = Event.objects.filter(
            actor=audit.system(JOB), subject=month, action="create"
        ).exists()
        if already_told or not count:
            return 0
        outbox.put(kind=REVIEWS_DUE, occasion=month, expires=EXPIRES_AFTER)
        audit.record(
            actor=audit.system(JOB),
            action="create",
            subject=month,
            detail={"job": JOB, "count": count},
        )
    return count
