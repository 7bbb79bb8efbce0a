"""Why a message was not sent: a short code, what it means, and the cure in words.

A code is stored with the message and shown to staff. It never quotes the mail server or provider,
because their texts contain addresses.
"""

import re
import smtplib
from typing import NamedTuple

from clinic.outgoing import sms

EXPIRED = "expired"
NO_RECIPIENT = "no recipient"
NO_WAY = "no way"  # the composer raised outbox.NoWay
TOO_LATE = "too late"  # a text message may be sent only when its news is too late
NOT_FOLLOWED_UP = "not followed up"
UNSENT = (NO_WAY, TOO_LATE)  # a dropped message that a call may have to replace


class Meaning(NamedTuple):
    """What a code means, and what staff or the keeper of the program can do."""

    meaning: str
    cure: str


_ADDRESS = Meaning(
    "The mail server or provider refuses the recipient's address for good.",
    "Ask the person for another address or number, correct it, then try the message again.",
)
_SERVER = Meaning(
    "The mail server or provider does not answer, or not in time.",
    "Look at EMAIL_URL, the network and the provider's status page. The worker tries again.",
)
_LATER = Meaning(
    "The mail server or provider cannot take the message now.",
    "Wait: the worker tries again. If it lasts, ask the provider.",
)
_MEANINGS = (
    (r"bounced|rejected|smtp 55[013]|recipient refused|sms refused", _ADDRESS),
    (
        r"twilio 21610|unsubscribed",
        Meaning(
            "The owner of the address or number wants no more messages there.",
            "Call the person, and ask how the clinic may reach them.",
        ),
    ),
    (
        r"twilio \d+|undelivered",
        Meaning(
            "The provider of text messages, or the phone company, did not take the message.",
            "Look the code up in the provider's list of errors, and call the person.",
        ),
    ),
    (
        r"deferred",
        Meaning(
            "The recipient's mail server takes the message later.", "Wait for the next report."
        ),
    ),
    (
        r"\d+ of \d+ refused",
        Meaning(
            "The mail server refused some of the recipients, and took the message for the others.",
            "Look whether the e-mail addresses of the accounts of staff are right.",
        ),
    ),
    (
        r"complained",
        Meaning(
            "The recipient marked the message as spam, so the program sends nothing more there.",
            "Call the person, and ask how the clinic may reach them.",
        ),
    ),
    (
        r"no recipient",
        Meaning(
            "No account of staff with the right role has an e-mail address.",
            "Give an account an e-mail address and a role, then try the message again.",
        ),
    ),
    (
        r"no way",
        Meaning(
            "When the message was due, no letter reached the person.",
            "The call list says whether a call is owed.",
        ),
    ),
    (
        r"too late",
        Meaning(
            "The text message had to wait for the hours or the count of texts, and was too late.",
            "The call list says whether a call is owed.",
        ),
    ),
    (
        r"expired",
        Meaning("The message was due too late to be of use.", "Look why the worker stood."),
    ),
    (
        r"not followed up",
        Meaning(
            "What has to follow when the message is not sent could not be stored.",
            "Look into the log for “unsent message not followed up”, and call the person.",
        ),
    ),
    (
        r"NoComposer",
        Meaning(
            "This release of the program cannot write a message of this kind.",
            "Start the workers of the release that the web server runs.",
        ),
    ),
    (
        r"smtp 53[0-9]|http 40[13]|SMTPAuthenticationError",
        Meaning(
            "The mail server or provider refuses the program's password or key.",
            "Correct EMAIL_URL, and restart the worker.",
        ),
    ),
    (r"smtp 4\d\d|http (408|425|429|5\d\d)", _LATER),
    (
        r"smtp 5\d\d|http (400|422)",
        Meaning(
            "The mail server or provider refuses the message for good.",
            "Look whether EMAIL_FROM is an address that the provider accepts.",
        ),
    ),
    (r"(SMTP|Connection|Timeout|OS|SSL|gaierror|Anymail|BrokenPipe|ReadTimeout)\w*", _SERVER),
)
_UNKNOWN = Meaning(
    "The program broke while it wrote or sent the message.",
    "Look into the log for “message not sent”, and tell whoever keeps the program.",
)


def meaning_of(code: str) -> Meaning:
    """Return what a code means. An exception that this module does not name is a fault of ours."""
    found = (meaning for pattern, meaning in _MEANINGS if re.fullmatch(pattern, code))
    return next(found, _UNKNOWN)


def code_of(error: Exception) -> tuple[str, bool]:
    """Return a short code for an error, and whether another try would be useless."""
    # imported here, because the import is slow and web servers do not need it
    from anymail.exceptions import AnymailRecipientsRefused

    match error:
        case smtplib.SMTPRecipientsRefused():
            code = min(code for code, _text in error.recipients.values())
            return f"smtp {code}", code >= 500
        case smtplib.SMTPResponseException():
            # a wrong password or a refused connection is no fault of the message, so try again
            ours = smtplib.SMTPAuthenticationError, smtplib.SMTPConnectError, smtplib.SMTPHeloError
            return f"smtp {error.smtp_code}", error.smtp_code >= 500 and not isinstance(error, ours)
        case AnymailRecipientsRefused():
            return "recipient refused", True
        case sms.NumberRefused():
            return error.trouble, True
        case sms.ProviderTrouble():
            return error.trouble, False
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return f"http {status}", status in (400, 422)
    return type(error).__name__, False
