"""Asking for an appointment without the questionnaire.

This short walk ends with the wish and the check page, as the questionnaire does.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from intake import protocols
from intake.models.appointments import AppointmentRequest
from intake.models.submissions import Draft, Kind, Submission, Urgency
from intake.wording.reading import date_words
from tests import builders
from tests.desk import desk_page_of, words
from tests.intake.patient import WISH, Patient, step_url, typed_date

pytestmark = pytest.mark.django_db


def asking(**says) -> Patient:
    patient = Patient(**says)
    patient.start("/appointments/")
    return patient


def at_wish(**says) -> Patient:
    patient = asking(**says)
    patient.walk_to("appointment")
    return patient


def test_a_patient_asks_for_an_appointment_in_six_pages():
    patient = Patient(reason_text="My veins ache.")
    page = patient.whole_journey("/appointments/")
    assert [p.step for p in patient.seen] == [
        "appointments",
        "safety",
        "reason",
        "veins",
        "arteries",
        "contact",
        "appointment",
        "check",
        "sent",
    ]
    submission = Submission.objects.get()
    assert submission.reference in page.text
    assert (submission.kind, submission.urgency) == (Kind.APPOINTMENT, Urgency.ROUTINE)
    assert submission.answers == {
        "em_now": ["none"],
        "em_past": ["none"],
        "who": "self",
        "age_years": 44,
        "reason_text": "My veins ache.",
        "leg_new": ["none"],
        "foot_signs": ["none"],
    }
    assert submission.person["been_here"] == "new"
    assert AppointmentRequest.objects.get().visit_type == WISH["visit_type"]


@pytest.mark.usefixtures("both_served", "roomy")
@pytest.mark.parametrize(
    ("says", "urgency"),
    [
        ({"leg_new": ("swelling_one",), "clot_risk": ("none",)}, Urgency.SAME_DAY),
        ({"foot_signs": ("night_foot_pain",)}, Urgency.SAME_DAY),
        ({"reason_text": "my left foot is ice cold and white since an hour"}, Urgency.EMERGENCY),
    ],
)
@pytest.mark.parametrize("name", protocols.available())
def test_danger_is_asked_about_and_heard_here_too(name, says, urgency):
    patient = Patient(visit_reason="aching", **says)
    patient.whole_journey(f"/appointments/{name}/")
    submission = Submission.objects.get()
    assert (submission.kind, submission.urgency) == (Kind.APPOINTMENT, urgency)
    assert submission.escalate_at is not None


def test_a_foot_that_turned_cold_today_stops_here_too():
    patient = asking()
    patient.walk_to("arteries")
    patient.answer(foot_signs=("cold_pale_one",))
    page = patient.answer(cold_since="today")
    assert (page.step, page.red_card) == ("emergency", True)


def test_the_front_desk_reads_whether_the_patient_is_new():
    patient = asking(been_here="known")
    patient.walk_to("contact")
    page = patient.answer(been_here=None)
    assert (page.status, page.errors) == (422, ["Choose one answer."])
    patient.walk_to("check")
    patient.send()
    submission = Submission.objects.get()
    text = words(builders.staff_client("front desk").get(desk_page_of(submission)))
    assert "At our clinic before Yes" in text


def test_these_pages_do_not_count_as_parts_of_twelve():
    patient = Patient()
    patient.whole_journey("/appointments/")
    assert not any("1 of 1" in page.text for page in patient.seen)


def test_the_safety_page_stops_here_too():
    patient = asking()
    page = patient.answer(em_now=("cold_leg_sudden",))
    assert page.red_card
    patient.press("mistake")
    patient.says["em_now"] = ("none",)
    patient.walk_to("check")
    patient.send()
    assert Submission.objects.get().urgency == Urgency.SAME_DAY


def test_the_clinic_can_be_told_from_here_too():
    patient = asking()
    patient.answer(em_now=("cold_leg_sudden",))
    patient.press("tell", {"phone": "202-555-0147", "name": ""})
    submission = Submission.objects.get()
    assert (submission.kind, submission.urgency) == (Kind.STOPPED, Urgency.EMERGENCY)


def test_no_page_of_the_questionnaire_is_reached():
    patient = asking()
    patient.answer()
    assert patient.get(step_url("about")).step == "reason"
    assert patient.post(step_url("about"), {"who": "self"}).status == 409


def test_who_asks_for_somebody_else_gives_their_own_name():
    patient = asking(who="caregiver", proxy_name=None)
    patient.walk_to("contact")
    page = patient.answer()
    assert page.status == 422
    assert "Enter your own name." in page.errors
    patient.answer(proxy_name="Petra Canary")
    patient.walk_to("check")
    assert "Petra Canary" in patient.page.text


def test_a_questionnaire_under_way_is_not_overwritten_by_asking_for_an_appointment():
    patient = Patient()
    patient.start()
    patient.walk_to("rls")
    asked = [["continue"], ["mine", "shared"]]
    page = patient.get("/appointments/")
    assert [form.buttons for form in page.forms] == asked
    page = patient.post("/appointments/", {"device": "mine"})
    assert [form.buttons for form in page.forms] == asked, "it is asked, not done"
    assert Draft.objects.get().kind == Kind.INTAKE
    sure = patient.press("mine")
    patient.post("/appointments/", sure.forms[1].values)
    assert Draft.objects.get().kind == Kind.APPOINTMENT


def test_answers_of_the_questionnaire_do_not_count_for_an_appointment():
    patient = asking()
    patient.walk_to("check")
    assert "Restless legs" not in patient.page.text
    patient.send()
    assert Submission.objects.get().result.computed["rls_pattern"] in (None, "none")


# --- the wish ------------------------------------------------------------------------------------


def test_only_the_kind_of_visit_has_to_be_chosen():
    patient = at_wish(days=None, times=None)
    page = patient.answer(visit_type=None)
    assert page.status == 422
    assert page.errors == ["Choose one answer."]
    page = patient.answer()
    assert page.step == "check"
    patient.send()
    wish = AppointmentRequest.objects.get()
    assert (wish.wishes, wish.earliest) == ([], None)


def test_a_date_not_before_is_kept():
    day = timezone.localdate() + timedelta(days=30)
    patient = at_wish(**typed_date("earliest", day))
    patient.answer()
    assert date_words(day.isoformat()) in patient.page.text
    patient.send()
    assert AppointmentRequest.objects.get().earliest == day


@pytest.mark.parametrize(
    ("days", "complaint"),
    [(-1, "This date is in the past."), (400, "Choose a date within the next 12 months.")],
)
def test_a_date_that_cannot_be_is_asked_for_again(days, complaint):
    day = timezone.localdate() + timedelta(days=days)
    patient = at_wish()
    page = patient.answer(**typed_date("earliest", day))
    assert page.status == 422
    assert complaint in page.text
    assert page.form.values["earliest_year"] == [str(day.year)]
    assert page.form.values["days"] == ["mon", "thu"]


@pytest.mark.usefixtures("fresh_pages")
def test_a_place_is_asked_for_where_there_are_several(settings):
    settings.CLINIC_PLACES = ["Main clinic", "North clinic"]
    patient = at_wish(place="North clinic")
    assert "place" in patient.page.form.asked
    patient.answer()
    patient.send()
    assert AppointmentRequest.objects.get().wishes[0]["place"] == "North clinic"


@pytest.mark.usefixtures("fresh_pages")
def test_a_place_need_not_be_chosen(settings):
    settings.CLINIC_PLACES = ["Main clinic", "North clinic"]
    patient = at_wish()
    assert patient.answer().step == "check"
    patient.send()
    assert [wish["place"] for wish in AppointmentRequest.objects.get().wishes] == [""]


def test_a_visit_that_is_not_in_person_has_no_place():
    patient = at_wish(visit_type="video")
    patient.answer()
    patient.send()
    assert [w["place"] for w in AppointmentRequest.objects.get().wishes] == [""]


def test_the_wish_can_be_changed_from_the_check_page():
    patient = at_wish()
    patient.answer()
    patient.change("appointment")
    assert patient.page.form.values["days"] == ["mon", "thu"]
    page = patient.answer(visit_type="phone")
    assert page.step == "check"
    assert "By phone" in page.text
