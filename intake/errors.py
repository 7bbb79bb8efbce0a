"""What a service may refuse. Each message is for the person who is refused."""

from django.utils.translation import gettext as _

from intake.domain import workflow
from intake.domain.triage import Assessment


class Conflict(Exception):
    """Somebody else was first. The message is for the person who comes second."""


class Gone(Conflict):
    """The draft was cleared meanwhile, in another window."""

    def __init__(self) -> None:
        super().__init__(_("Your answers were cleared in another window, so this was not saved."))


class Blocked(Exception):
    """The protocol forbids going on (a minor without a parent or guardian)."""

    def __init__(self, assessment: Assessment) -> None:
        super().__init__("blocked")
        self.assessment = assessment


class NotReady(Exception):
    """The draft cannot be sent yet; `step` is where the patient has to go."""

    def __init__(self, step: str) -> None:
        super().__init__(step)
        self.step = step


class Refused(Exception):
    """What the clinic's rules do not allow now; the message says why and what to do instead."""


REFUSALS = (Conflict, Refused, workflow.NotAllowed, ValueError)
"""What an act of staff on a visit is refused with; the message is for the person who asked."""
