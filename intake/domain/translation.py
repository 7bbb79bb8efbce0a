"""Read and check a translation of a protocol.

A translation changes words only. Ids, options, conditions, targets, and the content hash stored
with a submission are those of the English protocol. `intake.domain.wording` puts the texts of a
translation into the protocol.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Any, Final

import msgspec

from intake.domain.closed_problems import vague_times
from intake.domain.conditions import compiled_pattern, normalised
from intake.domain.definition import (
    HEADS,
    Approval,
    Level,
    Protocol,
    Questionnaire,
    Rule,
)
from intake.domain.grammar import Base
from intake.domain.languages import ENGLISH, LanguageFacts
from intake.domain.levels import period_problems
from intake.domain.problem import Problem
from intake.domain.problems import promise_problems

SAFETY_LEVELS: Final = ("emergency", "same_day")
"""The levels whose texts to patients (the safety texts) need their own signature (clinical.md 5.2
no. 9)."""

KINDS: Final[Mapping[str, str]] = {
    "stale_translation": "the English protocol changed since it was translated",
    "missing_translation": "a text has no translation",
    "unknown_translation": "a translation has no English text",
    "placeholders_differ": "a translation has other numbers, placeholders or marks",
    "promise_in_advice": "a text that is always shown says what the clinic does, or by when",
    "no_patterns": "nobody has written down how this language words a promise and a danger",
    "wrong_period": "a text writes a period out instead of the target it speaks of",
    "unseen_alarm": "the alarm patterns do not see a danger that is told in this language",
    "vague_time": "a text names a part of a day instead of the day and the hour",
}
"""Every kind of problem of a translation, in the order of their checks."""

_FIXED: Final = re.compile(r"\{[^{}]*\}|%\([a-z_]+\)[sd]|\*\*|\[\[|\]\]|\b(?:911|988)\b")


class ProxyWords(Base, frozen=True):
    text: str
    help: str | None = None
    options: dict[str, str] = {}


class QuestionWords(Base, frozen=True):
    text: str
    help: str | None = None
    options: dict[str, str] = {}
    proxy: ProxyWords | None = None


class LevelWords(Base, frozen=True):
    target: str | None = None
    closed: str | None = None
    tell: str | None = None


class RuleWords(Base, frozen=True):
    advice: str | None = None
    promise: str | None = None
    closed: str | None = None
    ask_back: str | None = None


class Review(Base, frozen=True):
    """A signature for the safety texts. All three fields are null until a person signs."""

    reviewed_by: str | None = None
    reviewed_on: date | None = None
    content_hash: str | None = None


class Signatures(Base, frozen=True):
    """The signatures of a translation, which are in a separate file."""

    approval: Approval = Approval()
    safety: Review = Review()


class Translation(Base, frozen=True, dict=True):
    """The texts of a protocol in one language. `translates` is the English content hash."""

    language: str
    translates: str
    sections: dict[str, str] = {}
    questions: dict[str, QuestionWords] = {}
    levels: dict[str, LevelWords] = {}
    rules: dict[str, RuleWords] = {}
    approval: Approval = Approval()
    safety: Review = Review()
    title: str | None = None
    audience: str | None = None
    ready: str | None = None

    def document(self) -> bytes:
        """Return the canonical JSON of all texts, without the signatures."""
        return _json(self, f"language translates {' '.join(HEADS)} sections questions levels rules")

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of `document()` in hexadecimal digits."""
        return hashlib.sha256(self.document()).hexdigest()

    @property
    def approval_faults(self) -> tuple[str, ...]:
        """The keys of the approval that are empty or do not match the texts."""
        return self.approval.faults(self.content_hash)

    @property
    def approved(self) -> bool:
        """Whether a person has signed exactly these texts."""
        return not self.approval_faults


def from_data(data: Any) -> Translation:
    """Make a translation from the data of its YAML file.

    Raises msgspec.ValidationError, which names the place of the fault, for data of another form.
    """
    return msgspec.convert(data, Translation)


def from_document(document: bytes) -> Translation:
    """Read the translation that `document()` wrote. Raises msgspec.ValidationError."""
    return msgspec.json.decode(document, type=Translation)


def safety_hash(protocol: Protocol, translation: Translation) -> str:
    """Return the SHA-256 of the translated safety texts together with their English texts.

    The signature `safety` names this hash and is valid only for it.
    """
    ids = {rule.id for rule in protocol.rules.rules if rule.level in SAFETY_LEVELS}
    pairs = {
        "levels": [
            [code, _level_words(protocol.level(code)), translation.levels.get(code)]
            for code in SAFETY_LEVELS
        ],
        "rules": [
            [id, _rule_words(protocol.rule(id)), translation.rules.get(id)] for id in sorted(ids)
        ],
    }
    return hashlib.sha256(msgspec.json.encode(pairs, order="sorted")).hexdigest()


def safety_faults(protocol: Protocol, translation: Translation) -> tuple[str, ...]:
    """Return the keys of the signature `safety` that are empty or do not match the texts."""
    signed = translation.safety
    faults = [key for key in ("reviewed_by", "reviewed_on") if not getattr(signed, key)]
    if signed.content_hash != safety_hash(protocol, translation):
        faults.append("content_hash")
    return tuple(faults)


