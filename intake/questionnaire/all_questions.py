"""Begin or continue the whole questionnaire after a patient has asked for an appointment only."""

from django.utils.translation import gettext as _

from intake.documents import newest
from intake.domain import workflow
from intake.domain.stored import PHONE
from intake.draft_content import Content
from intake.errors import Refused
from intake.models.submissions import Device, Draft, Kind, Submission
from intake.protocols import served_names
from intake.questionnaire import drafts

CARRIED = ("name", "birth_date", PHONE)
"""What the questionnaire takes over from the request. No page shows it; the patient may replace it.

Nothing else is taken over, because the patient answers all questions anew.
"""


def is_offered(submission: Submission) -> bool:
    """Whether the patient may answer the whole questionnaire about this request. One query."""
    return (
        submission.kind == Kind.APPOINTMENT
        and submission.status not in workflow.FINISHED
        and newest(submission.protocol_id).name in served_names()
        and not submission.additions.filter(kind=Kind.INTAKE).exists()
    )


def begin(
    *, submission: Submission | None, language: str, device: str = Device.SHARED
) -> tuple[Draft, str]:
    """Return a draft of the questionnaire that follows the request, and its key for this browser.

    The questionnaire asks for no wish, because the request has it. Raises Refused.
    """
    if submission is None or not is_offered(submission):
        raise Refused(_("There are no more questions about this request."))
    person = submission.person
    carried = {name: person[name] for name in CARRIED if person.get(name)}
    return drafts.go_on_or_begin(
        kind=Kind.INTAKE,
        follows=submission,
        language=language,
        device=device,
        content=lambda: Content(contact=carried, veiled_contact=tuple(carried)),
        protocol=newest(submission.protocol_id),
    )
