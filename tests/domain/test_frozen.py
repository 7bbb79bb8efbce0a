"""What was stored stays: 20,000 assessments of `legs`, and documents of earlier releases."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from intake.domain.definition import Protocol, from_document
from tests.domain import frozen

# as release 0.1.0 stored it
FIRST = Path(__file__).with_name("frozen_legs_0.1.0.json.gz")
HASH = "d4297010106269b900bdb59e321e7d20c409ea3eecf95e46a5a8a38d42c2cab8"


@pytest.fixture(scope="module")
def first() -> Protocol:
    return from_document(gzip.decompress(FIRST.read_bytes()))


def test_every_tenth_answer_set_is_judged_as_it_was(protocol: Protocol) -> None:
    _words, rows = frozen.read(10)
    assert len(rows) == frozen.ROWS // 10
    assert list(frozen.differences(protocol, rows)) == []


def test_the_rules_tell_what_they_told(protocol: Protocol) -> None:
    words, now = frozen.read(frozen.ROWS)[0], frozen.words(protocol)
    assert {id: now.get(id) for id in words} == words


def test_the_corpus_meets_every_rule_and_every_computed_value(protocol: Protocol) -> None:
    _words, rows = frozen.read()
    met = {id for row in rows for id in row["fired"] + row["flags"]}
    assert met == {rule.id for rule in protocol.rules.rules}
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
    _words, rows = frozen.read(100)
    assert list(frozen.differences(first, rows)) == []
