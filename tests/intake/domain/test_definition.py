"""A protocol as data: its content, its hash, its signature."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from intake import protocols
from intake.domain.definition import Approval, Protocol, Within, from_data, from_document
from intake.protocols.files import Unreadable
from tests.intake.domain.altered import with_question, with_questions, with_rule

LEGS = Path(protocols.__file__).parent / "legs"


def test_urgencies_have_targets_that_a_machine_can_count(protocol: Protocol) -> None:
    targets = {
        level.code: (level.rank, level.contact_within, level.seen_within)
        for level in protocol.rules.levels
    }
    assert targets == {
        "emergency": (4, Within(open_hours=0), None),
        "same_day": (3, Within(open_hours=2), None),
        "urgent": (2, Within(business_days=1), Within(days=14)),
        "soon": (1, Within(days=42), None),
        "routine": (0, Within(days=84), None),
    }


def test_things_are_found_by_their_names(protocol: Protocol) -> None:
    assert protocol.question("em_now").interrupts
    assert protocol.page("about-2").questions == (protocol.question("pregnancy_status"),)
    assert protocol.level("same_day").closed
    assert protocol.rule("S12").interrupt == "panel"
    for find in (protocol.question, protocol.page, protocol.level, protocol.rule):
        with pytest.raises(KeyError):
            find("nothing")


def test_the_safety_page_comes_first_and_contact_is_one_last_page(protocol: Protocol) -> None:
    assert [q.id for q in protocol.pages[0].questions] == ["em_now", "em_past"]
    assert protocol.pages[-1].id == "contact"
    assert [q.id for q in protocol.pages[-1].questions] == ["lang_help", "callback_phone", "ack"]


def test_without_page_keys_a_page_takes_what_fits(protocol: Protocol) -> None:
    def without_keys(questions: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(msgspec.structs.replace(question, page=None) for question in questions)

    pages = [
        [question.id for question in page.questions]
        for page in with_questions(protocol, without_keys).pages
        if page.section in ("about", "arteries")
    ]
    assert pages == [
        ["who", "age_years", "sex_at_birth"],
        ["pregnancy_status"],
        ["preg_warning"],
        ["walk_pain", "foot_signs"],
        ["walk_pattern", "walk_distance", "cold_since", "reason_again"],
    ]


def test_the_wording_for_somebody_else_changes_words_only(protocol: Protocol) -> None:
    asked = protocol.question("si_screen")
    proxy = asked.for_proxy()
    assert "the patient" in proxy.text
    assert "the patient" in proxy.option("active").label
    assert proxy.option("none") == asked.option("none")
    same = msgspec.structs.replace(proxy, text=asked.text, help=asked.help, options=asked.options)
    assert same == asked
    assert [option.code for option in proxy.options] == [option.code for option in asked.options]
    assert protocol.question("who").for_proxy() == protocol.question("who")


def test_a_document_brings_the_same_protocol_back(protocol: Protocol) -> None:
    again = from_document(protocol.document())
    assert again.document() == protocol.document()
    assert again.content_hash == protocol.content_hash
    assert (again.questionnaire, again.rules) == (protocol.questionnaire, protocol.rules)
    assert not again.approved


def test_mood_pregnancy_own_words_medicines_and_contact_are_marked_as_sensitive(
    protocol: Protocol,
) -> None:
    assert protocol.sensitive == {
        *("phq2_interest", "phq2_down", "mood_2w", "si_screen"),
        *("pregnancy_status", "preg_warning"),
        *("reason_text", "meds_list"),
        *("reason_crisis", "reason_when", "meds_crisis", "meds_when"),
        *("meds_classes", "meds_stopped", "med_link", "dopa_effects", "heavy_periods"),
        *("lang_help", "callback_phone"),
    }


def test_a_document_older_than_a_key_still_opens_and_has_the_hash_it_had(
    protocol: Protocol,
) -> None:
    older = with_questions(
        protocol,
        lambda questions: tuple(
            msgspec.structs.replace(question, sensitive=False) for question in questions
        ),
    )
    assert b"sensitive" not in older.document()
    again = from_document(older.document())
    assert again.content_hash == older.content_hash
    assert again.sensitive == frozenset()


@pytest.mark.parametrize(
    "change",
    [
        lambda protocol: with_question(protocol, "age_years", text="How old?"),
        lambda protocol: with_question(protocol, "age_years", max=121),
        lambda protocol: with_rule(protocol, "E01", advice="Wait."),
        lambda protocol: with_rule(protocol, "F13", level="soon"),
    ],
)
def test_any_change_of_content_changes_the_hash(protocol: Protocol, change: Any) -> None:
    assert change(protocol).content_hash != protocol.content_hash


def test_alarm_patterns_stand_in_the_document_where_they_are_used(protocol: Protocol) -> None:
    for leaf in protocol.rule("S16").when.leaves():
        assert leaf.value == protocol.rules.alarm_patterns


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda q: q["sections"][2]["questions"][0].update(type="menu"), r"questions\[0\]\.type"),
        (lambda q: q["sections"][2]["questions"][1].update(requierd=True), "requierd"),
        (lambda q: q["sections"][2]["questions"][1].pop("text"), r"sections\[2\]\.questions\[1\]"),
        (lambda q: q["sections"][0]["questions"][0]["options"][0].update(code=1), r"options\[0\]"),
    ],
)
def test_a_fault_in_a_file_is_named_with_its_place(change: Any, message: str) -> None:
    questionnaire = protocols.data_of(LEGS)["questionnaire"]
    change(questionnaire)
    with pytest.raises(msgspec.ValidationError, match=message):
        from_data("legs", questionnaire, protocols.data_of(LEGS)["rules"])


def test_a_key_that_stands_twice_is_refused(tmp_path: Path, monkeypatch: Any) -> None:
    shutil.copytree(LEGS, tmp_path / "twice")
    shutil.copytree(LEGS.parent / "shared", tmp_path / "shared")
    file = tmp_path / "twice" / "rules.yaml"
    rules = file.read_text(encoding="utf-8")
    file.write_text(rules.replace("- id: S13\n", "- id: S13\n  level: soon\n"), encoding="utf-8")
    monkeypatch.setattr(protocols, "HERE", tmp_path)
    with pytest.raises(Unreadable, match=r"rules.yaml, line \d+: “level” stands twice"):
        protocols.load.__wrapped__("twice")


def test_a_protocol_is_read_once(protocol: Protocol) -> None:
    assert protocols.available() == ("legs", "veins")
    assert protocols.load("legs") is protocols.current() == protocol
    with pytest.raises(LookupError, match="arms"):
        protocols.load("arms")


def test_nobody_has_approved_what_nobody_signed(protocol: Protocol) -> None:
    assert not protocol.approved
    assert protocol.approval_faults == ("approved_by", "approved_on", "content_hash")


def test_a_signature_counts_for_exactly_the_content_that_was_signed(protocol: Protocol) -> None:
    signature = Approval("A fictitious reviewer", date(2000, 1, 1), protocol.content_hash)
    signed = msgspec.structs.replace(protocol, approval=signature)
    assert signed.approved
    changed = with_rule(signed, "E01", advice="Wait.")
    assert changed.approval_faults == ("content_hash",)


@pytest.mark.parametrize("missing", ["approved_by", "approved_on", "content_hash"])
def test_half_a_signature_does_not_count(protocol: Protocol, missing: str) -> None:
    signature = Approval("A fictitious reviewer", date(2000, 1, 1), protocol.content_hash)
    half = msgspec.structs.replace(signature, **{missing: None})
    assert msgspec.structs.replace(protocol, approval=half).approval_faults == (missing,)
