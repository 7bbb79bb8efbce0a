"""What the tests of several rooms need: the protocol of today, people, questions, limits."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from intake.domain.definition import Protocol
from intake.models.clinic_time import Clinician
from intake.protocols import current
from tests import builders
from tests.intake import book


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    """The protocol of today. The tests of the domain need it and no database."""
    return current()


@pytest.fixture
def lee(db) -> Clinician:
    """Dr. Lee sees patients every day from 9 to 5."""
    return book.clinician()


@pytest.fixture
def clinician() -> Client:
    """The browser of a clinician who is signed in."""
    return builders.staff_client("clinician")


@pytest.fixture
def me() -> User:
    """The account of that clinician."""
    return builders.member("clinician")


@pytest.fixture
def desk() -> Client:
    """The browser of a member of the front desk who is signed in."""
    return builders.staff_client("front desk")


@pytest.fixture
def crisis_question(settings) -> None:
    """The clinic asks about thoughts of suicide."""
    settings.SI_SCREEN = True


@pytest.fixture
def codes_without_limit(settings) -> None:
    """No limit of the network or of the clinic stops patients who ask for codes and try them."""
    settings.LIMIT_CODES_PEER = settings.LIMIT_CODES_SITE = settings.LIMIT_TRIES_PEER = 1_000_000
