"""What a patient who is not calling means to do after an emergency answer, in words.

The codes are stored with the stop of the form, so they never change.
"""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WAIT: Final = "wait"


@dataclass(frozen=True)
class Intention:
    """The words of one intention: the patient's button, the program's reply, the staff's note.

    `reply` may contain `%(tel)s`, the emergency number.
    """

    button: str | Promise
    reply: str | Promise
    note: str


# An ambulance's team can treat before arrival, and patients must not drive themselves: NHLBI, "Act
# in Time to Heart Attack Signs" (nhlbi.nih.gov/actintime/saha/call.htm).
INTENTIONS: Final = {
    "go": Intention(
        _("Go to an emergency room"),
        _("Go now, and do not drive yourself. If it gets worse on the way, call %(tel)s."),
        "means to go to an emergency room",
    ),
    "driven": Intention(
        _("Be driven to an emergency room"),
        _(
            "Go now. An ambulance is safer, because its team can treat you on the way. "
            "You can still call %(tel)s."
        ),
        "means to be driven to an emergency room",
    ),
    WAIT: Intention(
        _("Wait"),
        _("Please do not wait. Call %(tel)s now, even if you are not sure."),
        "means to wait",
    ),
    "unsure": Intention(
        _("I do not know"),
        _("Call %(tel)s now and say what you told us. They tell you what to do."),
        "does not know what to do",
    ),
}
NO_NUMBER: Final = _("We cannot reach you. Please leave your phone number below.")
