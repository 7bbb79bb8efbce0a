"""Parts that protocols share are written once. A loaded protocol contains its shared parts."""

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from intake import protocols
from intake.protocols import parts
from intake.protocols.files import read

NAMES = protocols.available()
PARTS = {
    "mood": {
        "id": "mood",
        "page": "mood",
        "options": [{"code": "good", "label": "Good"}, {"code": "bad", "label": "I am sad"}],
        "proxy": {"text": "Their mood?", "options": {"bad": "The patient is sad"}},
    },
    "alarm_patterns": ["gangrene"],
}


def test_a_part_stands_where_it_is_referred_to() -> None:
    data = {"questions": [{"shared": "mood"}], "alarm_patterns": {"shared": "alarm_patterns"}}
    assert parts.fill(data, PARTS) == {"questions": [PARTS["mood"]], "alarm_patterns": ["gangrene"]}


def test_a_reference_sets_a_page_and_leaves_options_out() -> None:
    filled = parts.fill({"shared": "mood", "page": "life", "without": ["bad"]}, PARTS)
    assert filled["page"] == "life"
    assert [option["code"] for option in filled["options"]] == ["good"]
    assert filled["proxy"] == {"text": "Their mood?", "options": {}}
    assert PARTS["mood"]["page"] == "mood"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ({"shared": "moods"}, "no shared “moods”"),
        ({"shared": "mood", "text": "How?"}, "“mood” is shared: “text” cannot be changed"),
        ({"shared": "mood", "without": ["ugly"]}, "no option “ugly” to leave out"),
        ({"shared": "alarm_patterns", "without": ["x"]}, "no option “x” to leave out"),
        ({"shared": "alarm_patterns", "page": "x"}, "“alarm_patterns” has no page"),
    ],
)
def test_a_wrong_reference_is_one_sentence(reference: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        parts.fill([reference], PARTS)


def test_words_come_with_the_part_and_its_options() -> None:
    own = {"language": "es", "questions": {"age": {"text": "¿Edad?"}}}
    shared = {"questions": {"mood": {"text": "¿Ánimo?", "options": {"good": "Bien", "bad": "Mal"}}}}
    words = parts.words(own, shared, {"mood": ("bad",)})
    assert words["questions"] == {
        "age": {"text": "¿Edad?"},
        "mood": {"text": "¿Ánimo?", "options": {"good": "Bien"}},
    }
    assert parts.words(own, shared, {})["questions"] == own["questions"]


def test_words_of_a_part_are_not_written_a_second_time() -> None:
    own = {"questions": {"mood": {"text": "¿Ánimo?"}}}
    with pytest.raises(msgspec.ValidationError, match="words of “mood” are shared"):
        parts.words(own, own, {"mood": ()})


def test_two_parts_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(protocols.HERE, tmp_path, dirs_exist_ok=True)
    shutil.copytree(tmp_path / "shared" / "safety", tmp_path / "shared" / "second")
    monkeypatch.setattr(protocols, "HERE", tmp_path)
    with pytest.raises(msgspec.ValidationError, match="Two shared parts have the name “ack”"):
        protocols.load.__wrapped__("legs")


def test_a_change_of_a_part_changes_every_protocol_that_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed part voids the signature of every protocol that uses it."""
    signed = {name: protocols.load(name).content_hash for name in NAMES}
    shutil.copytree(protocols.HERE, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "shared" / "safety" / "rules.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("Call 911 now. A leg", "Call 911. A leg"), encoding="utf-8")
    monkeypatch.setattr(protocols, "HERE", tmp_path)
    for name in NAMES:
        assert protocols.load.__wrapped__(name).content_hash != signed[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_shared_rule_reads_shared_questions_only(name: str) -> None:
    """Facts are the exception: each protocol lists the places of a fact, such as an old clot."""
    protocol, used = protocols.load(name), protocols.shared(name)
    facts = {name for name, value in protocol.rules.computed.items() if value.fact}
    for rule in protocol.rules.rules:
        if rule.id in used:
            assert {*rule.when.questions(), *rule.when.computed()} <= used.keys() | facts


@pytest.mark.parametrize("name", NAMES)
def test_a_shared_rule_finds_every_option_that_it_reads(name: str) -> None:
    """No protocol leaves out an option that a shared rule reads."""
    used = protocols.shared(name)
    for rule in protocols.load(name).rules.rules:
        for leaf in rule.when.leaves() if rule.id in used else ():
            left_out = used.get(leaf.q or "", ())
            given = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
            assert not set(left_out).intersection(given), (rule.id, leaf)


def test_every_shared_part_is_used() -> None:
    used = {part for name in NAMES for part in protocols.shared(name)}
    for file in (protocols.HERE / "shared").glob("*/*.yaml"):
        if file.stem in ("questionnaire", "rules"):
            here = parts.parts_of(read(file))
            assert here.keys() <= used, file
