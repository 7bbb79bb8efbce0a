"""The patient says on the own page how the clinic may call, and who else may hear."""

import pytest
from django.test import Client

from intake.ways import contact_points
from intake.ways.contact import reach_of
from tests import builders
from tests.intake.my_visit import inside

pytestmark = pytest.mark.django_db
REACH = "/my/reach/"
SAYS = {"calls": "any", "voicemail": "yes", "hears": "as_before", "person": "", "seen": ""}


def test_what_the_patient_says_counts_and_the_page_names_nobody():
    row = builders.submission({"hears": "Bo Canary"})
    client = inside(row).client
    assert "/my/reach/" in client.get("/my/").content.decode()
    says = {"calls": "morning", "voicemail": "no", "hears": "person", "person": "Ana Canary"}
    assert client.post(REACH, SAYS | says).status_code == 302

    reach = reach_of(row)
    assert (reach.hours, reach.may_leave_word, reach.hears) == ("morning", False, "Ana Canary")
    shown = client.get(REACH).content.decode()
    assert "Canary" not in shown
    assert row.safe_contacts.get().by is None


@pytest.mark.parametrize(
    ("contact", "says", "status"),
    [
        ({}, {"calls": "no"}, 302),
        ({"email": "dead"}, {"calls": "no"}, 422),  # then nothing would reach the patient
        ({}, {"calls": ""}, 422),
        ({}, {"hears": "person"}, 422),
        ({}, {"seen": "x"}, 409),
        ({"hears": "Bo"}, {"hears": "no_one"}, 302),
    ],
)
def test_slips_and_old_tabs_are_told_and_change_nothing(contact, says, status):
    is_dead = contact.get("email") == "dead"
    row = builders.submission({} if is_dead else contact)
    client = inside(row).client
    if is_dead:
        gone = {"channel": "email", "address": row.person["email"], "trouble": "smtp 550"}
        contact_points.mark_dead(**gone, actor="system:test")
    page = client.post(REACH, SAYS | says)
    assert page.status_code == status
    assert row.safe_contacts.exists() == (status == 302)
    if says.get("hears") == "no_one":
        assert reach_of(row).hears == ""


def test_without_a_code_there_is_no_page():
    assert Client().post(REACH, SAYS).status_code == 302
