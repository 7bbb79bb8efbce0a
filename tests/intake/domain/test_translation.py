"""A protocol in another language: only words differ, and faults are found."""

from collections.abc import Callable
from datetime import date
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from django.core.checks import WARNING
from hypothesis import given, settings
from hypothesis.strategies import DataObject, booleans, data, lists, sampled_from

from intake import checks, protocols
from intake.domain import translation, wording
from intake.domain.conditions import compiled_pattern, normalised
from intake.domain.definition import Protocol
from intake.domain.languages import ENGLISH
from intake.domain.problem import Problem
from intake.domain.route import route
from intake.domain.translation import KINDS, SAFETY_LEVELS, LevelWords, RuleWords, Translation
from intake.domain.triage import assess
from tests.builders import ORDINARY
from tests.intake.domain.altered import with_rule
from tests.intake.spanish import shipped, signed

replace = msgspec.structs.replace


@pytest.fixture
def words() -> Translation:
    return shipped()


def problems_of(protocol: Protocol, words: Translation) -> list[Problem]:
    return translation.problems(protocol, words, protocols.language_facts(words.language))


def test_the_shipped_translation_is_whole_and_of_todays_protocol(
    protocol: Protocol, words: Translation
) -> None:
    assert problems_of(protocol, words) == []


def test_nobody_has_signed_it(protocol: Protocol, words: Translation) -> None:
    every = ("approved_by", "approved_on", "content_hash")
    assert words.approval_faults == every
    assert translation.safety_faults(protocol, words) == (
        *("reviewed_by", "reviewed_on", "content_hash"),
    )


def test_only_words_differ(protocol: Protocol, words: Translation) -> None:
    spoken = wording.in_language(protocol, signed(protocol, words)).protocol
    for answers in ({}, ORDINARY, {**ORDINARY, "age_years": 15}, {"em_now": ("stroke_signs",)}):
        here, there = route(protocol, answers), route(spoken, answers)
        assert [page.id for page in here] == [page.id for page in there]
        for page, other in zip(here, there, strict=True):
            assert [q.id for q in page.questions] == [q.id for q in other.questions]
        ours, theirs = assess(protocol, answers), assess(spoken, answers)
        assert [f.id for f in ours.fired] == [f.id for f in theirs.fired]
        assert (ours.urgency, ours.computed) == (theirs.urgency, theirs.computed)
    for question in protocol.questions:
        other = spoken.question(question.id)
        assert other.text != question.text or question.text.isnumeric()
        assert [o.code for o in other.options] == [o.code for o in question.options]
        same = replace(
            other,
            text=question.text,
            help=question.help,
            options=question.options,
            proxy=question.proxy,
        )
        assert same == question


def test_for_somebody_else_it_speaks_of_the_patient(protocol: Protocol, words: Translation) -> None:
    spoken = wording.in_language(protocol, words).protocol
    proxied = spoken.question("em_now").for_proxy()

    assert words.questions["em_now"].proxy is not None
    assert proxied.text == words.questions["em_now"].proxy.text


def test_texts_of_danger_stay_english_until_exactly_they_are_signed(
    protocol: Protocol, words: Translation
) -> None:
    plain = wording.in_language(protocol, wording.as_shown(protocol, words))
    sealed = signed(protocol, words)
    told = wording.in_language(protocol, wording.as_shown(protocol, sealed))

    for rule in protocol.rules.rules:
        if rule.level in SAFETY_LEVELS:
            assert plain.protocol.rule(rule.id).advice == rule.advice
            assert told.protocol.rule(rule.id).advice == words.rules[rule.id].advice
            assert (plain.language_of(rule.level), told.language_of(rule.level)) == ("en", "es")
        elif rule.advice:
            assert plain.protocol.rule(rule.id).advice == words.rules[rule.id].advice
    assert plain.protocol.level("same_day") == protocol.level("same_day")
    assert plain.language_of("soon") == "es"


@pytest.mark.parametrize("change", ["spanish", "english", "nobody", "no day"])
def test_any_change_ends_the_signature(protocol: Protocol, words: Translation, change: str) -> None:
    sealed = signed(protocol, words)
    if change == "spanish":
        rules = {**sealed.rules, "E01": RuleWords(advice="Llame al 911 ahora.")}
        sealed = replace(sealed, rules=rules)
    elif change == "english":
        protocol = with_rule(protocol, "S01", advice="Call us.")
    elif change == "nobody":
        sealed = replace(sealed, safety=replace(sealed.safety, reviewed_by=None))
    else:
        sealed = replace(sealed, safety=replace(sealed.safety, reviewed_on=None))

    assert translation.safety_faults(protocol, sealed)
    assert "E01" not in wording.as_shown(protocol, sealed).rules


def test_a_change_elsewhere_leaves_the_signature_under_the_texts_of_danger(
    protocol: Protocol, words: Translation
) -> None:
    sealed = signed(protocol, words)
    changed = replace(sealed, sections={**sealed.sections, "about": "De usted"})

    assert translation.safety_faults(protocol, changed) == ()
    assert changed.approval_faults == ("content_hash",)


