"""Make the rows of a submission's history."""

from datetime import datetime
from typing import Any

from intake.models.submissions import StatusChange, Submission


def build_history(submission: Submission, action: str, *, by: Any, at: datetime) -> StatusChange:
    """Return an unsaved history row for an action, with the submission's present status."""
    return StatusChange(
        submission=submission,
        status=submission.status,
        action=action,
        by_id=by.pk if by else None,
        at=at,
    )
