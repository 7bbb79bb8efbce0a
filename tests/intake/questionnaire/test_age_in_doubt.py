"""A patient who types 7 for 71 is asked whether that age is right.

If the age is right, the patient is a child without a parent or guardian, and the draft is deleted.
If not, nothing is lost.
"""

import re

import pytest
from django.conf import settings
from django.test import Client
from django.utils.translation import override

from intake.models.submissions import Draft, Submission
from intake.protocols import current
from intake.questionnaire import drafts
from tests.intake.patient import Page, Patient, born, step_url

pytestmark = pytest.mark.django_db
SURE = "/intake/sure/"
ALONE = ["self", "caregiver"]


def stopped(page: Page) -> bool:
    return current().rule("M01").advice in page.text


def at_about(**says) -> Patient:
    """Return a patient who has reached the page that asks for the age."""
    patient = Patient(**says)
    patient.start()
    patient.walk_to("about")
    return patient


def at_about_again(**says) -> Patient:
    """Return a patient who has answered all pages and changes the page that asks for the age."""
    patient = Patient(**says)
    patient.jump_to("check")
    patient.change("about")
    return patient


def at_contact(**says) -> Patient:
    """Return a patient on the contact page of a request without the questionnaire.

    The contact page asks for the date of birth.
    """
    patient = Patient(**says)
    patient.start("/appointments/")
    patient.walk_to("contact")
    return patient


def at_contact_again(**says) -> Patient:
    patient = at_contact(**says)
    patient.walk_to("check")
    patient.change("contact")
    return patient


DOORS = [at_about, at_about_again, at_contact, at_contact_again]


def age(years: int) -> dict[str, object]:
    """Return the answers that mean this age: the age in years, and a date of birth."""
    return {"age_years": years, **born(years)}


def say(patient: Patient, years: int, **instead) -> Page:
    """Type this age on the patient's page, which asks for the age, and press Continue."""
    asked = patient.page.form.asked
    typed = {name: value for name, value in age(years).items() if name in asked}
    return patient.answer(**typed, **instead)


# --- asked on every page that asks the age --------------------------------------------------------


@pytest.mark.parametrize("who", ALONE)
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("years", [0, 7, 11])
def test_an_age_below_twelve_is_asked_about_and_nothing_is_deleted(door, years, who):
    patient = door(who=who)
    page = say(patient, years)
    assert page.path == SURE
    assert page.status == 200
    assert f"Is {years} the patient’s age?" in page.text
    assert not stopped(page)
    assert Draft.objects.count() == 1
    assert page.links_to("tel:911")
    assert page.links_to("/intake/leave/")


@pytest.mark.parametrize("door", DOORS)
def test_no_opens_the_page_with_all_that_was_typed_there(door):
    patient = door()
    instead = {"name": "Una Canary", "been_here": "known"} if "contact" in door.__name__ else {}
    instead |= {"who": "caregiver"}
    before = patient.page
    typed = patient.filled(**age(7), **instead)
    say(patient, 7, **instead)
    page = patient.press("no")
    assert page.path == before.path
    shown = page.form.values
    typed["callback_phone"] = "+12025550147"  # the page shows the number as it is stored
    for name in set(before.form.asked) & typed.keys():
        assert shown[name] == [str(typed[name])], name


@pytest.mark.parametrize("door", DOORS)
def test_the_mended_age_goes_on_as_if_nothing_had_been(door):
    patient = door()
    say(patient, 7)
    patient.press("no")
    patient.says |= age(71)
    page = say(patient, 71)
    wanted = "check" if "again" in door.__name__ else {at_about: "reason"}.get(door, "appointment")
    assert page.step in (wanted, "contact")
    patient.walk_to("check")
    patient.send()
    assert Submission.objects.get().answers["age_years"] == 71


def test_seven_for_seventy_one_at_the_end_costs_no_answer():
    patient = at_about_again(reason_text="It creeps.", tobacco="former")
    before = patient.draft.content["answers"]
    say(patient, 7)
    assert patient.draft.content["answers"] == before
    patient.press("no")
    patient.says |= age(71)
    say(patient, 71)
    assert patient.draft.content["answers"] == before | {"age_years": 71}


@pytest.mark.parametrize("who", ALONE)
@pytest.mark.parametrize("door", DOORS)
def test_yes_from_a_child_alone_deletes_and_says_whom_to_ask(door, who):
    patient = door(who=who)
    say(patient, 7)
    page = patient.press("yes")
    assert stopped(page)
    assert "We did not keep your answers." in page.text
    assert page.links_to("tel:988")
    assert not Draft.objects.exists()
    assert not Submission.objects.exists()
    assert not patient.client.cookies[settings.DRAFT_COOKIE_NAME].value


# --- patients who are not asked -------------------------------------------------------------------


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("years", [0, 7, 11, 12, 17])
def test_a_parent_is_never_asked(door, years):
    patient = door(who="parent_guardian")
    page = say(patient, years)
    assert page.path != SURE
    assert not stopped(page)
    assert Draft.objects.exists()


