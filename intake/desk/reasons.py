"""Explain to staff why a rule fired: by which answer or value, at which limit, by which source."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from intake import documents
from intake.desk.short_words import brief
from intake.domain import answers as domain
from intake.domain.definition import FLAG, Answers, ComputedValue, Protocol, Question
from intake.domain.grammar import DANGER
from intake.domain.grounds import Ground, grounds_of
from intake.domain.summary import listed
from intake.domain.triage import Fired
from intake.models.submissions import Urgency
from intake.wording import reading

_DOI = re.compile(r"\bdoi (10\.\S+?)[).,;]*(?:\s|$)")
_SITE = re.compile(r"\b((?:[a-z0-9-]+\.)+(?:gov|org|uk|net)(?:/[^\s),;]*)?)")


@dataclass(frozen=True)
class Reason:
    """A fired rule with its explanation.

    `grounds` are pairs of a short label (or '') and what made the rule fire. `used` are pairs of a
    question and the answer, for all answers that the rule read. `questions` are the questions whose
    answers made the rule fire, and `limits` maps them to the limits that numbers met. `read` is the
    advice as the patient read it; '' for English. `link` is the address of the source, or ''.
    """

    rule: Fired
    urgency: Urgency | None
    grounds: list[tuple[str, str]]
    used: list[tuple[str, str]]
    questions: frozenset[str]
    limits: dict[str, str]
    read: str
    link: str


def reason_of(
    protocol: Protocol,
    fired: Fired,
    *,
    answers: Answers,
    computed: Mapping[str, ComputedValue],
    proxied: bool,
    translation: str | None,
) -> Reason:
    """Explain a rule that fired on these answers and computed values.

    `translation` is the id of the translation that the patient read.
    """
    heard = fired.inputs.get(DANGER) or ()
    found = grounds_of(protocol, protocol.rule(fired.id).when, answers, computed)
    asked = {question.id: question for question in protocol.questions}
    words = [("", f"“{hit['words']}”") for hit in heard]
    words += [_words(protocol, ground, answers, computed) for ground in found]
    return Reason(
        rule=fired,
        urgency=Urgency.of(fired.level) if fired.level != FLAG else None,
        grounds=[pair for pair in dict.fromkeys(words) if pair[1]],
        used=list(_used(protocol, fired, proxied)),
        questions=frozenset(
            {hit["q"] for hit in heard} | {each.name for each in found if each.name in asked}
        ),
        limits={each.name: each.limit for each in found if each.limit},
        read=_translated(fired, translation),
        link=link_of(fired.source),
    )


def link_of(source: str) -> str:
    """Return the address of the first publication that a source names, or ''."""
    if named := _DOI.search(source):
        return f"https://doi.org/{named[1]}"
    site = _SITE.search(source)
    return f"https://{site[1].rstrip('.')}" if site else ""


def _words(
    protocol: Protocol, ground: Ground, answers: Answers, computed: Mapping[str, ComputedValue]
) -> tuple[str, str]:
    """Return the label and the words of a ground; the label is '' where the words need none."""
    limit = _(" (limit %(limit)s)") % {"limit": ground.limit} if ground.limit else ""
    if ground.name in protocol.rules.computed:
        return _computed_words(protocol, ground.name, limit, answers, computed)
    question = brief(protocol, ground.name)
    if question.type == "text":
        return "", ""
    if ground.options and question.type == "multi":
        labels = (question.option(code).label for code in ground.options)
        return "", ", ".join(labels)
    return question.text, ", ".join(reading.answer_words(question, answers[question.id])) + limit


def _computed_words(
    protocol: Protocol,
    name: str,
    limit: str,
    answers: Answers,
    computed: Mapping[str, ComputedValue],
) -> tuple[str, str]:
    """Return the line of the summary that tells of a computed value, or a number with its limit."""
    for line in protocol.summary:
        first = line.parts[0]
        if any(f"{{{name}}}" in phrase.say for phrase in first) and limit:
            return line.label, f"{computed[name]}{limit}"
        if any(phrase.when and name in phrase.when.computed() for phrase in first):
            return line.label, listed(line.parts[:1], answers, computed)
    return "", ""


def _used(protocol: Protocol, fired: Fired, proxied: bool) -> Iterator[tuple[str, str]]:
    """Yield every question whose answer the rule read, with the answer in the patient's words."""

    def asked(id: str) -> Question:
        question = protocol.question(id)
        return question.for_proxy() if proxied else question

    known = {question.id for question in protocol.questions}
    for hit in fired.inputs.get(DANGER) or ():
        yield asked(hit["q"]).text, f"“{hit['words']}”"
    for name, value in fired.inputs.items():
        if value is not None and name in known:
            question, restored = asked(name), domain.from_json(protocol, {name: value})[name]
            yield question.text, ", ".join(reading.answer_words(question, restored))


def _translated(fired: Fired, translation: Any) -> str:
    """Return the advice as the patient read it, or '' when the patient read it in English."""
    if translation is None:
        return ""
    words = documents.wording_as_read(translation)
    spoken = words.language_of(fired.level) != "en" and fired.level != FLAG
    return words.protocol.rule(fired.id).advice if spoken else ""
