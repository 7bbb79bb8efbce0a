"""The common parts of all changes by staff: the revision, the audit event, the target."""

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
    """Update the submission only if `revision` is still the stored one, and count the revision up.

    Of two colleagues who change a submission at once, the second gets Conflict.
    """
    changed = Submission.objects.filter(pk=submission.pk, revision=revision).update(
        revision=revision + 1, **columns
    )
    if not changed:
        raise Conflict(f"{CHANGED_MEANWHILE} {_('Read it again below, then decide.')}")


def record_change(
    submission: Submission, by: User, action: str, request_id: str, detail: dict[str, Any]
) -> None:
    """Record the audit event of a change; `detail` holds codes and counts, no health data."""
    audit.record(
        actor=audit.staff(by),
        action=action,
        subject=str(submission.pk),
        purpose="TREAT",
        request_id=request_id,
        detail=detail,
    )


def target_from(submission: Submission, urgency: int, start: datetime) -> datetime:
    """Return by when `urgency` asks for contact, counted from `start`, by the submission's rules.

    Uses the rules that assessed the submission, not the current rules.
    """
    level = protocol_of(submission.protocol_id).level(Urgency(urgency).code)
    return target_time(level, start)