@pytest.mark.parametrize("who", ALONE)
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("years", [12, 17])
def test_from_twelve_to_seventeen_is_as_before(door, years, who):
    assert stopped(say(door(who=who), years))
    assert not Draft.objects.exists()


# --- two clicks, Back, an old tab, another way out ------------------------------------------------


def test_yes_clicked_twice_says_the_same_twice():
    patient = at_about()
    say(patient, 7)
    question = patient.page
    key = patient.key
    patient.press("yes")
    patient.client.cookies[settings.DRAFT_COOKIE_NAME] = key
    page = patient.post(SURE, {**question.form.values, "go": "yes"})
    assert page.status == 200
    assert stopped(page)
    assert page.links_to("tel:988")


def test_an_old_question_deletes_nothing_after_the_age_was_mended():
    patient = at_about()
    say(patient, 7)
    question = patient.page
    patient.press("no")
    say(patient, 71)
    page = patient.post(SURE, {**question.form.values, "go": "yes"})
    assert page.step == "reason"
    assert patient.draft.content["answers"]["age_years"] == 71


def test_an_old_question_about_another_age_is_asked_anew():
    patient = at_about()
    say(patient, 7)
    question = patient.page
    patient.press("no")
    say(patient, 8)
    page = patient.post(SURE, {**question.form.values, "go": "yes"})
    assert page.path == SURE
    assert "Is 8 the patient’s age?" in page.text
    assert Draft.objects.exists()


def test_an_age_mended_in_another_window_at_the_same_moment_is_not_deleted(monkeypatch):
    patient = at_about()
    say(patient, 7)
    whole = drafts.confirm_age

    def mended_first(*, draft):
        other = Client()
        other.cookies[settings.DRAFT_COOKIE_NAME] = patient.key
        other.post(step_url("about"), {"who": "self", "age_years": "71", "sex_at_birth": "male"})
        return whole(draft=draft)

    monkeypatch.setattr(drafts, "confirm_age", mended_first)
    assert patient.press("yes").step == "reason"
    assert patient.draft.content["answers"]["age_years"] == 71


def test_back_shows_what_was_typed():
    patient = at_about()
    say(patient, 7)
    page = patient.get(step_url("about"))
    assert page.form.values["age_years"] == ["7"]


def test_the_question_without_anything_in_doubt_leads_on():
    patient = at_about()
    assert patient.get(SURE).step == "about"
    patient.post(SURE, {"go": "yes", "age": "7"})
    assert Draft.objects.exists()
    assert Patient().get(SURE).path == "/intake/"


def test_an_emergency_comes_before_the_question():
    patient = at_about()
    say(patient, 7)
    patient.get(step_url("safety"))
    patient.answer(em_now=("chest_or_breath",))
    for page in (patient.get(SURE), patient.post(SURE, {"go": "yes", "age": "7"})):
        assert page.red_card
        assert page.path == "/intake/emergency/"
    assert Draft.objects.exists()


def test_save_and_come_back_keeps_the_age_and_asks_when_it_goes_on():
    patient = at_about_again()
    before = patient.draft.content["answers"]
    patient.press("save", patient.filled(age_years=7))
    assert patient.page.path == "/intake/save/"
    assert patient.draft.content["answers"] == before
    page = patient.get("/intake/check/")
    assert page.step == "about"
    assert page.form.values["age_years"] == ["7"]
    patient.says["age_years"] = 7
    assert patient.answer().path == SURE


# --- what the question must not reveal ------------------------------------------------------------


@pytest.mark.parametrize("door", [at_about, at_contact])
def test_no_address_and_no_title_tells_the_age(door, written_log):
    patient = door()
    say(patient, 7)
    patient.press("no")
    say(patient, 7)
    patient.press("yes")
    for _method, url, _response in patient.requests:
        assert not re.search(r"7|age|young|minor|child", url), url
    asked = [page for page in patient.seen if page.path == SURE]
    assert all("7" not in page.title for page in asked)
    assert all(page.response["Cache-Control"] == "no-store" for page in asked)
    assert '"age"' not in written_log.getvalue()


def test_the_question_is_asked_in_spanish():
    patient = Patient()
    patient.start("/es/intake/")
    patient.walk_to("about")
    page = say(patient, 7)
    assert page.path == "/es/intake/sure/"
    assert "¿Es 7 la edad del paciente?" in page.text
    with override("es"):
        assert patient.press("no").path == "/es/intake/legs/p/about/"


def test_asking_is_two_queries_and_looking_at_the_question_one(django_assert_num_queries):
    patient = at_about()
    with django_assert_num_queries(2):
        patient.client.post(step_url("about"), patient.filled(age_years=7))
    with django_assert_num_queries(1):
        patient.client.get(SURE)
