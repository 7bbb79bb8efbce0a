"""The register of the parts that read age, sex, disability or language (45 CFR 92.210)."""

from pathlib import Path

import pytest

from intake import protocols
from intake.authoring import register
from intake.domain.definition import Protocol
from intake.domain.grammar import AnswerCondition, Computed
from tests.intake.authoring.slips import copied
from tests.intake.domain.altered import with_rule, with_rule_set


def test_each_part_of_each_protocol_has_a_reason() -> None:
    for name in protocols.available():
        assert list(register.faults(protocols.load(name))) == []


def test_each_shared_reason_explains_a_part_of_a_protocol() -> None:
    loaded = [protocols.load(name) for name in protocols.available()]
    reading = {reader.id for protocol in loaded for reader in register.readers(protocol)}
    for protocol in loaded:
        for _place, entries in register.registers_of(protocol.name):
            assert {id for reason in entries.reasons for id in reason.of} <= reading


def test_a_rule_that_begins_to_read_a_characteristic_is_named(protocol: Protocol) -> None:
    age = AnswerCondition(q=protocol.uses.age, op="gte", value=65)
    directly = with_rule(protocol, "S01", when=age)
    value = next(iter(protocol.rules.computed))
    computed = protocol.rules.computed | {value: Computed(text="old", when=age)}
    through_a_value = with_rule(
        with_rule_set(protocol, computed=computed),
        "S01",
        when=AnswerCondition(var=value, op="eq", value=True),
    )
    for changed in (directly, through_a_value):
        assert "The rule “S01” reads age: write why into a register.yaml." in register.faults(
            changed
        )


def test_a_reason_of_nothing_is_named_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copied(tmp_path)
    (folder / "register.yaml").write_text(
        "reasons:\n- {of: [R09], why: It reads age., mitigation: It only raises.}\n"
    )
    monkeypatch.setattr(protocols, "HERE", tmp_path)
    protocol = protocols.from_folder(folder)
    (fault,) = [text for text in register.faults(protocol) if "R09" in text]
    assert "small/register.yaml" in fault
    assert "take it out" in fault


def test_the_register_prints_each_part_with_its_reason(protocol: Protocol) -> None:
    lines = list(register.report(protocol))
    parts = [line for line in lines if line.startswith("- ")]
    assert len(parts) == len(register.readers(protocol))
    assert any("E13 (sex): emergency" in part for part in parts)
    assert sum(line.startswith("Why: ") for line in lines) == sum(
        line.startswith("What reduces the risk: ") for line in lines
    )
