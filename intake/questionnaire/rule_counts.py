"""Count how often each rule fires on a day. The counts name no patient."""

from collections.abc import Mapping
from datetime import date

from django.db import connection
from django.utils import timezone

from intake.domain.triage import Assessment
from intake.models.submissions import Submission
from intake.questionnaire import sql


def keys_of(submission: Submission, assessment: Assessment) -> list[tuple[date, str, str]]:
    """Return a key for each rule and flag that fired for this submission, for use with `add`."""
    day = timezone.localdate(submission.submitted_at)
    rules = {fired.id for fired in (*assessment.fired, *assessment.flags)}
    return [(day, rule, submission.protocol_id) for rule in rules]


def add(counts: Mapping[tuple[date, str, str], int]) -> None:
    """Add `counts` to the stored counts. A key is (day, rule id, protocol hash).

    The keys are sorted, so that two transactions lock the rows in the same order and cannot block
    each other.
    """
    if not counts:
        return
    keys = sorted(counts)
    days, rules, hashes = zip(*keys, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.ADD_TO_RULE_COUNTS,
            [list(days), list(rules), list(hashes), [counts[key] for key in keys]],
        )
