"""Ada, without a factor and with one; the end of the trail before a test."""

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import User

from clinic import audit
from tests.clinic.people.ada import PASSWORD, SECRET


@pytest.fixture
def quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


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
    """The trail is append-only, so that other tests leave events in it: this one's come after."""
    return audit.head()[0]
