"""Stored results stay the same: 20,000 assessments of `legs`, documents of earlier releases."""

import gzip
import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from intake.domain.answers import from_json
from intake.domain.definition import Protocol, from_document
from intake.domain.levels import RANKS
from intake.domain.route import visible
from intake.domain.triage import assess
from intake.protocols import stored
from tests.intake.domain import frozen

# the protocol as release 0.1.0 stored it: without `uses`, and with computed values that name a
# version of code
FIRST = Path(__file__).with_name("frozen_legs_0.1.0.json.gz")
HASH = "d4297010106269b900bdb59e321e7d20c409ea3eecf95e46a5a8a38d42c2cab8"


@pytest.fixture(scope="module")
def first() -> Protocol:
    return from_document(gzip.decompress(FIRST.read_bytes()), stored("legs"))


def test_every_tenth_answer_set_is_judged_as_it_was_or_higher(protocol: Protocol) -> None:
    _words, rows = frozen.read(10)
    assert len(rows) == frozen.ROWS // 10
    assert list(frozen.differences(protocol, rows)) == []


def test_what_is_heard_in_own_words_lowers_an_old_row_only_where_it_denies(
    protocol: Protocol,
) -> None:
    """Of the frozen texts, one alone is denied: "no chest pain"."""
    _words, rows = frozen.read(40)
    for row in rows:
        now = assess(protocol, from_json(protocol, row["answers"]), **row["meta"])
        before = {*row["fired"]}
        if not frozen.CHANGED.keys().isdisjoint(before):
            continue
        now_fired = {fired.id for fired in now.fired}
        lost = before - now_fired
        fallbacks = {rule.id for rule in protocol.rules.rules if rule.fallback}
        if frozen.asked_again(protocol, row):
            continue
        lost -= fallbacks | {id for id in lost if frozen.REPLACED_BY.get(id) in now_fired}
        if "no chest pain" not in row["answers"].values():
            assert not lost, row
            assert RANKS[now.urgency] >= RANKS[row["urgency"]], row
        else:
            assert lost <= {"S16"}, row


def test_the_rules_tell_what_they_told(protocol: Protocol) -> None:
    assert list(frozen.reworded(protocol)) == []


def test_the_corpus_meets_every_rule_and_every_computed_value(protocol: Protocol) -> None:
    _words, rows = frozen.read()
    met = {id for row in rows for id in row["fired"] + row["flags"]}
    known = {rule.id for rule in frozen.as_frozen(protocol).rules.rules}
    assert met == known | frozen.CHANGED.keys()
    for name in ("rls_pattern", "art_pattern", "lr7_nights_gt_days"):
        assert len({row["computed"][name] for row in rows}) >= 3, name
    assert {row["computed"]["lr7_total"] for row in rows} == {None, *range(31)}


def test_a_row_that_is_judged_otherwise_is_shown(protocol: Protocol) -> None:
    _words, rows = frozen.read(frozen.ROWS // 2)
    rows[1] |= {"urgency": "some_day"}
    (shown,) = frozen.differences(protocol, rows)
    assert "row 1" in shown
    assert "some_day" in shown
    assert json.dumps(rows[1]["answers"]) in shown


def test_a_document_of_the_first_release_opens_with_its_own_hash(first: Protocol) -> None:
    assert first.content_hash == HASH
    assert hashlib.sha256(gzip.decompress(FIRST.read_bytes())).hexdigest() == HASH


def test_a_document_of_the_first_release_judges_as_it_did(first: Protocol) -> None:
    _words, rows = frozen.read(100, now=False)
    assert list(frozen.differences(first, rows)) == []


def test_a_document_of_the_first_release_knows_what_the_program_uses(first: Protocol) -> None:
    uses = first.uses
    named = [uses.safety, uses.who.q, uses.age, uses.own_words, *uses.contact.stored_names]
    assert all(first.question(id) for id in [*named, *uses.complaint, *uses.free_text])
    assert uses.crisis in visible(first, {"age_years": 40})
    assert uses.crisis not in visible(first, {"age_years": 40}, si_screen=False)


def test_a_document_that_nothing_completes_is_refused_with_the_reason() -> None:
    with pytest.raises(msgspec.ValidationError, match="uses"):
        from_document(gzip.decompress(FIRST.read_bytes()))
