"""Turn what a browser sends into answers, and answers into JSON data and back."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from intake.domain.definition import Answers, Protocol, Question, QuestionPage, Value

_WHOLE_NUMBER: Final = re.compile(r"-?[0-9]{1,9}")
# Three digits after a comma are refused. "1,234" means 1234 to most people here; read as 1.234, a
# high ferritin would become a low one.
_DECIMAL: Final = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,3}|,[0-9]{1,2})?")
# Control characters except tab and line end, lone surrogates, and the marks that show a text in
# another order than the stored one.
_NOT_TEXT: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]"
)
_UNITS_NAMED_IN_TEXT: Final = frozenset({"a", "d"})
"""Years and days. The question names these units ("how old in years"); messages do not."""


class InvalidAnswer(Exception):
    """An answer that does not count, with the message that tells the person what to do.

    `kept` is the part of the answer that counts all the same, or None.
    """

    def __init__(
        self, code: str, pattern: str, *, kept: Value | None = None, **params: object
    ) -> None:
        super().__init__(code)
        self.code = code
        self.pattern = pattern
        self.kept = kept
        self.params = params

    @property
    def message(self) -> str:
        return self.message_in(str)

    def message_in(self, translate: Callable[[str], str]) -> str:
        """Return the message; `translate` translates its pattern before the values are put in."""
        return translate(self.pattern) % self.params

    def __str__(self) -> str:
        return self.message


class PageResult(msgspec.Struct, frozen=True):
    """The result of a sent page: the answers that count, and the errors by question id."""

    values: dict[str, Value]
    errors: dict[str, InvalidAnswer]

    @property
    def ok(self) -> bool:
        """Whether the patient may go on to the next page."""
        return not self.errors


# Reading one answer


def clean_answer(question: Question, raw: Sequence[str]) -> Value | None:
    """Read the answer from the strings that a form sent for this question; None when blank.

    A blank answer to a required question is allowed here (see `missing_message`). Raises
    InvalidAnswer when the answer cannot be read or is outside the limits.
    """
    if question.type == "multi":
        return _choices(question, [code for code in raw if code])
    given = [text for text in raw if text.strip()]
    if not given:
        return None
    if len(given) > 1:
        raise _sent_twice()
    text = given[0]
    match question.type:
        case "single":
            return _choice(question, text)
        case "integer":
            return _whole_number(question, text)
        case "decimal":
            return _decimal(question, text)
        case "boolean":
            if text not in ("on", "true", "false"):
                raise _not_an_option()
            return _tick(question, text != "false")
        case _:
            return _text(question, text)


def clean_json_answer(question: Question, value: object) -> Value | None:
    """Read the answer from a JSON value; None when the value is null or empty.

    A number may be a string. The limits are those of `clean_answer`. Raises InvalidAnswer.
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
    """Read as much of an answer as can be recognised, errors ignored; None for nothing.

    Every known option counts, so that an emergency ticked beside a mistake is still seen. Of two
    answers to a single-choice question the first known option counts.
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


def missing_message(question: Question) -> InvalidAnswer:
    """Return the error for a required question that was left blank."""
    match question.type:
        case "single":
            return InvalidAnswer("missing_single", "Choose one answer.")
        case "multi":
            return _nothing_ticked(question)
        case "integer" | "decimal":
            return InvalidAnswer("missing_number", "Enter a number.")
        case "boolean":
            return _must_tick()
        case _:
            return InvalidAnswer("missing_text", "Enter your answer.")


def clean_page(
    page: QuestionPage, raw: Mapping[str, Sequence[str]], *, kept: Collection[str] = ()
) -> PageResult:
    """Read all answers of a page that a form sent.

    `page` holds the visible questions only; `raw` holds the strings by question id, and names that
    are no question of the page are ignored. `kept` names questions whose earlier answer the page
    did not show: when such a question is left blank the earlier answer stays, so the question is
    neither an error nor among the values.
    """
    values: dict[str, Value] = {}
    errors: dict[str, InvalidAnswer] = {}
    for question in page.questions:
        try:
            value = clean_answer(question, raw.get(question.id, ()))
            if value is None and question.required and question.id not in kept:
                raise missing_message(question)
        except InvalidAnswer as error:
            errors[question.id] = error
            value = error.kept
        if value is not None:
            values[question.id] = value
    return PageResult(values, errors)


def _choice(question: Question, code: str) -> str:
    if all(code != option.code for option in question.options):
        raise _not_an_option()
    return code


def _choices(question: Question, codes: Sequence[str]) -> tuple[str, ...] | None:
    known = {option.code for option in question.options}
    if not known.issuperset(codes):
        raise _not_an_option()
    ticked = _in_order(question, set(codes))
    others = tuple(code for code in ticked if code not in question.exclusive)
    alone = [code for code in ticked if code in question.exclusive]
    if alone and len(ticked) > 1:
        raise _exclusive_clash(question.option(alone[0]).label, others)
    return ticked or None


def _in_order(question: Question, codes: set[str]) -> tuple[str, ...]:
    return tuple(option.code for option in question.options if option.code in codes)


def _tick(question: Question, value: bool) -> bool:
    if question.must_be is not None and value is not question.must_be:
        raise _must_tick()
    return value


def _whole_number(question: Question, text: str) -> int:
    if not _WHOLE_NUMBER.fullmatch(text.strip()):
        raise _out_of_limits(question)
    number = int(text)
    if not _within_limits(question, number):
        raise _out_of_limits(question)
    return number


def _decimal(question: Question, text: str) -> Decimal:
    text = text.strip()
    if not _DECIMAL.fullmatch(text):
        raise _not_a_decimal(question)
    number = Decimal(text.replace(",", "."))
    if not _within_limits(question, number):
        raise _out_of_limits(question)
    return _shortest(number)


def _within_limits(question: Question, number: int | Decimal) -> bool:
    # A limit is the decimal number that is written in the file, not the nearest binary number.
    too_low = question.min is not None and number < Decimal(str(question.min))
    too_high = question.max is not None and number > Decimal(str(question.max))
    return not (too_low or too_high)


def _shortest(number: Decimal) -> Decimal:
    """Remove trailing zeros and the exponent: 7.50 → 7.5, 1E+2 → 100."""
    number = number.normalize() + 0  # + 0 turns -0 into 0
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number


def _written_out(number: object) -> str:
    """Write a JSON number in digits. NaN and infinity stay words, which no pattern accepts."""
    value = Decimal(str(number))
    # 1E+1000000 would be written out with a million digits.
    if not value.is_finite() or abs(value.adjusted()) > 12:
        return str(value)
    return f"{_shortest(value):f}"


def _text(question: Question, text: str) -> str | None:
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if _NOT_TEXT.search(text):
        raise InvalidAnswer(
            "not_text", "This has characters we cannot read. Type it with plain letters."
        )
    text = unicodedata.normalize("NFC", text)
    if question.max_length is not None and len(text) > question.max_length:
        raise _too_long(question.max_length, len(text))
    return text or None


# Messages, one function each. The translation catalogue is collected from the patterns here.


def _sent_twice() -> InvalidAnswer:
    return InvalidAnswer("sent_twice", "Give one answer only.")


def _not_an_option() -> InvalidAnswer:
    return InvalidAnswer("not_an_option", "Choose from the answers shown.")


def _exclusive_clash(label: str, others: tuple[str, ...]) -> InvalidAnswer:
    return InvalidAnswer(
        "exclusive",
        "“%(label)s” cannot be ticked together with other answers. Untick one.",
        kept=others or None,
        label=label,
    )


def _nothing_ticked(question: Question) -> InvalidAnswer:
    if not question.exclusive:
        return InvalidAnswer("missing_multi", "Tick at least one box.")
    label = question.option(question.exclusive[0]).label
    return InvalidAnswer(
        "missing_multi_exclusive", "Tick at least one box, or “%(label)s”.", label=label
    )


def _must_tick() -> InvalidAnswer:
    return InvalidAnswer("must_tick", "Tick the box to go on.")


def _upper_limit(question: Question) -> object:
    """Return the upper limit with its unit, for a message."""
    unit = question.unit
    named = unit is not None and unit not in _UNITS_NAMED_IN_TEXT
    return f"{question.max} {unit}" if named else question.max


def _out_of_limits(question: Question) -> InvalidAnswer:
    low, high = question.min, _upper_limit(question)
    if question.type == "integer":
        return InvalidAnswer(
            "whole_number", "Enter a whole number from %(min)s to %(max)s.", min=low, max=high
        )
    return InvalidAnswer("number", "Enter a number from %(min)s to %(max)s.", min=low, max=high)


def _not_a_decimal(question: Question) -> InvalidAnswer:
    return InvalidAnswer(
        "decimal",
        "Enter a number from %(min)s to %(max)s, such as 12 or 12.5, without other signs.",
        min=question.min,
        max=_upper_limit(question),
    )


def _too_long(limit: int, length: int) -> InvalidAnswer:
    return InvalidAnswer(
        "too_long",
        "Use at most %(limit)s characters. You have %(length)s.",
        limit=limit,
        length=length,
    )


# Storing answers


def plain(value: Value | None) -> Any:
    """Turn one answer into JSON data: a decimal becomes a string, options become a list."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return list(value) if isinstance(value, tuple) else value


def to_json(answers: Answers) -> dict[str, Any]:
    """Turn answers into JSON data, which `from_json` reads back."""
    return {id: plain(value) for id, value in answers.items()}


def from_json(protocol: Protocol, data: Mapping[str, Any]) -> dict[str, Value]:
    """Read the answers that `to_json` wrote; `protocol` is the one that asked the questions.

    The answers were cleaned before they were stored and are not judged again. Raises KeyError for
    a question that the protocol does not have.
    """
    return {id: _restored(protocol.question(id), value) for id, value in data.items()}


def _restored(question: Question, value: Any) -> Value:
    match question.type:
        case "decimal":
            return Decimal(value)
        case "multi":
            return tuple(value)
        case _:
            answer: Value = value
            return answer
