"""A corrected e-mail address or phone number, which the patient has not read yet.

The patient reads aloud a number that came there. The number opens nothing; it only shows that the
address is not mistyped, so that one-time codes may go there.
"""

from datetime import date

from clinic.outgoing import sms
from clinic.secrets.sealing import keyed
from intake.domain.stored import PHONE
from intake.models.submissions import Submission
from intake.ways.contact import CHANNELS, UNVERIFIED

NAMES: dict[str, str] = {"email": "email", "sms": PHONE}
"""For each channel the name of its address in a contact."""


def unverified(submission: Submission) -> dict[str, str]:
    """Map channels to the corrected addresses that the patient has not read yet.

    Leaves out a phone number while no text message is sent, because no code can go there.
    """
    marked = submission.person.get(UNVERIFIED, ())
    return {
        channel: str(submission.person.get(NAMES[channel], ""))
        for channel in CHANNELS
        if channel in marked and (channel != "sms" or sms.is_on())
    }


def number_for(submission: Submission, channel: str, day: date) -> str:
    """Return the number of six digits that is sent to an address on a day."""
    place = f"{submission.pk}:{channel}:{submission.person.get(NAMES[channel], '')}:{day}"
    return f"{int.from_bytes(keyed('contact number', place.encode())[:8]) % 10**6:06}"
