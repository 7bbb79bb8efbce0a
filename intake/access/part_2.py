"""Say whether a patient may still answer part 2: the questions that part 1 left for later."""

from django.utils.translation import gettext as _

from intake.documents import protocol_of
from intake.domain import workflow
from intake.models.submissions import Kind, Submission


def is_offered(submission: Submission) -> bool:
    """Whether the patient may answer part 2 of the submission."""
    return not refusal(submission)


def refusal(submission: Submission | None) -> str:
    """Return why the patient cannot answer part 2, or '' if the patient can.

    Runs one query, or no query for a protocol without part 2.
    """
    if submission is None:
        return _("We do not have your request any more. Please call us.")
    if submission.kind != Kind.INTAKE or not protocol_of(submission.protocol_id).uses.later:
        return _("There are no more questions about this request.")
    if submission.status in workflow.FINISHED:
        return _("This request is finished, so there are no more questions about it.")
    if submission.additions.filter(kind=Kind.PART_2).exists():
        return _("You have already answered these questions. You can add something on your page.")
    return ""
