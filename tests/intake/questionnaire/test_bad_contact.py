"""A contact or a wish is wrong: the page comes back with a sentence, and nothing is stored."""

from typing import Any

import pytest
from django.utils import timezone

from tests.intake.patient import Page, born, step_url, typed_date
from tests.intake.questionnaire.everything import at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("crisis_question")]


def contact_refused(typed: dict[str, Any], complaint: str, **says: Any) -> Page:
    patient = at("contact", **says)
    before = patient.counted
    page = patient.answer(**typed)
    assert page.status == 422
    assert any(complaint in error for error in page.errors), page.errors
    assert patient.counted == before
    for name in ("name", "callback_phone", "email", "birth_date_year", "prefer", "lang_help"):
        if name not in typed:
            assert page.form.values[name] == [patient.says[name]]
    return page


@pytest.mark.parametrize(
    "name",
    ["", "   ", "\x00\x00", "\u200b\u202e\u2069", "\u3164", "x" * 121, ("one", "two"), "a\x1bb"],
)
def test_a_name_is_readable_text(name):
    patient = at("contact")
    response = patient.client.post(step_url("contact"), patient.filled(name=name))
    assert response.status_code in (400, 303)
    assert not patient.draft.content["contact"]


@pytest.mark.parametrize(
    "name",
    ["O’Brien", "Nguyễn Thị Minh", "李雷", "Jean-Luc d'Arc", "Ṣàngó", "X", "محمد", "J. R. 2nd"],
)
def test_a_name_of_any_language_is_taken(name):
    patient = at("contact", name=name)
    patient.walk_to("check")
    assert patient.draft.content["contact"]["name"] == name


@pytest.mark.parametrize(
    "email",
    [
        "sam@localhost",
        "sam",
        "sam@",
        "@example.org",
        '"sam smith"@example.org',
        "sam@[127.0.0.1]",
        "sam@example.org, eve@example.org",
        "sam@example.org\nBcc: eve@example.org",
        "a@b@example.org",
        "sam@exa mple.org",
        "x" * 250 + "@example.org",
    ],
)
def test_an_email_is_one_that_a_mail_program_can_answer(email):
    patient = at("contact")
    page = patient.answer(email=email)
    assert page.status == 422
    assert not patient.draft.content["contact"]


@pytest.mark.parametrize(
    "email", ["sam@example.org", "s.a-m+legs@mail.example.co.uk", "SAM@EXAMPLE.ORG"]
)
def test_an_ordinary_email_is_taken(email):
    patient = at("contact", email=email)
    assert patient.answer().step == "appointment"
    assert patient.draft.content["contact"]["email"] == email


def test_an_email_is_needed_only_by_who_wants_mail():
    contact_refused({"email": "", "prefer": "email"}, "Enter an e-mail address, or choose")
    assert at("contact", email="").answer().step == "appointment"


def test_a_part_of_a_date_sent_twice_is_not_guessed_at():
    patient = at("contact")
    page = patient.answer(birth_date_year=("1982", "1983"))
    assert page.status == 422
    assert "This was sent twice. Give one answer." in page.text


@pytest.mark.parametrize(
    "phone",
    [
        *("", "911", "call me", "123", "+", "202-555-01477777777", "０１２", "a" * 30),
        *("555-0123", "0123456"),  # without an area code the clinic cannot call
        *("020 794 6001", "1 202 155 0123"),  # ten digits, but no number of this country
    ],
)
def test_a_phone_number_is_one_that_can_be_called(phone):
    patient = at("contact")
    page = patient.answer(callback_phone=phone)
    assert page.status == 422
    assert page.form.values["callback_phone"] == [phone]
    assert not patient.draft.content["contact"]


@pytest.mark.parametrize(
    ("phone", "stored"),
    [
        ("2025550147", "+12025550147"),
        ("(202) 555-0147", "+12025550147"),
        ("+1 202.555.0147", "+12025550147"),
        ("1-202-555-0147", "+12025550147"),
        ("+44 20 7946 0018", "+442079460018"),
        ("202-555-0147 ext. 45", "+12025550147;ext=45"),
    ],
)
def test_a_phone_number_is_stored_in_one_form(phone, stored):
    patient = at("contact", callback_phone=phone)
    assert patient.answer().step == "appointment"
    assert patient.draft.content["contact"]["callback_phone"] == stored


