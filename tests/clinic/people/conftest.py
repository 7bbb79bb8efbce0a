"""Fixtures for sign-ins: Ada with and without a second factor, the last event before the test."""

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import User

from clinic import audit
from tests.clinic.people.ada import PASSWORD, SECRET


@pytest.fixture
def user() -> User:
    return User.objects.create_superuser("ada", password=PASSWORD)


@pytest.fixture
def enrolled(user: User) -> User:
    TOTP.activate(user, SECRET)
    RecoveryCodes.activate(user)
    return user


@pytest.fixture
def start(db) -> int:
    """The number of the last event before the test.

    The audit trail is append-only, so it contains the events of earlier tests.
    """
    return audit.head()[0]
