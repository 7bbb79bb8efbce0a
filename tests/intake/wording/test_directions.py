"""A sentence that points up or down the page points at what stands there."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[3]
POINTS = re.compile(
    r"\b(above(?! all| the estimate)|below|(top|bottom) of this page|next page|last page)\b"
)
ADVICE = (
    "What you told us should not wait for an appointment, so we do not offer you a time here. "
    "Please follow the advice at the top of this page."
)
# sentence → template, and what stands first and what second on its page
PLACES = {
    "We need more information from you. Read the messages below, or call us.": (
        "my/status.html",
        "<strong>{{ words }}</strong>",
        'id="messages"',
    ),
    "Please call us at %(phone)s, or write to us below.": (
        "my/status.html",
        "<strong>{{ words }}</strong>",
        "{% crispy form %}",
    ),
    "We cannot reach you. Please leave your phone number below.": (
        "intake/emergency.html",
        "{% for text in replies %}",
        "{% crispy tell_form %}",
    ),
    ADVICE: ("intake/page.html", "intake/_panels.html", "{% block form %}"),
}


def test_every_sentence_that_points_up_or_down_is_known():
    with (ROOT / "clinic/locale/es/LC_MESSAGES/django.po").open("rb") as file:
        sentences = [str(message.id) for message in read_po(file)]
    assert {one for one in sentences if POINTS.search(one)} == set(PLACES)


@pytest.mark.parametrize("sentence", PLACES)
def test_it_points_the_right_way(sentence):
    template, first, second = PLACES[sentence]
    text = (ROOT / "templates" / template).read_text(encoding="utf-8")
    assert text.index(first) < text.index(second)
