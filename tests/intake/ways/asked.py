"""Ask a patient for more information, call the patient, and read the patient's page."""

from intake.appointments.views.visit_words import visit_context
from intake.models.submissions import Submission
from intake.my_page.status_page import status_context
from tests import builders
from tests.desk import page_of, verdict

MORE = {"outcome": "need_more_information"}
NO_WAY = {"email": "", "prefer": "phone"}


def fresh(submission: Submission) -> Submission:
    return Submission.objects.get(pk=submission.pk)


def row_of(contact=None, **fields) -> Submission:
    submission = builders.submission(contact)
    Submission.objects.filter(pk=submission.pk).update(**fields)
    return fresh(submission)


def ask(client, submission, **given):
    return client.post(page_of(submission, "decide"), verdict(submission, **MORE, **given))


def call(client, submission, outcome, **more):
    revision = fresh(submission).revision
    return client.post(page_of(submission, "call"), {"revision": revision, "call": outcome, **more})


def in_triage(submission: Submission) -> bool:
    return Submission.objects.waiting().filter(pk=submission.pk).exists()


def read_by_patient(submission: Submission) -> str:
    row = fresh(submission)
    return status_context(row, visit_context(row))["words"]
