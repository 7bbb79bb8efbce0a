"""Ask about words of danger that a patient wrote: the words, the call button, and the form's token.

A patient may change the text in another tab while the page is open. The token stands for the words
on the page, so that an old answer never counts for new words.
"""

from hashlib import sha256
from typing import Any

from django.utils import timezone

from intake.domain.definition import About, QuestionPage
from intake.domain.hearing import gist, meant, read_answer
from intake.questionnaire.walk import Walk
from intake.wording.closures import unread_words

FIELD = "asked_about"  # the hidden field with the token


def about_of(page: QuestionPage) -> About | None:
    """Return which words of danger a page asks about, or None for any other page."""
    return next((question.about for question in page.questions if question.about), None)


def token(walk: Walk, about: About) -> str:
    """Return the token of the words about which the page asks now."""
    words = gist(walk.protocol, walk.content.answers.get(about.q))
    return sha256(words.encode()).hexdigest()[:16]


def context(about: About, walk: Walk | None = None) -> dict[str, Any]:
    """Return the context of a page that asks about words.

    The context has no words if the page is about a crisis, if the veil hides the words, or if there
    is no walk.
    """
    found: dict[str, Any] = {
        "crisis": about.crisis,
        "quote": [],
        "token": token(walk, about) if walk is not None else "",
        "unread": unread_words(timezone.now(), ask=walk is not None),
    }
    if walk is None or about.crisis or about.q in walk.content.veiled:
        return found
    reading = read_answer(walk.protocol, walk.content.answers.get(about.q))
    if reading is not None and (hits := meant(reading, walk.protocol.frames_of(about.rules))):
        found["quote"] = reading.quote(hits)
    return found
