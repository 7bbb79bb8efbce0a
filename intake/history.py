"""The history of a submission: one row for each step of its way."""

from datetime import datetime
from typing import Any

from intake.models.submissions import StatusChange, Submission


def build_history(submission: Submission, action: str, *, by: Any, at: datetime) -> StatusChange:
    """One step of a submission's history, with its status as it is now; not yet stored."""
    return StatusChange(
        submission=submission,
        status=submission.status,
        action=action,
        by_id=by.pk if by else None,
        at=at,
    )
