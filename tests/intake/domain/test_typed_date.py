"""Reading a date from its three boxes, however the patient types or pastes it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.domain.typed_date import read_date
from intake.domain.wrong_answers import InvalidAnswer
from intake.wording.languages import month_names

DAY = date(1984, 3, 27)
DAYS = st.dates(date(1000, 1, 1), date(9999, 12, 31))


def read(*boxes: str) -> date | None:
    return read_date([*boxes, "", ""][:3], month_names())


def attempt(*boxes: str) -> date | InvalidAnswer | None:
    try:
        return read(*boxes)
    except InvalidAnswer as error:
        return error


@pytest.mark.parametrize(
    "boxes",
    [
        *(("3", "27", "1984"), (" 03 ", "27\u200b", "1984"), ("٣", "٢٧", "١٩٨٤")),
        *(("March", "27", "1984"), ("mar.", "27", "1984"), ("Marzo", "27", "1984")),
        *(("27", "March", "1984"), ("3", "27th", "1984"), ("MAR", "27", "1984")),
        *(("3/27/1984",), ("", "3\u201327\u20131984"), ("", "", "3.27.1984"), ("27/3/1984",)),
        *(("1984-03-27",), ("1984/3/27",), ("19840327",), ("03271984",), ("3 27 1984",)),
        *(("March 27, 1984",), ("27 March 1984",), ("27 de marzo de 1984",), ("1984 mar 27",)),
        *(("3/27/1984", "27", "1984"), ("3/27/1984", "3/27/1984", "3/27/1984")),
        ("\u2068March 27th, 1984\u2069",),
    ],
)
def test_a_date_is_read_as_it_is_meant(boxes: tuple[str, ...]) -> None:
    assert read(*boxes) == DAY


@pytest.mark.parametrize(
    ("boxes", "code"),
    [
        *((boxes, "not_a_date") for boxes in (("Marhc", "27", "1984"), ("-3", "27", "1984"))),
        *((boxes, "not_a_date") for boxes in (("3/27/1984?",), ("May Mar 1984",), ("9" * 500,))),
        *((boxes, "two_dates_possible") for boxes in (("3/4/1984",), ("04-03-1984",))),
        *((boxes, "several_dates") for boxes in (("3/27/1984", "28"), ("3 27", "1", "1984"))),
        *((boxes, "several_dates") for boxes in (("May", "May", "1984"), ("5", "1", "May"))),
        *((boxes, "year_too_short") for boxes in (("3", "27", "84"), ("3/27/84",), ("1/1/0000",))),
        *((boxes, "no_such_date") for boxes in (("2/30/1982",), ("13", "1", "1982"))),
        *((boxes, "date_incomplete") for boxes in (("3", "", "1984"), ("3/27",), ("de", "1", "1"))),
    ],
)
def test_a_date_that_is_not_certain_is_never_guessed(boxes: tuple[str, ...], code: str) -> None:
    with pytest.raises(InvalidAnswer) as caught:
        read(*boxes)
    assert (caught.value.code, str(caught.value)) == (code, code)


@given(DAYS, st.sampled_from(["%m/%d/%Y", "%d.%m.%Y", "%Y-%m-%d", "%d %m %Y", "%m%d%Y"]))
def test_a_whole_date_in_numbers_is_that_date_or_is_asked_back(day: date, form: str) -> None:
    found = attempt(day.strftime(form))
    if day.day <= 12 and day.day != day.month and not form.startswith("%Y"):
        assert isinstance(found, InvalidAnswer)
        assert found.code == "two_dates_possible"
    else:
        assert found == day


@given(DAYS, st.sampled_from(sorted(month_names())), st.permutations([0, 1, 2]))
def test_a_month_in_words_makes_every_order_certain(day: date, name: str, order: list[int]) -> None:
    day = day.replace(month=month_names()[name], day=min(day.day, 28))
    parts = [name.title(), str(day.day), f"{day.year}"]
    assert read(" ".join(parts[place] for place in order)) == day


@given(st.lists(st.text(max_size=12), min_size=3, max_size=3))
def test_whatever_stands_in_the_boxes_is_a_date_nothing_or_a_sentence(boxes: list[str]) -> None:
    found = attempt(*boxes)
    assert found.message if isinstance(found, InvalidAnswer) else found is None or found.year
