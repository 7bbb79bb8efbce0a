"""A member of the front desk."""

import pytest

from tests import builders


@pytest.fixture
def desk():
    return builders.staff_client("front desk")
