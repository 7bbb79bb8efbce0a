"""The system checks that stop a wrong or unsigned protocol from being served."""

from datetime import date
from types import SimpleNamespace

import msgspec
import pytest

from intake import checks, protocols
from intake.domain.definition import Approval, Protocol
from intake.domain.problem import KINDS
from intake.protocols.files import Place, Unreadable
from tests.intake.domain.altered import with_rule


def ids(monkeypatch: pytest.MonkeyPatch, protocol: Protocol, *, demo: bool) -> list[str | None]:
    monkeypatch.setattr(checks, "settings", SimpleNamespace(DEMO=demo))
    monkeypatch.setattr(protocols, "available", lambda: (protocol.name,))
    monkeypatch.setattr(protocols, "load", lambda name: protocol)
    # leave translations out; test_translation.py tests the translation of the shipped protocol
    monkeypatch.setattr(protocols, "languages", lambda name: ())
    return [message.id for message in checks.protocol_problems()]


def signed(protocol: Protocol) -> Protocol:
    signature = Approval("A fictitious reviewer", date(2000, 1, 1), protocol.content_hash)
    return msgspec.structs.replace(protocol, approval=signature)


def test_a_demonstration_may_show_what_nobody_signed(
    monkeypatch: pytest.MonkeyPatch, protocol: Protocol
) -> None:
    assert ids(monkeypatch, protocol, demo=True) == []


def test_a_clinic_may_not_serve_what_nobody_signed(
    monkeypatch: pytest.MonkeyPatch, protocol: Protocol
) -> None:
    assert ids(monkeypatch, protocol, demo=False) == [checks.UNSIGNED]
    (message,) = checks.protocol_problems()
    for part in ("approved_by", "approved_on", "content_hash", "protocols/legs/approval.yaml"):
        assert part in message.msg
    assert protocol.content_hash in str(message.hint)


def test_without_a_setting_it_is_no_demonstration(
    monkeypatch: pytest.MonkeyPatch, protocol: Protocol
) -> None:
    monkeypatch.setattr(checks, "settings", SimpleNamespace())
    assert [message.id for message in checks.protocol_problems()] == [checks.UNSIGNED]


def test_a_clinic_serves_what_was_signed(
    monkeypatch: pytest.MonkeyPatch, protocol: Protocol
) -> None:
    assert ids(monkeypatch, signed(protocol), demo=False) == []


@pytest.mark.parametrize("demo", [False, True])
@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("procedure", ["", "Red binder, page 4"])
def test_a_clinic_that_does_not_ask_about_suicide_has_a_written_procedure(
    monkeypatch: pytest.MonkeyPatch, protocol: Protocol, procedure: str, asked: bool, demo: bool
) -> None:
    """Patients may still write of self-harm in free text."""
    ids(monkeypatch, signed(protocol), demo=demo)
    given = SimpleNamespace(DEMO=demo, SI_SCREEN=asked, CRISIS_PROCEDURE=procedure)
    monkeypatch.setattr(checks, "settings", given)
    missing = not (demo or asked or procedure)
    found = [m.id for m in checks.protocol_problems() if m.id == checks.NO_PROCEDURE]
    assert found == [checks.NO_PROCEDURE] * missing


def test_a_change_after_signing_stops_the_clinic(
    monkeypatch: pytest.MonkeyPatch, protocol: Protocol
) -> None:
    changed = with_rule(signed(protocol), "E01", advice="Call 911 now.")
    assert ids(monkeypatch, changed, demo=False) == [checks.UNSIGNED]


@pytest.mark.parametrize("demo", [True, False])
def test_a_folder_that_is_not_served_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, *, demo: bool
) -> None:
    """A protocol that is not served needs no signature, and not all languages of the clinic."""
    (name,) = set(protocols.available()) - {"legs"}
    languages = [("en", "English"), ("es", "Spanish"), ("fr", "French")]
    monkeypatch.setattr(checks, "settings", SimpleNamespace(DEMO=demo, LANGUAGES=languages))
    monkeypatch.setattr(protocols, "available", lambda: (name,))
    assert not protocols.load(name).approved
    assert checks.protocol_problems() == []


def test_every_problem_has_its_own_number(
    monkeypatch: pytest.MonkeyPatch, protocol: Protocol
) -> None:
    assert len(set(checks.NUMBERS.values())) == len(KINDS)
    broken = with_rule(protocol, "E01", source="")
    assert ids(monkeypatch, broken, demo=True) == [checks.NUMBERS["missing_source"]]


def test_a_file_that_cannot_be_read_stops_even_a_demonstration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load(name: str) -> Protocol:
        raise Unreadable(Place("rules.yaml", 7), "“id” takes a text, not a whole number.")

    monkeypatch.setattr(checks, "settings", SimpleNamespace(DEMO=True))
    monkeypatch.setattr(protocols, "available", lambda: ("legs",))
    monkeypatch.setattr(protocols, "load", load)
    (message,) = checks.protocol_problems()
    assert message.id == checks.UNREADABLE
    assert message.msg == "rules.yaml, line 7: “id” takes a text, not a whole number."
