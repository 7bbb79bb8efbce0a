"""Answers read back in words."""

from django.utils import translation

from intake.protocols import current
from intake.wording.reading import answer_words, computed_rows


def test_yes_and_no_are_told_in_the_language_of_the_reader():
    question = current().question("ack")

    assert question.type == "boolean"
    assert (answer_words(question, True), answer_words(question, False)) == (("Yes",), ("No",))
    with translation.override("es"):  # two words that Django itself translates
        assert (answer_words(question, True), answer_words(question, False)) == (("Sí",), ("No",))


def test_the_score_of_restless_legs_says_its_limits():
    told = dict(computed_rows({"lr7_total": 12}, {}))

    assert told["LR7, last 7 days"] == (
        "12 of 30, moderate (not validated, not comparable with IRLS)"
    )
