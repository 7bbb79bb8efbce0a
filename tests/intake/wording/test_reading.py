"""How a stored answer is written out in words, for patients and for staff."""

from django.utils import translation

from intake.protocols import current
from intake.wording.reading import answer_words


def test_yes_and_no_are_told_in_the_language_of_the_reader():
    question = current().question("ack")

    assert question.type == "boolean"
    assert (answer_words(question, True), answer_words(question, False)) == (("Yes",), ("No",))
    with translation.override("es"):  # two words that Django itself translates
        assert (answer_words(question, True), answer_words(question, False)) == (("Sí",), ("No",))
