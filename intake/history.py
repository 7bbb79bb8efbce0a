"""Build the rows of a submission's history."""

from datetime import datetime

from django.contrib.auth.models import User

from intake.models.submissions import StatusChange, Submission


def build_history(
    submission: Submission, action: str, *, by: User | None, at: datetime
) -> StatusChange:
    """Return an unsaved history row for an action, with the submission's current status."""
    return StatusChange(
        submission=submission,
        status=submission.status,
        action=action,
        by_id=by.pk if by else None,
        at=at,
    )
