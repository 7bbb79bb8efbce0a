"""The protocol of today, as files give it: the domain is tested without a database."""

import pytest

from intake.domain.definition import Protocol
from intake.protocols import current


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    return current()
