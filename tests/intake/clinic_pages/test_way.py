"""The drawing of the way to the door."""

from hypothesis import given, settings
from hypothesis import strategies as st

from intake.clinic_pages import way
from tests.examples import examples

SIGNS = st.sampled_from(["left: a", "right: b", "ahead: c", "LEFT :d", "up: e", "f", ":", "left:"])


def test_a_way_turns_where_its_words_say():
    drawing = way.draw(["Leave the bus", "left: at the bakery", "right: at the bank", "the door"])

    assert [step.words for step in drawing.steps] == [
        *("Leave the bus", "at the bakery", "at the bank", "the door"),
    ]
    assert drawing.points == "64,104 64,64 24,64 24,24"
    assert (drawing.width, drawing.height) == (88, 128)


def test_a_word_that_is_no_turn_stays_in_the_text():
    assert [step.words for step in way.draw(["Bus 7: Example Square"]).steps] == [
        "Bus 7: Example Square"
    ]
    assert way.draw([]) is None


@settings(max_examples=examples(100))
@given(st.lists(SIGNS | st.text(max_size=20), max_size=20))
def test_every_way_fits_its_drawing(lines):
    drawing = way.draw(lines)
    steps = drawing.steps if drawing else ()

    assert len(steps) == min(len(lines), way.MOST_STEPS)
    for step in steps:
        assert 24 <= step.x <= drawing.width - 24
        assert 24 <= step.y <= drawing.height - 24
