"""The alarm load of a protocol on the patients of the demonstration."""

from io import StringIO

import pytest
from django.core.management import call_command

from clinic.hours import settings_hours
from intake import protocols
from intake.demonstration import alarm_load
from tests.intake.domain.altered import with_rule

# Among 600 patients, chance moves the share by three points. docs/clinical-safety.md has the share
# among 2,000.
AT_MOST = alarm_load.SAME_DAY_GOAL + 0.03


@pytest.mark.parametrize("name", ["legs", "veins"])
def test_no_protocol_raises_more_patients_to_same_day_than_the_clinic_can_read(name: str) -> None:
    load = alarm_load.measured(protocols.load(name), settings_hours(), count=600)
    assert sum(load.urgencies.values()) == load.of == 600
    assert load.urgencies["same_day"] / load.of <= AT_MOST
    assert 0 < load.elsewhere <= load.elsewhere_weekend <= load.urgencies["same_day"]


def test_a_rule_that_lets_the_patient_wait_sends_fewer_elsewhere() -> None:
    legs = protocols.load("legs")
    before = alarm_load.measured(legs, settings_hours(), count=200)
    waiting = with_rule(legs, "S01", closed="Wait until {opening}.", may_wait_hours=16)
    after = alarm_load.measured(waiting, settings_hours(), count=200)
    assert after.urgencies == before.urgencies
    assert after.elsewhere < before.elsewhere
    assert after.elsewhere_weekend == before.elsewhere_weekend


def test_the_command_names_the_goals_and_the_rules_that_raised() -> None:
    out = StringIO()
    call_command("protocol", "load", "legs", "--patients", "60", stdout=out)
    said = out.getvalue()
    assert "60 patients of the demonstration" in said
    assert "goal 16%" in said
    assert "goal 6%" in said