@pytest.mark.parametrize(
    ("month", "day", "year", "complaint"),
    [
        ("2", "30", "1982", "There is no such date."),
        ("13", "1", "1982", "There is no such date."),
        ("0", "0", "1982", "There is no such date."),
        ("2", "29", "1981", "There is no such date."),
        ("3", "27", "82", "Write the year with four numbers"),
        ("Marhc", "27", "1982", "We do not understand “Marhc” in a date."),
        ("-3", "27", "1982", "We do not understand “-3” in a date."),
        ("3/4/1982", "", "", "“3/4/1982” can be two dates. Write the month as a word"),
        ("3/27/1982", "28", "1982", "The three boxes do not fit together."),
        ("3", "", "1982", "Fill in all three boxes"),
        ("", "", "", "Enter the date"),
        ("1", "1", "2999", "This date is in the future."),
        ("1", "1", "1850", "more than 120 years ago"),
        ("9" * 500, "1", "1982", f"We do not understand “{'9' * 30}…” in a date."),
        ("1", "1", "0000", "Write the year with four numbers"),
    ],
)
def test_a_birth_date_is_a_date_of_somebody_alive(month, day, year, complaint):
    typed = {"birth_date_month": month, "birth_date_day": day, "birth_date_year": year}
    page = contact_refused(typed, complaint)
    assert page.form.values.get("birth_date_month", [""]) == [month]


def test_a_birth_date_that_disagrees_with_the_age_leads_back_to_that_question():
    page = contact_refused(born(50), "You said that the patient is 44 years old")
    assert "but this birth date makes the patient 50" in page.text
    assert page.link("Change the age") == f"{step_url('about')}?change=1"
    patient = at("contact")
    patient.answer(**born(50))
    patient.get(patient.page.link("Change the age"))
    page = patient.answer(age_years="50")
    assert page.step == "contact"
    assert patient.answer(**born(50)).step in ("appointment", "check")


def test_the_day_before_the_birthday_one_is_a_year_younger():
    birthday = timezone.localdate() + timezone.timedelta(days=1)
    if (birthday.month, birthday.day) == (2, 29):  # a day that most years lack
        birthday += timezone.timedelta(days=1)
    patient = at("contact")
    page = patient.answer(**typed_date("birth_date", birthday.replace(year=birthday.year - 44)))
    assert "but this birth date makes the patient 43" in page.text
    page = patient.answer(**typed_date("birth_date", birthday.replace(year=birthday.year - 45)))
    assert page.step == "appointment"


@pytest.mark.parametrize("name", ["prefer", "prefer_time", "lang_help"])
def test_of_the_choices_of_the_contact_only_those_offered_are_taken(name):
    patient = at("contact")
    for typed in ("no_such", None, ("phone", "email")):
        page = patient.answer(**{name: typed})
        assert page.status == 422
        assert not patient.draft.content["contact"]


def test_a_name_of_a_helper_is_not_taken_from_who_fills_in_for_themselves():
    patient = at("contact")
    assert patient.answer(proxy_name="Petra Canary").status == 422
    assert not patient.draft.content["contact"]


@pytest.mark.parametrize("name", ["visit_type", "days", "times"])
def test_of_the_choices_of_the_wish_only_those_offered_are_taken(name):
    patient = at("appointment")
    page = patient.answer(**{name: "no_such"})
    assert page.status == 422
    assert not patient.draft.content["wish"]


# --- safe contact --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("says", "texts_on", "wrong"),
    [
        ({"calls": "no", "prefer": "phone", "email": ""}, True, "or choose a text message"),
        ({"calls": "no", "prefer": "text", "email": ""}, False, "enter an e-mail address"),
        ({"calls": "no", "prefer": "email", "email": ""}, True, "Enter an e-mail address"),
        ({"calls": "no", "prefer": "text", "email": ""}, True, ""),
        ({"calls": "no", "prefer": "phone"}, True, ""),
        ({"calls": "then", "prefer_time": "morning", "voicemail": "no"}, True, ""),
        ({"calls": "then", "prefer_time": "any"}, True, "Choose the time at which we may call."),
        ({"hears": "Ana, my sister"}, True, ""),
        # a page of the release before
        ({"calls": None, "voicemail": None, "hears": None}, True, ""),
    ],
)
def test_a_patient_who_may_not_be_called_names_another_way(says, texts_on, wrong, settings):
    if not texts_on:
        settings.SMS_BACKEND = ""
    page = at("contact").answer(**says)
    assert (wrong in page.text) if wrong else page.step == "appointment"
    assert (page.status == 422) == bool(wrong)
