"""Shared by all changes by staff: the check of the revision, the audit event, the target time."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import audit
from intake.documents import protocol_of
from intake.errors import Conflict
from intake.models.submissions import Submission, Urgency
from intake.questionnaire.target_times import target_time

CHANGED_MEANWHILE = gettext_lazy(
    "Somebody changed this submission while you were reading. What you entered was not stored."
)


def claim(submission: Submission, revision: int, **columns: Any) -> None:
    """Update the submission and raise its revision, but only if the stored revision is `revision`.

    When two colleagues change a submission at once, the change of the second raises Conflict.
    """
    changed = Submission.objects.filter(pk=submission.pk, revision=revision).update(
        revision=revision + 1, **columns
    )
    if not changed:
        raise Conflict(f"{CHANGED_MEANWHILE} {_('Read it again below, then decide.')}")


def record_change(
    submission: Submission, by: User, action: str, request_id: str, detail: dict[str, Any]
) -> None:
    """Record the audit event of a change. `detail` holds codes and counts, no health data."""
    audit.record(
        actor=audit.staff(by),
        action=action,
        subject=str(submission.pk),
        purpose="TREAT",
        request_id=request_id,
        detail=detail,
    )


def target_from(submission: Submission, urgency: int, start: datetime) -> datetime:
    """Return the target time of `urgency`, counted from `start`.

    The protocol that assessed the submission sets the time, not the current protocol.
    """
    level = protocol_of(submission.protocol_id).level(Urgency(urgency).code)
    return target_time(level, start, submission.location_id)
