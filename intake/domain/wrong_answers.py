"""The errors of wrong answers, with sentences that tell the patient what to do.

Each sentence has its own function. `manage.py translations` collects the patterns of the sentences.
"""

from __future__ import annotations

from collections.abc import Callable

from intake.domain.definition import Question, Value


class InvalidAnswer(Exception):
    """The error of an answer that cannot be accepted, with a message for the patient.

    `kept` is the part of the answer that still counts, or None. The text of the exception is only
    its code, because the message may quote the patient and a log may contain the exception.
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
        """Return the message, with its pattern translated by `translate` and its values put in."""
        return translate(self.pattern) % self.params


def missing(question: Question) -> InvalidAnswer:
    """Return the error for a required question that was left blank."""
    match question.type:
        case "single":
            return InvalidAnswer("missing_single", "Choose one answer.")
        case "multi":
            return _nothing_ticked(question)
        case "integer" | "decimal":
            return InvalidAnswer("missing_number", "Enter a number.")
        case "boolean":
            return must_tick()
        case _:
            return InvalidAnswer("missing_text", "Enter your answer.")


def sent_twice() -> InvalidAnswer:
    return InvalidAnswer("sent_twice", "Give one answer only.")


def not_an_option() -> InvalidAnswer:
    return InvalidAnswer("not_an_option", "Choose from the answers shown.")


def exclusive_clash(label: str, others: tuple[str, ...]) -> InvalidAnswer:
    return InvalidAnswer(
        "exclusive",
        "“%(label)s” cannot be checked together with other answers. Uncheck one.",
        kept=others or None,
        label=label,
    )


def _nothing_ticked(question: Question) -> InvalidAnswer:
    if not question.exclusive:
        return InvalidAnswer("missing_multi", "Check at least one box.")
    label = question.option(question.exclusive[0]).label
    return InvalidAnswer(
        "missing_multi_exclusive", "Check at least one box, or “%(label)s”.", label=label
    )


def must_tick() -> InvalidAnswer:
    return InvalidAnswer("must_tick", "Check the box to continue.")


def _upper_limit(question: Question) -> object:
    """Return the upper limit with its unit, for a message."""
    unit = question.shown_unit
    return f"{question.max} {unit}" if unit else question.max


def out_of_limits(question: Question) -> InvalidAnswer:
    low, high = question.min, _upper_limit(question)
    if question.type == "integer":
        return InvalidAnswer(
            "whole_number", "Enter a whole number from %(min)s to %(max)s.", min=low, max=high
        )
    return InvalidAnswer("number", "Enter a number from %(min)s to %(max)s.", min=low, max=high)


def not_a_whole_number(question: Question, typed: str) -> InvalidAnswer:
    return InvalidAnswer(
        "not_a_whole_number",
        "We cannot read “%(typed)s” as a whole number. Enter a number from %(min)s to %(max)s.",
        typed=shortened(typed.strip()),
        min=question.min,
        max=_upper_limit(question),
    )


def shortened(typed: str) -> str:
    """Return the first 30 characters of what the patient typed, to quote in an error message."""
    return f"{typed[:30]}…" if len(typed) > 30 else typed


def not_a_decimal(question: Question) -> InvalidAnswer:
    return InvalidAnswer(
        "decimal",
        "Enter a number from %(min)s to %(max)s, such as 12.5, or as your report shows it, "
        "such as <15 or 15-20.",
        min=question.min,
        max=_upper_limit(question),
    )


def other_unit(question: Question) -> InvalidAnswer:
    return InvalidAnswer(
        "other_unit",
        "We need the number in %(unit)s, with no other unit and no words. If your report has"
        " another unit, leave this blank and bring the report.",
        unit=question.shown_unit,
    )


def too_long(limit: int, length: int) -> InvalidAnswer:
    return InvalidAnswer(
        "too_long",
        "Use at most %(limit)s characters. You have %(length)s.",
        limit=limit,
        length=length,
    )


def not_text() -> InvalidAnswer:
    return InvalidAnswer(
        "not_text", "This has characters we cannot read. Type it with plain letters."
    )


def date_incomplete() -> InvalidAnswer:
    return InvalidAnswer("date_incomplete", "Fill in all three boxes: month, day and year.")


def not_a_date(typed: str) -> InvalidAnswer:
    return InvalidAnswer(
        "not_a_date",
        "We do not understand “%(typed)s” in a date. Use numbers, for example 3 27 1984.",
        typed=shortened(typed),
    )


def two_dates_possible(typed: str) -> InvalidAnswer:
    return InvalidAnswer(
        "two_dates_possible",
        "“%(typed)s” can be two dates. Write the month as a word, for example March 4, 1984.",
        typed=shortened(typed),
    )


def several_dates() -> InvalidAnswer:
    return InvalidAnswer(
        "several_dates",
        "The three boxes do not fit together. Enter one month, one day and one year.",
    )


def year_too_short() -> InvalidAnswer:
    return InvalidAnswer("year_too_short", "Write the year with four numbers, for example 1984.")


def no_such_date() -> InvalidAnswer:
    return InvalidAnswer(
        "no_such_date", "There is no such date. Check the month, the day and the year."
    )
