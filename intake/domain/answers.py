"""Read answers from the strings that a browser sends; turn answers into JSON data and back."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from intake.domain import wrong_answers
from intake.domain.definition import Answers, Protocol, Question, QuestionPage, Value
from intake.domain.ranges import NUMBER, Range, as_number, read_range
from intake.domain.typed_number import plain_number
from intake.domain.typed_text import as_lines, as_name, is_blank
from intake.domain.wrong_answers import InvalidAnswer

_WHOLE_NUMBER: Final = re.compile(r"-?[0-9]{1,9}")
_DECIMAL: Final = re.compile(rf"-?{NUMBER}")
_WITH_UNIT: Final = re.compile(r"(.*[0-9])\s*([^\W\d_][^\d<>≤≥]*|%)", re.DOTALL)
# other spellings of a unit, which never change the number
_SPELLINGS: Final = {"ng/mL": ("ug/l", "µg/l", "mcg/l")}
# Control characters except tab and line end, and lone surrogates.
_NOT_TEXT: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class PageResult(msgspec.Struct, frozen=True):
    """The result of a posted page: the answers that count, and the errors by question id."""

    values: dict[str, Value]
    errors: dict[str, InvalidAnswer]

    @property
    def ok(self) -> bool:
        """Whether the patient may go on to the next page."""
        return not self.errors


# --- reading one answer ---------------------------------------------------------------------------


def clean_answer(question: Question, raw: Sequence[str]) -> Value | None:
    """Read the answer from the strings that a form sent for this question; None if it is blank.

    A blank answer is allowed here even if the question is required; `clean_page` checks that.
    Raises InvalidAnswer if the answer cannot be read or is outside the question's limits.
    """
    if question.type == "multi":
        return _choices(question, [code for code in raw if code])
    given = [text for text in raw if not is_blank(text)]
    if not given:
        return None
    if len(given) > 1:
        raise wrong_answers.sent_twice()
    text = given[0]
    match question.type:
        case "single":
            return _choice(question, text)
        case "integer":
            return _whole_number(question, text)
        case "decimal":
            return _decimal(question, plain_number(question, text))
        case "boolean":
            if text not in ("on", "true", "false"):
                raise wrong_answers.not_an_option()
            return _tick(question, text != "false")
        case _:
            return _text(question, text)


def clean_json_answer(question: Question, value: object) -> Value | None:
    """Read the answer from a JSON value; None if the value is null or empty.

    A number may be written as a string. The limits are the same as in `clean_answer`. Raises
    InvalidAnswer.
    """
    if value is None or value == "" or value == []:
        return None
    if question.type == "multi":
        if not (isinstance(value, list) and all(isinstance(code, str) for code in value)):
            raise InvalidAnswer("type", "Give a list of options.")
        return _choices(question, value)
    if question.type == "boolean":
        if not isinstance(value, bool):
            raise InvalidAnswer("type", "Give true or false.")
        return _tick(question, value)
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if is_number and question.type in ("integer", "decimal"):
        return clean_answer(question, [_written_out(value)])
    if not isinstance(value, str):
        raise InvalidAnswer("type", "Give the answer as text.")
    return clean_answer(question, [value])


def recognised_answer(question: Question, raw: Sequence[str]) -> Value | None:
    """Return the part of an answer that can be read, without an error; None if nothing can be read.

    A known option counts even if the patient also ticked an exclusive option, such as "None of
    these". So no emergency is missed. If a single-choice question got two answers, the first known
    option counts.
    """
    if question.type == "multi":
        codes = {code for code in raw if code not in question.exclusive}
        ticked = _in_order(question, codes) or _in_order(question, set(raw))
        return ticked or None
    for text in raw:
        try:
            value = clean_answer(question, [text])
        except InvalidAnswer:
            continue
        if value is not None:
            return value
    return None


def clean_page(
    page: QuestionPage, raw: Mapping[str, Sequence[str]], *, kept: Collection[str] = ()
) -> PageResult:
    """Read all answers of a posted page.

    `page` has the visible questions only. `raw` holds the strings that the form sent, by question
    id; other names in it are ignored. `kept` names questions whose earlier answer was hidden on the
    page. If a question in `kept` is left blank, its earlier answer stays: the question is then
    neither among the errors nor among the values.
    """
    values: dict[str, Value] = {}
    errors: dict[str, InvalidAnswer] = {}
    for question in page.questions:
        try:
            value = clean_answer(question, raw.get(question.id, ()))
            if value is None and question.required and question.id not in kept:
                raise wrong_answers.missing(question)
        except InvalidAnswer as error:
            errors[question.id] = error
            value = error.kept
        if value is not None:
            values[question.id] = value
    return PageResult(values, errors)


def _choice(question: Question, code: str) -> str:
    if all(code != option.code for option in question.options):
        raise wrong_answers.not_an_option()
    return code


def _choices(question: Question, codes: Sequence[str]) -> tuple[str, ...] | None:
    known = {option.code for option in question.options}
    if not known.issuperset(codes):
        raise wrong_answers.not_an_option()
    ticked = _in_order(question, set(codes))
    others = tuple(code for code in ticked if code not in question.exclusive)
    alone = [code for code in ticked if code in question.exclusive]
    if alone and len(ticked) > 1:
        raise wrong_answers.exclusive_clash(question.option(alone[0]).label, others)
    return ticked or None


def _in_order(question: Question, codes: set[str]) -> tuple[str, ...]:
    return tuple(option.code for option in question.options if option.code in codes)


def _tick(question: Question, value: bool) -> bool:
    if question.must_be is not None and value is not question.must_be:
        raise wrong_answers.must_tick()
    return value


def _whole_number(question: Question, text: str) -> int:
    digits = plain_number(question, text)
    if not _WHOLE_NUMBER.fullmatch(digits):
        raise wrong_answers.not_a_whole_number(question, text)
    number = int(digits)
    if not _within_limits(question, number):
        raise wrong_answers.out_of_limits(question)
    return number


def _decimal(question: Question, text: str) -> Decimal | Range:
    text = _without_unit(question, " ".join(text.split()))
    if _DECIMAL.fullmatch(text):
        number = as_number(text)
        if not _within_limits(question, number):
            raise wrong_answers.out_of_limits(question)
        return _shortest(number)
    found = _range(question, text)
    if found is None:
        raise wrong_answers.not_a_decimal(question)
    if found.empty or not all(_within_limits(question, end) for end in (found.low, found.high)):
        raise wrong_answers.out_of_limits(question)
    return found


def _without_unit(question: Question, text: str) -> str:
    """Remove the question's own unit. Raises InvalidAnswer for other words after the number.

    A number in another unit is never converted, because the patient may mean something else.
    """
    found = _WITH_UNIT.fullmatch(text)
    if found is None or not question.shown_unit:
        return text
    own = (question.shown_unit.casefold(), *_SPELLINGS.get(question.shown_unit, ()))
    # Unicode has two characters for micro, and NFKC turns both into the same one
    unit = unicodedata.normalize("NFKC", found[2]).casefold().replace(" ", "")
    if unit not in {unicodedata.normalize("NFKC", each) for each in own}:
        raise wrong_answers.other_unit(question)
    return found[1]


def _range(question: Question, text: str) -> Range | None:
    lowest, highest = question.min, question.max
    if lowest is None or highest is None:
        return None
    return read_range(text, Decimal(str(lowest)), Decimal(str(highest)))


def _within_limits(question: Question, number: int | Decimal) -> bool:
    # str() gives the limit as it is written in the file; Decimal(float) would give the nearest
    # binary number.
    too_low = question.min is not None and number < Decimal(str(question.min))
    too_high = question.max is not None and number > Decimal(str(question.max))
    return not (too_low or too_high)


def _shortest(number: Decimal) -> Decimal:
    """Write a number without trailing zeros and exponent: 7.50 becomes 7.5, 1E+2 becomes 100."""
    number = number.normalize() + 0  # adding 0 turns -0 into 0
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number


def _written_out(number: object) -> str:
    """Write a JSON number in digits. NaN and infinity stay words, which are refused later."""
    value = Decimal(str(number))
    # very large numbers are not written in digits: 1E+1000000 has a million digits
    if not value.is_finite() or abs(value.adjusted()) > 12:
        return str(value)
    return f"{_shortest(value):f}"


def _text(question: Question, text: str) -> str | None:
    text = as_lines(text).strip()
    if _NOT_TEXT.search(text):
        raise wrong_answers.not_text()
    if question.one_line:
        text = " ".join(as_name(text).split())
    text = unicodedata.normalize("NFC", text)
    if question.max_length is not None and len(text) > question.max_length:
        raise wrong_answers.too_long(question.max_length, len(text))
    return text or None


# --- storing answers ------------------------------------------------------------------------------


def plain(value: Value | None) -> Any:
    """Turn one answer into JSON data: decimals and ranges become a string, options a list."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Range):
        return value.text
    return list(value) if isinstance(value, tuple) else value


def to_json(answers: Answers) -> dict[str, Any]:
    """Turn answers into JSON data, which `from_json` reads back."""
    return {id: plain(value) for id, value in answers.items()}


def from_json(protocol: Protocol, data: Mapping[str, Any]) -> dict[str, Value]:
    """Read the answers that `to_json` wrote. `protocol` is the protocol that asked the questions.

    The answers were checked before they were stored and are not checked again. Raises KeyError for
    a question that the protocol does not have.
    """
    return {id: _restored(protocol.question(id), value) for id, value in data.items()}


def _restored(question: Question, value: Any) -> Value:
    match question.type:
        case "decimal":
            return _range(question, value) or Decimal(value)
        case "multi":
            return tuple(value)
        case _:
            answer: Value = value
            return answer
