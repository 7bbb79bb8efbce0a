"""The age of a patient whose birth date was corrected. The answers keep the age that was told."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils import timezone

from intake.models.submissions import Submission
from intake.questionnaire.walk import age_on
from intake.ways.contact import BORN_SINCE


def age_at_sending(row: Submission, born: date) -> int:
    """Return the age on the day on which the submission was sent."""
    return age_on(timezone.localtime(row.submitted_at).date(), born)


def corrected_age(row: Submission) -> int | None:
    """Return the age by the corrected birth date; None if the birth date was not corrected."""
    if not row.person.get(BORN_SINCE):
        return None
    return age_at_sending(row, date.fromisoformat(row.person["birth_date"]))


def with_right_age(row: Submission, answers: Mapping[str, Any], age: str) -> dict[str, Any]:
    """Return answers of the submission for a form that follows it. `age` is the question's id."""
    right = corrected_age(row)
    return {**answers, age: right} if right is not None and age in answers else dict(answers)
