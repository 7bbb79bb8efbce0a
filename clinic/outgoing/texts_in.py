"""Give each text message to the clinic's number to the app that answers it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db import transaction

from clinic import limits
from clinic.outgoing import pacing

MOST = 20  # texts of one number in an hour, before the number floods us


@dataclass(frozen=True, kw_only=True)
class TextIn:
    """A text message from a phone, such as STOP.

    `provider_id` is the same when the provider reports the same text again. With `is_answered`, the
    provider has already answered the text, for example a STOP. With `is_flood`, the number has sent
    more than MOST texts within an hour.
    """

    provider_id: str
    number: str
    words: str
    pictures: int = 0
    is_answered: bool = False
    is_flood: bool = False


Answer = Callable[..., str | None]
_answers: list[Answer] = []


def when_text_arrives(answer: Answer) -> Answer:
    """Register the function that stores `text`, a text message, and returns the answer, or None.

    The function gets the same text again when the provider repeats its report.
    """
    _answers.append(answer)
    return answer


def take(text: TextIn) -> str | None:
    """Pass a text message on. Returns the answer to send, or None to send nothing.

    The texts of one number are taken one after the other.
    """
    key = pacing.key_of(text.number)
    is_flood = not limits.take(f"text:{key.hex()}", capacity=MOST, per=timedelta(hours=1))
    with transaction.atomic():
        pacing.lock(key)
        said = [answer(text=replace(text, is_flood=is_flood)) for answer in _answers]
    return next(filter(None, said), None)
