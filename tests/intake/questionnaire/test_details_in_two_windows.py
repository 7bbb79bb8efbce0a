"""Contact and wish in two windows: a detail given since is never changed without asking."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from intake.draft_content import APPOINTMENT, CONTACT, detail
from intake.questionnaire import drafts
from intake.questionnaire.forms.wish import WishForm
from intake.questionnaire.views.contact_step import contact_form
from intake.questionnaire.walk import Walk
from tests import builders
from tests.intake.patient import Page, Patient, born, step_url
from tests.intake.questionnaire.test_two_windows import TITLE, go_on
from tests.intake.questionnaire.veil import leave_alone, with_draft

pytestmark = pytest.mark.django_db


def birthday(day: int) -> dict[str, str]:
    """Return a birth date of the ordinary patient's age, whatever day is today."""
    month, years = ("12", 45) if timezone.localdate().month < 7 else ("1", 44)
    return {**born(years), "birth_date_month": month, "birth_date_day": str(day)}


def not_before(days: int) -> dict[str, str]:
    day = timezone.localdate() + timedelta(days=days)
    parts = {"month": day.month, "day": day.day, "year": day.year}
    return {f"earliest_{part}": str(number) for part, number in parts.items()}


Case = tuple[dict[str, Any], dict[str, Any]]
# each detail of the page: what the other window says, and then the older window
CONTACT_DETAILS: dict[str, Case] = {
    "name": ({"name": "Anna Lee"}, {"name": "Ana Lee"}),
    "proxy_name": ({"proxy_name": "Bo Lee"}, {"proxy_name": "Bea Lee"}),
    "birth_date": (birthday(2), birthday(3)),
    "callback_phone": ({"callback_phone": "(202) 555-0101"}, {"callback_phone": "(202) 555-0102"}),
    "email": ({"email": None}, {"email": "ana@example.org"}),
    "prefer": ({"prefer": "email"}, {"prefer": "text"}),
    "prefer_time": ({"prefer_time": "morning"}, {"prefer_time": "midday"}),
    "calls": (
        {"calls": "then", "prefer_time": "morning"},
        {"calls": "no", "prefer_time": "morning"},
    ),
    "voicemail": ({"voicemail": "no"}, {"voicemail": "yes"}),
    "hears": ({"hears": "Bo Lee"}, {"hears": "Bea Lee"}),
    "lang_help": ({"lang_help": "asl"}, {"lang_help": "spanish"}),
}
VISIT_DETAILS: dict[str, Case] = {
    "who": ({"who": "parent_guardian"}, {"who": "caregiver"}),
    "been_here": ({"been_here": "known"}, {"been_here": "unsure"}),
}
WISH_DETAILS: dict[str, Case] = {
    "visit_type": ({"visit_type": "video"}, {"visit_type": "phone"}),
    "wishes": (
        {"days": ("tue",), "times": ()},
        {"days": (), "times": ()},
    ),
    "earliest": (not_before(10), not_before(20)),
}


def asked_who() -> Patient:
    patient = Patient()
    patient.start("/appointments/")
    return patient.walk_to(CONTACT) and patient


# a patient with one answer of each page to change, and the name of the detail in the draft
PATIENTS: dict[str, Any] = {
    **{name: (CONTACT, detail(CONTACT, name)) for name in CONTACT_DETAILS},
    **{name: (CONTACT, detail(CONTACT, name)) for name in VISIT_DETAILS},
    **{name: (APPOINTMENT, detail(APPOINTMENT, name)) for name in WISH_DETAILS},
    "who": (CONTACT, "who"),
}
CASES = CONTACT_DETAILS | VISIT_DETAILS | WISH_DETAILS


def open_twice(name: str) -> tuple[Patient, Page, Page]:
    """Open the page of a detail, which was answered before, in two windows that show the same."""
    if name in VISIT_DETAILS:
        patient = asked_who()
        patient.answer()
    else:
        patient = with_draft(builders.content())
        if name == "proxy_name":
            carer = {"proxy_name": "Petra Canary"}
            patient = with_draft(builders.content(carer, who="caregiver"))
    url = step_url(PATIENTS[name][0])
    return patient, patient.get(url), patient.get(url)


def stored(patient: Patient, name: str) -> Any:
    return walk_of(patient).content.given.get(PATIENTS[name][1])


