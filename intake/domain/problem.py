"""A fault of a protocol, and the list of all kinds of faults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

KINDS: Final[Mapping[str, str]] = {
    "duplicate_id": "two things share one id or code",
    "unknown_question": "a question is named that does not exist",
    "unknown_option": "an option is named that its question does not have",
    "unknown_computed": "a computed value is named that does not exist",
    "unknown_level": "a rule names a level that does not exist",
    "wrong_operator": "an operator does not fit what it reads",
    "impossible_value": "a value is outside what the question or computed value can be",
    "bad_pattern": "a text pattern is not a regular expression",
    "forward_reference": "a question's show_if reads what is not answered before it",
    "never_shown": "no answers lead to a question",
    "never_fires": "no answers make a rule fire",
    "inputs_differ": "a rule's inputs are not what its condition reads",
    "missing_source": "a rule has no source",
    "missing_advice": "a rule that carries a level has no advice",
    "missing_limits": "a question has no options or no limits",
    "missing_default": "there is no rule for the case that no other one fires",
    "page_id": "a page is not named after its section and its place in it",
    "page_too_full": "a page asks too many questions",
    "page_depends": "a question depends on another one of its page",
    "safety_not_alone": "the safety page is not first, or asks what does not stop the form",
    "missing_proxy": "a text says “you” or “I” and has no wording for somebody else",
    "bad_learn": "an education page is not named as condition/page",
    "hard_to_read": "a text for patients is above the reading grade",
    "promise_in_advice": "a text that is always shown says what the clinic does, or by when",
    "wrong_use": "what the program uses is not there, or does not fit its use",
    "wrong_computed": "a computed value is not written as one of its shapes",
    "circular_computed": "computed values read each other in a circle",
    "wrong_summary": "a line for staff says nothing, or a value that does not exist",
    "wrong_level": "a level, its rank or its target is not what the program works with",
    "wrong_period": "a text writes a period out, or has an unknown placeholder",
    "missing_fallback": "an only_if_none rule is no fallback rule, so it fires beside others",
    "too_long": "an id or a version is longer than the program can store",
    "own_address": "a protocol's name cannot stand in an address, or is an address of the program",
    "no_drawing": "an option names a drawing that is not there",
    "unknown_concept": "a concept of danger is named that does not exist",
    "unknown_frame": "a frame of danger is named that does not exist",
    "unread_frame": "no rule reads a frame of danger",
    "missing_words": "a concept of danger has no words in a language",
    "wrong_danger": "words of danger that nobody can hear or reads",
    "wrong_closed": "a rule does not say what to do while the clinic is closed",
    "vague_time": "a text names a part of a day instead of the day and the hour",
    "part_of_fact": "a rule reads a fact where the patient said it in one of several places",
    "wrong_ask_back": "a rule asks back about an answer that it does not read",
    "wrong_worse": "a question does not say which of its answers are worse, or says it wrongly",
    "wrong_about": "words of danger are not asked about, or an answer to that is not read",
    "unread_option": "nothing reads an answer, and nobody says why it is asked",
}
"""Every kind of problem, and what it means.

The place of a kind in this list is the number of its system check, so a new kind must come last.
"""


class Problem(NamedTuple):
    """One fault: its kind (a key of `KINDS`), its place, and a sentence that says what to do."""

    id: str
    path: str
    message: str
