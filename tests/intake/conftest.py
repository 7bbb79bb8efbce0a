"""What the tests of several rooms need: the protocol of today, a clinician, questions, limits."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from intake import protocols
from intake.domain.definition import Protocol
from intake.models.clinic_time import Clinician
from intake.protocols import current
from tests.intake import book, second


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    """The protocol of today. The tests of the domain need it and no database."""
    return current()


@pytest.fixture
def dr_lee(db) -> Clinician:
    """Dr. Lee sees patients every day from 9 to 5."""
    return book.clinician()


@pytest.fixture
def crisis_question(settings) -> None:
    """The clinic asks about thoughts of suicide."""
    settings.SI_SCREEN = True


@pytest.fixture
def codes_without_limit(settings) -> None:
    """No limit of the network or of the clinic stops patients who ask for codes and try them."""
    settings.LIMIT_CODES_PEER = settings.LIMIT_CODES_SITE = settings.LIMIT_TRIES_PEER = 1_000_000


@pytest.fixture
def protocols_folder(monkeypatch, tmp_path) -> Iterator[Path]:
    """The folder of the protocols: `legs` as shipped, `skin` beside it, both served."""
    folder = tmp_path / "protocols"
    folder.mkdir()
    (folder / "legs").symlink_to(protocols.HERE / "legs")
    monkeypatch.setattr(protocols, "HERE", folder)
    second.write(folder)
    second.serve(folder, "legs", second.NAME)
    yield folder
    monkeypatch.undo()
    second.start_anew()
