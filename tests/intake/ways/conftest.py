"""Fixtures for escalation: the clinic's clock, and one member of staff of each role."""

import pytest
from django.utils import timezone

from clinic.opening_hours import ClinicHours
from tests import builders
from tests.intake.ways.escalating import CLOSED_DAY, Clock


@pytest.fixture
def people():
    """One member of staff of each role, with an e-mail address, and a clinician who has left."""
    for role in ("clinician", "duty", "front desk", "auditor", "administrator"):
        user = builders.member(role)
        user.email = f"{user.username}@staff.example.org"
        user.save()
    gone = builders.member("duty", "gone")
    gone.email, gone.is_active = "gone@staff.example.org", False
    gone.save()


@pytest.fixture
def clock(monkeypatch, settings):
    """A clock that stands on a Monday morning. Wednesday of that week is a holiday."""
    settings.CLINIC_HOURS = ClinicHours.parse(
        "Mon-Fri 08:30-17:00", [CLOSED_DAY], "America/New_York"
    )
    clock = Clock()
    clock.set("2026-11-30T09:00")
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    return clock
