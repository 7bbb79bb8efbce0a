"""The monthly letter that lists the pages with an overdue review."""

from datetime import date, timedelta

from django.db import transaction

from clinic import audit
from clinic.models import Event
from clinic.outgoing import outbox
from education.models import Page

JOB = "review-reminders"
REVIEWS_DUE = "reviews due"
"""The kind of the message. education/messages.py composes the letter."""
EXPIRES_AFTER = timedelta(days=14)  # an unsent letter is dropped before the next month's letter


def remind_of_reviews(*, today: date) -> int:
    """Put a letter to the editors into the outbox, at most once a month.

    Returns the number of pages with an overdue review, or 0 if there is no new letter.
    """
    month = f"{today:%Y-%m}"
    with transaction.atomic():
        count = Page.objects.overdue(today).count()
        # the audit trail is asked, because the outbox deletes its old messages
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
