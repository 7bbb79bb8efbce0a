"""Begin or continue part 2 of a questionnaire after the patient has sent part 1."""

from typing import Any

from intake.access.part_2 import refusal
from intake.documents import protocol_of
from intake.domain import answers as domain
from intake.domain.definition import Protocol
from intake.draft_content import Content
from intake.errors import Refused
from intake.models.submissions import Device, Draft, Kind, Submission
from intake.questionnaire import drafts
from intake.questionnaire.right_age import with_right_age


def begin(
    *, submission: Submission | None, language: str, device: str = Device.SHARED
) -> tuple[Draft, str]:
    """Return a draft of part 2 of the submission, and its new key for this browser.

    If the patient has begun part 2 before, returns that draft, and the earlier browser cannot open
    it any more. The draft has the submission's protocol, so that part 2 asks exactly what part 1
    left out. Raises Refused.
    """
    if (why := refusal(submission)) or submission is None:
        raise Refused(why)
    protocol, told = protocol_of(submission.protocol_id), submission
    return drafts.go_on_or_begin(
        kind=Kind.PART_2,
        follows=submission,
        language=language,
        device=device,
        content=lambda: Content(answers=_told(protocol, told), contact=told.person),
        protocol=protocol,
    )


def _told(protocol: Protocol, submission: Submission) -> dict[str, Any]:
    """Return the answers of part 1 that conditions of part 2 may read.

    The safety question is left out, because part 2 asks it again. Free text and the answer about
    suicide are left out, because they were judged with part 1.
    """
    uses = protocol.uses
    left_out = {uses.safety, uses.crisis, *uses.free_text}
    told = domain.from_json(protocol, submission.answers)
    told = with_right_age(submission, told, uses.age)
    return {question: value for question, value in told.items() if question not in left_out}
