"""Write two letters of the demonstration: one that is signed, and one draft."""

from django.contrib.auth.models import User

from intake.desk import clinical_letters
from intake.desk.submission_page import SubmissionPage
from intake.models.clinical_letters import ClinicalLetter
from intake.models.submissions import Kind, Submission

TO = "Dr. Amara Ruiz\nRiverside Family Practice\n12 Main Street"


def load(by: User) -> None:
    """Write a letter about each of the two newest questionnaires."""
    newest = Submission.objects.filter(kind=Kind.INTAKE).order_by("-submitted_at")[:2]
    for submission, sign in zip(newest, (True, False), strict=False):
        page, kind = SubmissionPage(submission), ClinicalLetter.Kind.REFERRING
        clinical_letters.write(
            submission=submission,
            kind=kind,
            to=TO,
            text=clinical_letters.draft(page, kind, courses=[], visits=[]),
            sign=sign,
            by=by,
            request_id="",
        )
