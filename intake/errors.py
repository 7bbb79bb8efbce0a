"""The exceptions with which services refuse an act. The messages are for the person who acts."""

from django.utils.translation import gettext as _

from intake.domain import workflow
from intake.domain.triage import Assessment


class Conflict(Exception):
    """Another person, or another tab, acted first. The message is for the person who was second."""


class Gone(Conflict):
    """The patient deleted the draft in another window."""

    def __init__(self) -> None:
        super().__init__(_("Your answers were cleared in another window, so this was not saved."))


class AnsweredSince(Exception):
    """The page would change an answer that was given after the page was shown."""


class Blocked(Exception):
    """The protocol forbids going on, for example to a minor without a parent or guardian."""

    def __init__(self, assessment: Assessment) -> None:
        super().__init__("blocked")
        self.assessment = assessment


class NotReady(Exception):
    """The draft cannot be sent yet. `step` is the step that the patient must complete first."""

    def __init__(self, step: str) -> None:
        super().__init__(step)
        self.step = step


class Refused(Exception):
    """The clinic's rules do not allow the act now. The message says why and what to do instead."""


REFUSALS = (Conflict, Refused, workflow.NotAllowed)
"""The exceptions that refuse an act on a visit. Their messages are for the person who acts."""

STAFF_REFUSALS = (*REFUSALS, ValueError)
"""The exceptions whose messages staff read: REFUSALS, and ValueError for a refused value."""
