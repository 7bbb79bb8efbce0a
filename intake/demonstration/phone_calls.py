"""Begin two calls of the front desk: one that is not finished, and one to call back."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from intake.models.phone_calls import Caller
from intake.models.submissions import Kind
from intake.phone import entering
from intake.protocols import current


def load_calls(by: User) -> None:
    """Make a daughter's call whose questions are begun, and a caller who cannot talk freely."""
    begun = entering.begin(by=by, phone="+12025550163", request_id="")
    entering.begin_answers(
        call=begun,
        caller=Caller.OTHER,
        relation="daughter",
        interpreter="",
        protocol=current(),
        kind=Kind.INTAKE,
        language="en",
        by=by,
        request_id="",
    )
    later = entering.begin(by=by, phone="+12025550164", request_id="")
    entering.call_back_later(
        call=later,
        at=timezone.now() + timedelta(hours=3),
        phone="+12025550164",
        say="The garage calls about the car.",
        by=by,
        request_id="",
    )
