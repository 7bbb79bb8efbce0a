"""Count how often each rule fires or stops the form on a day. The counts name no patient."""

from collections.abc import Mapping
from datetime import date

from django.db import connection
from django.utils import timezone

from intake.domain.triage import Assessment
from intake.models.submissions import Submission
from intake.questionnaire import sql

Key = tuple[date, str, str]
"""Day, id of the rule, hash of the protocol."""


def keys_of(submission: Submission, assessment: Assessment) -> list[Key]:
    """Return a key for each rule and flag that fired for this submission, for use with `add`."""
    day = timezone.localdate(submission.submitted_at)
    rules = {fired.id for fired in (*assessment.fired, *assessment.flags)}
    return [(day, rule, submission.protocol_id) for rule in rules]


def add(counts: Mapping[Key, int], untold: Mapping[Key, int] | None = None) -> None:
    """Add to the stored counts how often rules fired, and how often a stop was not told.

    The keys are sorted, so that two transactions lock the rows in the same order and cannot block
    each other.
    """
    untold = untold or {}
    keys = sorted({*counts, *untold})
    if not keys:
        return
    days, rules, hashes = zip(*keys, strict=True)
    numbers = [[of.get(key, 0) for key in keys] for of in (counts, untold)]
    with connection.cursor() as cursor:
        cursor.execute(sql.ADD_TO_RULE_COUNTS, [list(days), list(rules), list(hashes), *numbers])
