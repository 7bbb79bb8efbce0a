"""Pass a text message that somebody wrote to the clinic's number on to the app that answers it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TextIn:
    """A text message from a phone, such as STOP.

    `provider_id` is the same when the provider reports the same text again. With `is_answered`, the
    provider has already answered the text, for example a STOP.
    """

    provider_id: str
    number: str
    words: str
    pictures: int = 0
    is_answered: bool = False


Answer = Callable[[TextIn], str | None]
_answers: list[Answer] = []


def when_text_arrives(answer: Answer) -> Answer:
    """Register the function that stores a text message and returns the answer, or None.

    The function gets the same text again when the provider repeats its report.
    """
    _answers.append(answer)
    return answer


def take(text: TextIn) -> str | None:
    """Pass a text message on. Returns the answer to send, or None to send nothing."""
    for answer in _answers:
        if (said := answer(text)) is not None:
            return said
    return None