def test_what_was_read_comes_back_from_its_document(protocol: Protocol, words: Translation) -> None:
    shown = wording.as_shown(protocol, words)
    again = translation.from_document(shown.document())

    assert again.content_hash == shown.content_hash
    assert again.questions == shown.questions
    assert wording.in_language(protocol, again).language_of("emergency") == "en"


# --- problems ---------------------------------------------------------------------------------


def less(words: Translation, part: str, id: str) -> Translation:
    kept = {key: value for key, value in getattr(words, part).items() if key != id}
    return replace(words, **{part: kept})


def question(words: Translation, id: str, **changes: Any) -> Translation:
    changed = replace(words.questions[id], **changes)
    return replace(words, questions={**words.questions, id: changed})


def rule(words: Translation, id: str, **changes: Any) -> Translation:
    return replace(words, rules={**words.rules, id: replace(words.rules[id], **changes)})


BROKEN: list[tuple[str, str, Callable[[Translation], Translation]]] = [
    ("stale_translation", "translates", lambda w: replace(w, translates="0" * 64)),
    ("missing_translation", "sections.about", lambda w: less(w, "sections", "about")),
    ("missing_translation", "questions.who.text", lambda w: question(w, "who", text="  ")),
    (
        "missing_translation",
        "questions.who.options.self",
        lambda w: question(w, "who", options={"caregiver": "x", "parent_guardian": "y"}),
    ),
    ("missing_translation", "questions.em_now.help", lambda w: question(w, "em_now", help=None)),
    ("missing_translation", "rules.E09.closed", lambda w: rule(w, "E09", closed=None)),
    ("missing_translation", "levels.same_day.closed", lambda w: less(w, "levels", "same_day")),
    (
        "unknown_translation",
        "questions.who.options.nobody",
        lambda w: question(w, "who", options={**w.questions["who"].options, "nobody": "x"}),
    ),
    ("unknown_translation", "questions.who.help", lambda w: question(w, "who", help="Ayuda")),
    ("unknown_translation", "rules.E01.promise", lambda w: rule(w, "E01", promise="Llamamos.")),
    ("placeholders_differ", "rules.E01.advice", lambda w: rule(w, "E01", advice="Llame ya.")),
    (
        "placeholders_differ",
        "rules.E08.advice",
        lambda w: rule(w, "E08", advice=w.rules["E08"].advice.replace("988", "una línea de ayuda")),
    ),
    ("promise_in_advice", "rules.U06.advice", lambda w: rule(w, "U06", advice="Le veremos.")),
    (
        "promise_in_advice",
        "levels.same_day.closed",
        lambda w: replace(w, levels={"same_day": LevelWords(closed="Le llamaremos mañana.")}),
    ),
    ("wrong_period", "rules.S01.promise", lambda w: rule(w, "S01", promise="En 2 horas.")),
    ("placeholders_differ", "rules.S08.closed", lambda w: rule(w, "S08", closed="Espere.")),
    ("vague_time", "rules.S12.closed", lambda w: rule(w, "S12", closed="988, hasta mañana.")),
    (
        "wrong_period",
        "levels.soon.tell",
        lambda w: replace(w, levels={**w.levels, "soon": LevelWords(tell="En 6 semanas.")}),
    ),
    ("no_patterns", "language", lambda w: replace(w, language="xx")),
]


@pytest.mark.parametrize(("kind", "path", "change"), BROKEN)
def test_what_is_wrong_is_named_with_its_place(
    protocol: Protocol,
    words: Translation,
    kind: str,
    path: str,
    change: Callable[[Translation], Translation],
) -> None:
    found = {(problem.id, problem.path) for problem in problems_of(protocol, change(words))}
    assert (kind, path) in found


def test_every_kind_is_tried() -> None:
    assert {kind for kind, _, _ in BROKEN} | {"unseen_alarm"} == set(KINDS)


def test_a_danger_that_is_seen_in_english_is_seen_in_the_other_language(
    protocol: Protocol, words: Translation
) -> None:
    facts = protocols.language_facts("es")
    assert facts is not None
    deaf = replace(facts, alarms=replace(facts.alarms, chest="Me molesta el tórax."))
    (found,) = translation.problems(protocol, words, deaf)
    assert (found.id, found.path) == ("unseen_alarm", "language")
    assert "Me molesta el tórax" in found.message
    # if the English protocol does not look for this danger, the Spanish translation need not either
    other = replace(protocol, rules=replace(protocol.rules, alarm_patterns=("gangren",)))
    assert [p.id for p in translation.problems(other, words, deaf)] == ["stale_translation"]


def test_the_shipped_protocols_see_every_danger_in_english(protocol: Protocol) -> None:
    patterns = [compiled_pattern(pattern) for pattern in protocol.rules.alarm_patterns]
    for danger in ENGLISH.alarms.__struct_fields__:
        sentence = normalised(getattr(ENGLISH.alarms, danger))
        assert any(pattern.search(sentence) for pattern in patterns), danger