def problems(
    protocol: Protocol, translation: Translation, language: LanguageFacts | None
) -> list[Problem]:
    """Return all problems of a translation. A translation without problems may be served.

    `language` is what the checks know of the language; None when nobody has written it down.
    """
    found = []
    if translation.translates != protocol.content_hash:
        message = (
            f"It translates {translation.translates[:12]}, the English is now"
            f" {protocol.content_hash}. Compare them, then write the new hash there."
        )
        found.append(Problem("stale_translation", "translates", message))
    english, other = dict(protocol_texts(protocol)), dict(translated_texts(translation))
    for path, text in english.items():
        if not other.get(path, "").strip():
            found.append(Problem("missing_translation", path, f"Translate “{text[:60]}”."))
        elif (wanted := fixed_parts(text)) != fixed_parts(other[path]):
            differing = ", ".join(sorted(wanted ^ fixed_parts(other[path])))
            message = f"Only one of the two has {differing}."
            found.append(Problem("placeholders_differ", path, message))
    found += [
        Problem("unknown_translation", path, "The English protocol has no such text.")
        for path in other
        if path not in english
    ]
    if language is None:
        message = f"Write intake/protocols/languages/{translation.language}.yaml."
        found.append(Problem("no_patterns", "language", message))
        return found
    found += _unseen_alarms(protocol, language)
    for path, text in other.items():
        if path.endswith((".advice", ".closed")):
            found += promise_problems(path, text, language)
        found += vague_times(path, text, language)
        if (level := _level_of(protocol, path)) is not None:
            found += period_problems(path, text, level, language)
    return found


def _unseen_alarms(protocol: Protocol, language: LanguageFacts) -> Iterator[Problem]:
    """Yield a problem for each danger that the alarm patterns find in English words only."""
    patterns = [compiled_pattern(pattern) for pattern in protocol.rules.alarm_patterns]

    def is_seen(sentence: str) -> bool:
        return any(pattern.search(normalised(sentence)) for pattern in patterns)

    for danger in language.alarms.__struct_fields__:
        english, told = getattr(ENGLISH.alarms, danger), getattr(language.alarms, danger)
        if is_seen(english) and not is_seen(told):
            message = f"No alarm pattern sees “{told}”, as one sees “{english}”."
            yield Problem("unseen_alarm", "language", message)


def _level_of(protocol: Protocol, path: str) -> Level | None:
    """Return the level to which the text at this path belongs; None if it belongs to no level."""
    kind, _, rest = path.partition(".")
    name = rest.partition(".")[0]
    codes = {rule.id: rule.level for rule in protocol.rules.rules} if kind == "rules" else {}
    code = codes.get(name, name)
    levels = (level for level in protocol.rules.levels if level.code == code)
    return next(levels, None) if kind in ("levels", "rules") else None


# --- the texts of a protocol and of a translation, by path ---------------------------------------


def protocol_texts(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Yield (path, text) of every text of a protocol that patients read."""
    yield from _head_texts(protocol.questionnaire)
    for section in protocol.questionnaire.sections:
        yield f"sections.{section.id}", section.title
    for q in protocol.questions:
        options = {option.code: option.label for option in q.options}
        yield from _question_texts(f"questions.{q.id}", q.text, q.help, options)
        if q.proxy is not None:
            words = q.proxy
            yield from _question_texts(
                f"questions.{q.id}.proxy", words.text, words.help, words.options
            )
    for level in protocol.rules.levels:
        yield from _filled_texts(f"levels.{level.code}", _level_words(level))
    for rule in protocol.rules.rules:
        yield from _filled_texts(f"rules.{rule.id}", _rule_words(rule))


def translated_texts(translation: Translation) -> Iterator[tuple[str, str]]:
    """Yield (path, text) of every text of a translation."""
    yield from _head_texts(translation)
    yield from ((f"sections.{id}", title) for id, title in translation.sections.items())
    for id, words in translation.questions.items():
        yield from _question_texts(f"questions.{id}", words.text, words.help, words.options)
        if words.proxy is not None:
            proxy = words.proxy
            yield from _question_texts(
                f"questions.{id}.proxy", proxy.text, proxy.help, proxy.options
            )
    for code, level in translation.levels.items():
        yield from _filled_texts(f"levels.{code}", level)
    for id, rule in translation.rules.items():
        yield from _filled_texts(f"rules.{id}", rule)


def _head_texts(words: Questionnaire | Translation) -> Iterator[tuple[str, str]]:
    for name in HEADS:
        if (text := getattr(words, name)) is not None:
            yield name, text


def _question_texts(
    path: str, text: str, help: str | None, options: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    yield f"{path}.text", text
    if help is not None:
        yield f"{path}.help", help
    yield from ((f"{path}.options.{code}", label) for code, label in options.items())


def _filled_texts(path: str, words: LevelWords | RuleWords) -> Iterator[tuple[str, str]]:
    for name in words.__struct_fields__:
        if (text := getattr(words, name)) is not None:
            yield f"{path}.{name}", text


def _level_words(level: Level) -> LevelWords:
    return LevelWords(target=level.target, closed=level.closed, tell=level.tell)


def _rule_words(rule: Rule) -> RuleWords:
    # a flag has an empty advice, because patients do not read flags
    return RuleWords(
        advice=rule.advice or None,
        promise=rule.promise,
        closed=rule.closed,
        ask_back=rule.ask_back,
    )


def fixed_parts(text: str) -> frozenset[str]:
    """Return the numbers, placeholders and marks of a text, which a translation keeps."""
    return frozenset(_FIXED.findall(text))


def _json(struct: Any, names: str) -> bytes:
    return msgspec.json.encode(
        {name: text for name in names.split() if (text := getattr(struct, name)) is not None},
        order="sorted",
    )
