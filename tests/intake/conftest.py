"""Fixtures for several rooms: protocols, staff, the suicide question, no limits on codes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from intake import protocols
from intake.domain.definition import Protocol
from intake.models.clinic_time import Clinician
from intake.protocols import current
from tests import builders
from tests.intake import book, second


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    """The current protocol. Tests of the domain use it without a database."""
    return current()


@pytest.fixture
def lee(db) -> Clinician:
    """A clinician, Dr. Lee, who sees patients every day from 9 to 5."""
    return book.clinician()


@pytest.fixture
def clinician() -> Client:
    """A browser in which a clinician is signed in."""
    return builders.staff_client("clinician")


@pytest.fixture
def me() -> User:
    """The account of the clinician whose browser is the fixture `clinician`."""
    return builders.member("clinician")


@pytest.fixture
def desk() -> Client:
    """A browser in which a member of the front desk is signed in."""
    return builders.staff_client("front desk")


@pytest.fixture
def crisis_question(settings) -> None:
    """Let the clinic ask about thoughts of suicide."""
    settings.SI_SCREEN = True


@pytest.fixture
def codes_without_limit(settings) -> None:
    """Lift the limits on asking for codes and on trying codes."""
    settings.LIMIT_CODES_PEER = settings.LIMIT_CODES_SITE = settings.LIMIT_TRIES_PEER = 1_000_000


@pytest.fixture
def protocols_folder(monkeypatch, tmp_path) -> Iterator[Path]:
    """A folder of protocols with `legs` as shipped, and with `skin`. The program serves both."""
    folder = tmp_path / "protocols"
    folder.mkdir()
    for shipped in ("legs", "shared", "languages"):
        (folder / shipped).symlink_to(protocols.HERE / shipped)
    monkeypatch.setattr(protocols, "HERE", folder)
    second.write(folder)
    second.serve(folder, "legs", second.NAME)
    yield folder
    monkeypatch.undo()
    second.start_anew()