def test_a_wrong_key_is_refused_with_its_place() -> None:
    with pytest.raises(msgspec.ValidationError, match="sectoins"):
        translation.from_data({"language": "es", "translates": "", "sectoins": {}})


# --- before it is served ------------------------------------------------------------------------


def stale(words: Translation) -> Translation:
    """Return the translation with the hash of another version of the English protocol."""
    return replace(words, translates="0" * 64)


def told(monkeypatch: pytest.MonkeyPatch, words: Translation | None, *, demo: bool) -> list[Any]:
    both = [("en", "English"), ("es", "Spanish")]
    monkeypatch.setattr(checks, "settings", SimpleNamespace(DEMO=demo, LANGUAGES=both))
    monkeypatch.setattr(protocols, "available", lambda: ("legs",))
    monkeypatch.setattr(protocols, "translated", lambda name, language: words)
    return [message for message in checks.protocol_problems() if message.id != checks.UNSIGNED]


def test_a_demonstration_speaks_what_nobody_signed(
    monkeypatch: pytest.MonkeyPatch, words: Translation
) -> None:
    assert told(monkeypatch, words, demo=True) == []


def test_a_clinic_may_not_offer_a_language_that_nobody_signed(
    monkeypatch: pytest.MonkeyPatch, words: Translation
) -> None:
    (message,) = told(monkeypatch, words, demo=False)

    assert message.id == checks.UNSIGNED_TRANSLATION
    for part in ("approved_by", "approved_on", "content_hash", "protocols/legs/es.yaml"):
        assert part in message.msg
    assert words.content_hash in message.hint


def test_nor_one_without_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [m.id for m in told(monkeypatch, None, demo=False)] == [checks.UNTRANSLATED]


def test_a_signed_one_is_offered_though_the_texts_of_danger_wait(
    monkeypatch: pytest.MonkeyPatch, protocol: Protocol, words: Translation
) -> None:
    approved = replace(signed(protocol, words), safety=words.safety)
    assert approved.approval.approved_on == date(2000, 1, 1)
    assert told(monkeypatch, approved, demo=False) == []


def test_a_fault_stops_a_clinic(monkeypatch: pytest.MonkeyPatch, words: Translation) -> None:
    found = {message.id for message in told(monkeypatch, stale(words), demo=False)}
    assert checks.TRANSLATION_NUMBERS["stale_translation"] in found


def test_a_translation_under_way_is_told_and_does_not_stop_a_demonstration(
    monkeypatch: pytest.MonkeyPatch, words: Translation
) -> None:
    half = replace(stale(words), questions={}, rules={})
    (message,) = told(monkeypatch, half, demo=True)
    assert (message.id, message.level) == (checks.UNDER_WAY, WARNING)
    assert "intake/protocols/legs/es.yaml is not whole" in message.msg
    assert "protocol check legs" in message.hint


def test_a_file_of_a_language_that_is_not_offered_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, words: Translation
) -> None:
    for demo in (True, False):
        monkeypatch.setattr(checks, "settings", SimpleNamespace(DEMO=demo, LANGUAGES=[("en", "")]))
        monkeypatch.setattr(protocols, "translated", lambda name, language: stale(words))
        messages = checks.protocol_problems()
        assert [m for m in messages if m.id != checks.UNSIGNED] == []


# --- a translation under way ---------------------------------------------------------------------


@given(data())
@settings(max_examples=150, deadline=None)
def test_no_part_is_half_in_one_language(drawn: DataObject) -> None:
    """Whatever a translation lacks, each part is read in one language, and none is blank."""
    protocol = protocols.load("legs")
    whole = signed(protocol, shipped()) if drawn.draw(booleans()) else shipped()
    half = lacking(whole, drawn)
    resigned = signed(protocol, half) if drawn.draw(booleans()) else half
    words = wording.in_language(protocol, wording.as_shown(protocol, resigned))
    texts = {
        "en": dict(translation.protocol_texts(protocol)),
        "es": dict(translation.translated_texts(whole)),
    }
    for path, text in translation.protocol_texts(words.protocol):
        language = "en" if wording._part(protocol, path) in words.english else "es"
        assert text == texts[language][path], path
    if translation.safety_faults(protocol, resigned):
        assert {words.language_of(level) for level in SAFETY_LEVELS} == {"en"}


def lacking(words: Translation, drawn: DataObject) -> Translation:
    """Return the translation without some of its parts, and with some of its texts blank."""
    texts = {
        kind: dict(getattr(words, kind)) for kind in ("sections", "questions", "levels", "rules")
    }
    for kind, parts in texts.items():
        for id in drawn.draw(lists(sampled_from(sorted(parts)), max_size=3, unique=True)):
            if kind == "sections" or drawn.draw(booleans()):
                del parts[id]
                continue
            name = drawn.draw(sampled_from(parts[id].__struct_fields__))
            blank = {"options": {}, "text": " "}.get(name)
            parts[id] = replace(parts[id], **{name: blank})
    return replace(words, **texts)
