"""Reading the answers that a browser or a file sends."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.domain.answers import (
    clean_answer,
    clean_json_answer,
    clean_page,
    from_json,
    plain,
    recognised_answer,
    to_json,
)
from intake.domain.definition import Protocol
from intake.domain.ranges import Range
from intake.domain.wrong_answers import InvalidAnswer, missing
from intake.protocols import available, load

NONE = "“None of these” cannot be checked together with other answers. Uncheck one."


def refused(protocol: Protocol, id: str, *raw: str) -> InvalidAnswer:
    with pytest.raises(InvalidAnswer) as caught:
        clean_answer(protocol.question(id), raw)
    return caught.value


@pytest.mark.parametrize(
    ("id", "raw", "value"),
    [
        ("who", ["self"], "self"),
        ("em_now", ["none"], ("none",)),
        ("em_now", ["stroke_signs", "cold_leg_sudden"], ("cold_leg_sudden", "stroke_signs")),
        ("em_now", ["stroke_signs", "stroke_signs"], ("stroke_signs",)),
        ("age_years", ["44"], 44),
        ("age_years", [" 044 "], 44),
        ("age_years", ["0"], 0),
        ("age_years", ["120"], 120),
        ("ferritin", ["75"], Decimal("75")),
        ("ferritin", ["75.10"], Decimal("75.1")),
        ("ferritin", ["7,5"], Decimal("7.5")),
        ("ferritin", [" 100.0 "], Decimal("100")),
        ("ferritin", ["-0"], Decimal("0")),
        ("ferritin", ["12.125"], Decimal("12.125")),
        ("ferritin", ["7.0"], Decimal("7")),
        ("ferritin", [".5"], Decimal("0.5")),
        ("ferritin", ["75 ng/mL"], Decimal("75")),
        ("ferritin", ["75ng / ml"], Decimal("75")),
        ("ferritin", ["75 \u00b5g/L"], Decimal("75")),
        ("tsat", ["12%"], Decimal("12")),
        ("ferritin", [" <15"], Range("<15", Decimal(0), Decimal(15), below=True)),
        ("ferritin", ["\u226415 ng/mL"], Range("\u226415", Decimal(0), Decimal(15))),
        ("ferritin", [">  300"], Range("> 300", Decimal(300), Decimal(10000), above=True)),
        ("ferritin", [">=300"], Range(">=300", Decimal(300), Decimal(10000))),
        ("ferritin", ["15-20"], Range("15-20", Decimal(15), Decimal(20))),
        ("ferritin", ["7,5 \u2013 8"], Range("7,5 \u2013 8", Decimal("7.5"), Decimal(8))),
        ("ferritin", ["15 to 20"], Range("15 to 20", Decimal(15), Decimal(20))),
        ("ferritin", ["15 a 20 ng/mL"], Range("15 a 20", Decimal(15), Decimal(20))),
        ("reason_text", ["  two\r\nlines\rmore "], "two\nlines\nmore"),
        ("reason_text", ["e\u0301"], "\u00e9"),
        ("reason_text", ["a\x0bb\x0cc\x85d\u2028e\u2029f"], "a\nb\nc\nd\ne\nf"),
        ("reason_text", ["\u2067כאב ברגל\u2069 3 \u200fימים"], "\u2067כאב ברגל\u2069 3 \u200fימים"),
        ("reason_text", ["a\u202eb\u202c"], "a\u202bb\u202c"),  # shown in the order of its letters
        ("reason_text", ["tab\there, \U0001f9b5, \u5e74"], "tab\there, \U0001f9b5, \u5e74"),
        ("ack", ["on"], True),
        ("ack", ["true"], True),
    ],
)
def test_what_is_meant_is_read(protocol: Protocol, id: str, raw: list[str], value: Any) -> None:
    answer = clean_answer(protocol.question(id), raw)
    assert answer == value
    assert type(answer) is type(value)
    assert str(answer) == str(value)


@pytest.mark.parametrize("id", ["who", "em_now", "age_years", "ferritin", "reason_text", "ack"])
@pytest.mark.parametrize("raw", [[], [""]])
def test_a_blank_answer_is_no_answer(protocol: Protocol, id: str, raw: list[str]) -> None:
    assert clean_answer(protocol.question(id), raw) is None


@pytest.mark.parametrize("raw", [["  "], ["\r\n"], ["\u00a0"], ["\u200b \u2069"]])
def test_white_space_is_no_answer(protocol: Protocol, raw: list[str]) -> None:
    assert clean_answer(protocol.question("reason_text"), raw) is None


@pytest.mark.parametrize("text", ["121", "-1", "9" * 9, "٢٠٠"])
def test_a_whole_number_outside_the_limits_is_refused(protocol: Protocol, text: str) -> None:
    error = refused(protocol, "age_years", text)
    assert error.message == "Enter a whole number from 0 to 120."
    assert (error.code, error.params["min"], error.params["max"]) == ("whole_number", 0, 120)


@pytest.mark.parametrize(
    "text",
    [
        *("1_0", "1e2", "+5", "--5", "- 5", "0x10", "4.5", "4,5", "4.000", "1,000", "44.5 years"),
        *("NaN", "inf", "1 0", "\u221e", "\u00bd", "\u00b2", "5²", "4½", "①", "5;DROP", "forty"),
        *("44 months", "44 kg", "44 years 3 months", "years 44", "<44", "44?", "4 or 5"),
    ],
)
def test_what_is_no_whole_number_is_quoted_and_refused(protocol: Protocol, text: str) -> None:
    error = refused(protocol, "age_years", text)
    assert error.message == (
        f"We cannot read “{text}” as a whole number. Enter a number from 0 to 120."
    )
    assert error.kept is None
    assert text not in str(error)  # a log may contain the exception


def test_only_the_beginning_of_a_long_text_is_quoted(protocol: Protocol) -> None:
    assert refused(protocol, "age_years", "9" * 400).params["typed"] == "9" * 30 + "…"


@pytest.mark.parametrize(
    ("id", "text", "value"),
    [
        *(("age_years", text, 44) for text in ("44 years", "44years", "44 Years old", "44 años")),
        *(("age_years", text, 44) for text in ("44 yrs.", "44.0", "44,00", "44.", "44.0 y/o")),
        *(
            ("age_years", text, 44)
            for text in ("٤٤", "४४", "４４", "\u202a44\u202c", "4\u200b4\u00ad")
        ),
        ("age_years", "\u22120", 0),
        *(("lr7_nights", text, 3) for text in ("3 nights", "3 noches", "3 d", "۳")),
        *(
            ("ferritin", text, Decimal("0.5"))
            for text in (".5", "0.5", ",5", "٠٫٥", "0.50", "．５")
        ),
        *(("ferritin", text, Decimal(7)) for text in ("7.", "7.0", "٧", "\u20687\u2069")),
    ],
)
def test_a_number_is_read_as_people_type_it(
    protocol: Protocol, id: str, text: str, value: Any
) -> None:
    assert clean_answer(protocol.question(id), [text]) == value


@pytest.mark.parametrize(
    "text",
    [
        *("1e2", "1E2", "NaN", "nan", "Infinity", "-inf", "1_0", "7.5.1"),
        *("7..5", "7,5,1", "1,234", "1.2345", "+7", "7 5", "9" * 400, "sNaN"),
        *("<", "<<10", "<-10", "< 10 <", "15-10", "10-15-20", "10-", "-10-15", "<1,234", "10.-15"),
    ],
)
def test_what_is_no_plain_decimal_number_is_refused(protocol: Protocol, text: str) -> None:
    error = refused(protocol, "hemoglobin", text)
    assert error.code == "decimal"
    assert error.message == (
        "Enter a number from 3 to 25 g/dL, such as 12.5, or as your report shows it,"
        " such as <15 or 15-20."
    )


@pytest.mark.parametrize("text", ["75 g/L", "7.5 g", "12 mmol/L", "<12 g/L", "7.5 low", "12%"])
def test_a_number_in_another_unit_is_asked_back(protocol: Protocol, text: str) -> None:
    error = refused(protocol, "hemoglobin", text)
    assert (error.code, error.kept) == ("other_unit", None)
    assert error.message.startswith("We need the number in g/dL, with no other unit")


@pytest.mark.parametrize(
    "text", ["2.9", "25.1", "-7", "120", ".5", "<3", "<2", ">25", ">30", "2-4", "24-26"]
)
def test_a_number_outside_the_limits_is_told_with_its_unit(protocol: Protocol, text: str) -> None:
    assert refused(protocol, "hemoglobin", text).message == "Enter a number from 3 to 25 g/dL."


@pytest.mark.parametrize("character", list("\x00\x07\x1b\x7f\x80\ud800"))
def test_text_with_characters_nobody_can_see_is_refused(protocol: Protocol, character: str) -> None:
    error = refused(protocol, "reason_text", f"my {character}leg")
    assert error.code == "not_text"
    assert "plain letters" in error.message


def test_text_of_600_characters_is_taken_and_of_601_refused(protocol: Protocol) -> None:
    legs = "\U0001f9b5" * 600
    assert clean_answer(protocol.question("reason_text"), [legs]) == legs
    error = refused(protocol, "reason_text", legs + "x")
    assert error.message == "Use at most 600 characters. You have 601."
    assert error.params == {"limit": 600, "length": 601}


@pytest.mark.parametrize(
    ("id", "raw"),
    [
        ("who", ["nobody"]),
        ("who", ["Self"]),
        ("who", [" self"]),
        ("em_now", ["stroke_signs", "nothing"]),
        ("em_now", ["stroke_signs,none"]),
        ("ack", ["yes please"]),
    ],
)
def test_an_option_that_was_not_offered_is_refused(
    protocol: Protocol, id: str, raw: list[str]
) -> None:
    error = refused(protocol, id, *raw)
    assert error.message == "Choose from the answers shown."
    assert error.kept is None


@pytest.mark.parametrize("id", ["who", "age_years", "ferritin", "reason_text", "ack"])
def test_two_answers_to_a_question_that_takes_one_are_refused(protocol: Protocol, id: str) -> None:
    assert refused(protocol, id, "1", "1").message == "Give one answer only."


def test_of_an_exclusive_option_beside_others_the_others_count(protocol: Protocol) -> None:
    error = refused(protocol, "em_now", "none", "chest_or_breath", "cold_leg_sudden")
    assert error.message == NONE
    assert error.kept == ("cold_leg_sudden", "chest_or_breath")
    assert (error.code, error.params) == ("exclusive", {"label": "None of these"})


def test_a_box_that_must_be_ticked_is_not_unticked(protocol: Protocol) -> None:
    assert refused(protocol, "ack", "false").message == "Check the box to continue."


@pytest.mark.parametrize(
    ("id", "message"),
    [
        ("who", "Choose one answer."),
        ("em_now", "Check at least one box, or “None of these”."),
        ("meds_stopped", "Check at least one box."),
        ("age_years", "Enter a number."),
        ("hemoglobin", "Enter a number."),
        ("callback_phone", "Enter your answer."),
        ("ack", "Check the box to continue."),
    ],
)
def test_what_is_missing_is_said_for_each_type(protocol: Protocol, id: str, message: str) -> None:
    assert missing(protocol.question(id)).message == message


@pytest.mark.parametrize(
    ("id", "given_", "value"),
    [
        ("who", "self", "self"),
        ("em_now", ["stroke_signs", "cold_leg_sudden"], ("cold_leg_sudden", "stroke_signs")),
        ("em_now", [], None),
        ("age_years", 44, 44),
        ("age_years", 44.0, 44),
        ("age_years", "44", 44),
        ("ferritin", 75.1, Decimal("75.1")),
        ("ferritin", 100, Decimal("100")),
        ("ferritin", Decimal("1E+2"), Decimal("100")),
        ("ferritin", "7,5", Decimal("7.5")),
        ("ferritin", 0.001, Decimal("0.001")),
        ("ack", True, True),
        ("who", None, None),
        ("reason_text", "", None),
    ],
)
def test_json_answers_are_read_by_type(
    protocol: Protocol, id: str, given_: Any, value: Any
) -> None:
    answer = clean_json_answer(protocol.question(id), given_)
    assert (answer, type(answer)) == (value, type(value))


@pytest.mark.parametrize(
    ("id", "given_"),
    [
        *(("who", value) for value in (1, True, ["self"], {}, "nobody")),
        *(("em_now", value) for value in ("none", [1], [None], {"none": True}, 7, [["none"]])),
        *(("age_years", value) for value in (True, [44], {}, 44.5, 1e300, 10**400, -1, "1e2")),
        *(("age_years", value) for value in (float("nan"), float("inf"), float("-inf"))),
        *(("ferritin", value) for value in (True, {}, [7], float("nan"), 1e300, 1e-300, 7.1234)),
        *(("ferritin", value) for value in (Decimal("sNaN"), Decimal("1E+999999"))),
        *(("reason_text", value) for value in (1, True, ["text"], {}, "x" * 601)),
        *(("ack", value) for value in (1, "true", "on", False, [True])),
    ],
)
def test_json_answers_of_another_type_or_outside_the_limits_are_refused(
    protocol: Protocol, id: str, given_: Any
) -> None:
    with pytest.raises(InvalidAnswer) as caught:
        clean_json_answer(protocol.question(id), given_)
    assert caught.value.message


@pytest.mark.parametrize(
    ("id", "raw", "value"),
    [
        ("em_now", ["nothing", "none", "chest_or_breath"], ("chest_or_breath",)),
        ("em_now", ["none", "nothing"], ("none",)),
        ("em_now", ["nothing"], None),
        ("si_screen", ["nothing", "active"], "active"),
        ("si_screen", ["nothing"], None),
        ("age_years", ["forty"], None),
        ("age_years", ["forty", "40"], 40),
    ],
)
def test_what_is_recognised_beside_mistakes(
    protocol: Protocol, id: str, raw: list[str], value: Any
) -> None:
    assert recognised_answer(protocol.question(id), raw) == value


@given(
    st.sampled_from([q for name in available() for q in load(name).questions]),
    st.lists(st.text(max_size=20), max_size=3),
)
def test_no_form_makes_anything_but_an_answer_or_a_refusal(question: Any, raw: list[str]) -> None:
    recognised_answer(question, raw)
    value = None
    with suppress(InvalidAnswer):
        value = clean_answer(question, raw)
    assert value is None or clean_json_answer(question, plain(value)) == value


def test_a_page_gives_its_values_and_a_message_for_each_mistake(protocol: Protocol) -> None:
    result = clean_page(
        protocol.page("about"), {"who": ["self"], "age_years": ["abc"], "bogus": ["x"]}
    )
    assert result.values == {"who": "self"}
    assert {id: error.message for id, error in result.errors.items()} == {
        "age_years": "We cannot read “abc” as a whole number. Enter a number from 0 to 120.",
        "sex_at_birth": "Choose one answer.",
    }
    assert not result.ok


def test_on_a_page_what_counts_in_spite_of_a_clash_is_kept(protocol: Protocol) -> None:
    result = clean_page(protocol.page("safety"), {"em_now": ["none", "stroke_signs"]})
    assert result.values == {"em_now": ("stroke_signs",)}
    assert result.errors["em_now"].message == NONE


def test_an_optional_question_may_be_left_blank(protocol: Protocol) -> None:
    result = clean_page(protocol.page("life"), {})
    assert result.ok
    assert result.values == {}


@pytest.mark.parametrize(
    ("raw", "values", "errors"),
    [
        ({}, {}, []),
        ({"meds_classes": [""], "meds_list": [" \n"]}, {}, []),
        ({"meds_list": ["iron"]}, {"meds_list": "iron"}, []),
        ({"meds_classes": ["none"]}, {"meds_classes": ("none",)}, []),
        (
            {"meds_classes": ["none", "opioid"]},
            {"meds_classes": ("opioid",)},
            ["meds_classes"],
        ),
        ({"meds_list": ["x" * 601]}, {}, ["meds_list"]),
    ],
)
def test_a_blank_keeps_an_answer_that_was_not_shown_and_anything_else_is_judged(
    protocol: Protocol, raw: Any, values: Any, errors: Any
) -> None:
    result = clean_page(protocol.page("meds"), raw, kept=("meds_classes", "meds_list"))
    assert (result.values, list(result.errors)) == (values, errors)
    assert "meds_classes" in clean_page(protocol.page("meds"), {}, kept=("meds_list",)).errors


def test_answers_are_stored_as_plain_json(protocol: Protocol) -> None:
    below = Range("<20", Decimal(0), Decimal(20), below=True)
    answers = {"em_now": ("none",), "age_years": 44, "ferritin": Decimal("7.5"), "tsat": below}
    stored = to_json(answers)
    assert stored == {"em_now": ["none"], "age_years": 44, "ferritin": "7.5", "tsat": "<20"}
    assert from_json(protocol, stored) == answers