@pytest.mark.parametrize("keeps", ["this", "other"])
@pytest.mark.parametrize("name", CASES)
def test_an_older_window_asks_which_of_two_details_to_keep(name, keeps):
    theirs, mine = CASES[name]
    patient, one, other = open_twice(name)
    before = stored(patient, name)
    go_on(patient, other, **theirs)
    since = stored(patient, name)
    assert since != before
    page = go_on(patient, one, **theirs)
    assert (page.status, TITLE in page.text) == (200, False)  # it changes nothing given since
    page = go_on(patient, one, **mine)
    assert (page.status, TITLE in page.text) == (409, True), page.errors
    assert stored(patient, name) == since
    assert patient.get(page.url).text == page.text  # a reload asks the same
    control = f"keep_{PATIENTS[name][1]}"
    assert page.form.asked == [control]
    page = patient.press("continue")
    assert page.errors == ["Choose the answer that you want to keep."]
    page = patient.press("continue", {**page.form.values, control: keeps})
    assert (page.status, TITLE in page.text) == (200, False), page.errors
    kept = stored(patient, name)
    assert (kept == since) == (keeps == "other")
    assert kept != before
    assert not walk_of(patient).content.returned


def test_the_table_has_each_detail_of_both_pages():
    named = {
        name
        for patient in (open_twice("proxy_name")[0], open_twice("who")[0])
        for name in contact_form(walk_of(patient), None).given_names.values()
    }
    named |= {detail(APPOINTMENT, part) for part in WishForm.STORED}
    assert named == {name for _step, name in PATIENTS.values()}


def walk_of(patient: Patient) -> Walk:
    draft = drafts.find_draft(patient.key)
    assert draft
    return drafts.walk_of(draft)


def test_each_window_changes_another_detail_and_both_count():
    patient, one, other = open_twice("name")
    go_on(patient, other, name="Anna Lee")
    page = go_on(patient, one, name="Anna Lee", prefer="text")
    assert TITLE not in page.text
    contact = walk_of(patient).content.contact
    assert (contact["name"], contact["prefer"]) == ("Anna Lee", "text")


def test_both_details_are_shown_in_words():
    patient, one, other = open_twice("birth_date")
    go_on(patient, other, prefer="email", callback_phone="+52 55 5555 0101")
    page = go_on(patient, one, prefer="text", callback_phone="202 555 0102")
    for words in (
        "This window: Send me a text message",
        "The other window: Send me an e-mail",
        "This window: (202) 555-0102",
        "The other window: +52 55 5555 0101",
    ):
        assert words in page.text
    patient, one, other = open_twice("wishes")
    go_on(patient, other, **WISH_DETAILS["wishes"][0])
    page = go_on(patient, one, **WISH_DETAILS["wishes"][1])
    assert "This window: The first free time" in page.text
    assert "Days: Tuesday, Times: Any" in page.text


def test_a_hidden_detail_is_kept_unseen():
    """After the device was left alone, the choice does not show what the other window said."""
    patient, one, other = open_twice("name")
    go_on(patient, other, name="Anna Lee")
    leave_alone()
    page = go_on(patient, one, name="Ana Lee")
    assert "The other window: Answered" in page.text
    assert "Anna" not in page.html
    page = patient.press("continue", {**page.form.values, "keep_contact.name": "other"})
    assert page.status == 200, page.errors
    assert walk_of(patient).content.contact["name"] == "Anna Lee"
    assert "name" in walk_of(patient).content.veiled_contact


@pytest.mark.parametrize("name", ["name", "visit_type"])
def test_save_in_an_older_window_asks_after_coming_back(name):
    theirs, mine = CASES[name]
    patient, one, other = open_twice(name)
    go_on(patient, other, **theirs)
    since = stored(patient, name)
    patient.seen.append(one)
    page = patient.press("save", patient.filled(**mine))
    assert page.step == "save"
    assert stored(patient, name) == since
    assert TITLE in patient.get(one.url).text


@pytest.mark.parametrize("step", [CONTACT, APPOINTMENT])
def test_a_page_of_the_release_before_saves_as_before(step):
    patient = with_draft(builders.content())
    one, other = patient.get(step_url(step)), patient.get(step_url(step))
    theirs, mine = CASES["prefer" if step == CONTACT else "visit_type"]
    go_on(patient, other, **theirs)
    patient.seen.append(one)
    page = patient.press("continue", {**patient.filled(**mine), "revision": ""})
    assert (page.status, TITLE in page.text) == (200, False)
