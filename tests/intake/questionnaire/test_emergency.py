"""An emergency answer stops the form at once, whatever else is wrong, and is never forgotten."""

import pytest
from django.db import connection
from django.test import Client

from intake.models.submissions import Draft, Submission, Urgency
from intake.protocols import current
from tests.desk import Trail
from tests.intake.patient import Patient, step_url
from tests.intake.questionnaire.stops import (
    PREGNANCY,
    PREGNANT,
    SAFETY,
    SORE,
    STOPS,
    Down,
    advice_of,
    at_safety,
    is_stop_page,
    stopped,
    tell,
)
from tests.intake.questionnaire.test_asked import STOPPING

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("crisis_question")]


# --- at once -------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", SAFETY)
def test_every_option_of_the_safety_page_stops_at_once(option):
    patient = at_safety()
    page = patient.answer(em_now=(option,))
    (rule,) = (
        r for r in current().rules.rules if option in str(r.when) and r.inputs == ("em_now",)
    )
    assert page.path == "/intake/emergency/"
    assert is_stop_page(patient)
    assert rule.advice in page.text
    assert not any("book" in text.lower() for _href, text in page.links)


@pytest.mark.parametrize("option", PREGNANCY)
def test_every_warning_sign_of_pregnancy_stops_at_once(option):
    patient = at_safety(**PREGNANT)
    patient.walk_to("about-3")
    page = patient.answer(preg_warning=(option,))
    assert page.path == "/intake/emergency/"
    assert advice_of("E13") in page.text


@pytest.mark.parametrize(("step", "says"), STOPS.values(), ids=STOPS)
def test_every_stopping_rule_stops_on_the_page_that_completes_it(step, says, request):
    rule = request.node.callspec.id.split()[0]
    patient = at_safety(**says)
    patient.walk_to(step)
    page = patient.answer()
    assert page.path == "/intake/emergency/"
    assert page.red_card
    assert advice_of(rule) in page.text
    (stop,) = patient.draft.content["stops"]
    assert (stop["rules"], stop["page"], stop["retracted"]) == ([rule], step, None)


def test_every_stopping_rule_is_tried_here():
    tried = {name.split()[0] for name in STOPS} | {"E13"} | {f"E0{n}" for n in range(1, 8)}
    tried |= set(STOPPING)
    assert tried == {rule.id for rule in current().rules.rules if rule.interrupt is True}


def test_none_of_these_beside_an_emergency_stops_all_the_same():
    patient = at_safety()
    page = patient.answer(em_now=("none", "chest_or_breath"))
    assert page.path == "/intake/emergency/"
    assert advice_of("E02") in page.text


@pytest.mark.parametrize(
    "beside",
    [{"em_now": ("chest_or_breath", "no_such_option")}, {"stranger": "1"}, {"go": "anything"}],
    ids=["unknown option", "unknown field", "unknown button"],
)
def test_other_faults_on_the_safety_page_do_not_hide_an_emergency(beside):
    patient = at_safety()
    page = patient.answer(**{"em_now": ("chest_or_breath",), **beside})
    assert page.path == "/intake/emergency/"


def test_other_faults_on_a_later_page_do_not_hide_an_emergency():
    patient = at_safety(**SORE, wound_signs=("black_dead", "fever"))
    patient.walk_to("veins-3")
    page = patient.answer(wound_time="no_such_time", vein_sx=("nonsense",))
    assert page.path == "/intake/emergency/"
    assert advice_of("E12") in page.text


def test_a_missing_answer_beside_thoughts_of_suicide_does_not_hide_them():
    patient = at_safety()
    patient.walk_to("mood")
    page = patient.answer(phq2_down="nonsense", si_screen="active_now")
    assert page.path == "/intake/emergency/"
    assert "Help is here now" in page.text
    assert page.links_to("tel:988")
    assert page.links_to("sms:988")
    assert page.links_to("tel:911")


def test_an_emergency_is_judged_without_a_draft():
    response = Client().post(step_url("safety"), {"em_now": "cold_leg_sudden"})
    assert response.status_code == 200
    assert advice_of("E01") in response.content.decode()
    assert not Draft.objects.exists()


def test_an_emergency_is_judged_on_a_page_out_of_order():
    patient = at_safety()
    page = patient.post(step_url("mood"), {"si_screen": "active_now"})
    assert page.red_card
    assert advice_of("E08") in page.text


def test_an_emergency_is_judged_when_the_questionnaire_was_sent_already():
    patient = Patient()
    patient.whole_journey()
    page = patient.post(step_url("safety"), {"em_now": "stroke_signs"})
    assert page.status == 200
    assert advice_of("E03") in page.text
    assert Submission.objects.count() == 1


@pytest.mark.parametrize("option", SAFETY)
def test_the_safety_page_needs_no_database_to_send_someone_to_help(option):
    patient = at_safety()
    with connection.execute_wrapper(Down()):
        page = patient.answer(em_now=(option,))
    assert page.status == 200
    assert is_stop_page(patient)


def test_without_a_database_and_without_a_cookie_it_still_sends_to_help():
    with connection.execute_wrapper(Down()):
        response = Client().post(step_url("safety"), {"em_now": "chest_or_breath"})
    assert response.status_code == 200
    assert b"tel:911" in response.content


def test_an_expired_form_does_not_hide_an_emergency():
    strict = Client(enforce_csrf_checks=True)
    response = strict.post(step_url("safety"), {"em_now": "chest_or_breath"})
    assert b"tel:911" in response.content
    assert advice_of("E02") in response.content.decode()


def test_at_most_three_texts_are_shown_first_and_the_rest_is_folded_away():
    patient = at_safety()
    page = patient.answer(em_now=tuple(SAFETY))
    card = page.html.split('id="now-advice"')[1].split("</div>")[0]
    assert card.count("<p>") == 3
    assert page.html.count("<details>") == 1
    for number in range(1, 8):
        assert advice_of(f"E0{number}") in page.text


def test_nobody_is_told_that_the_clinic_watches():
    patient = at_safety()
    page = patient.answer(em_now=("chest_or_breath",))
    assert "No one at the clinic is watching this page." in page.text


def test_nothing_is_sent_to_the_clinic_unasked():
    patient, trail = at_safety(), Trail()
    patient.answer(em_now=("chest_or_breath",))
    assert not Submission.objects.exists()
    assert trail.events() == []


# --- stopped, and corrected ----------------------------------------------------------------------


def test_no_page_is_reached_while_stopped():
    patient = at_safety()
    patient.answer(em_now=("chest_or_breath",))
    for step in ("safety", "about", "contact", "appointment"):
        assert patient.get(step_url(step)).path == "/intake/emergency/"
    assert patient.get("/intake/check/").path == "/intake/emergency/"
    assert patient.post("/intake/check/", {}).path == "/intake/emergency/"
    assert patient.get("/intake/sent/").path == "/intake/"
    page = patient.post(step_url("about"), {"who": "self", "age_years": 44, "sex_at_birth": "male"})
    assert page.path == "/intake/emergency/"
    assert "who" not in patient.draft.content["answers"]


def test_picked_by_mistake_is_recorded_and_a_clinician_calls_the_same_day():
    patient = at_safety()
    patient.answer(em_now=("chest_or_breath",))
    page = patient.press("mistake")
    assert page.step == "safety"
    assert page.form.values["em_now"] == ["chest_or_breath"]
    patient.walk_to("check")
    assert advice_of("S18") in patient.page.text
    patient.send()
    submission = Submission.objects.get()
    assert submission.urgency == Urgency.SAME_DAY
    assert "S18" in [fired.id for fired in submission.result.fired]
    (stop,) = submission.assessment["stops"]
    assert stop["rules"] == ["E02"]
    assert stop["retracted"]


def test_the_mistake_button_alone_changes_nothing_but_the_record():
    patient = at_safety()
    patient.answer(em_now=("chest_or_breath",))
    patient.press("mistake")
    assert patient.get(step_url("about")).path == "/intake/emergency/"
    assert patient.draft.content["answers"]["em_now"] == ["chest_or_breath"]


def test_another_answer_by_the_back_button_counts_as_taken_back_too():
    patient = at_safety()
    safety = patient.page
    patient.answer(em_now=("chest_or_breath",))
    page = patient.post(safety.url, {"em_now": "none", "em_past": "none"})
    assert page.step == "about"
    patient.walk_to("check")
    patient.send()
    submission = Submission.objects.get()
    assert "S18" in [fired.id for fired in submission.result.fired]
    (stop,) = submission.assessment["stops"]
    assert stop["retracted"]


def test_the_same_emergency_sent_again_stays_stopped_and_is_recorded_once():
    patient = at_safety()
    safety = patient.page
    for _click in range(3):
        page = patient.post(safety.url, {"em_now": "chest_or_breath"})
        assert page.path == "/intake/emergency/"
    assert len(patient.draft.content["stops"]) == 1


def test_an_emergency_answer_given_again_stops_again():
    patient = at_safety()
    patient.answer(em_now=("chest_or_breath",))
    patient.press("mistake")
    patient.answer(em_now=("stroke_signs",))
    assert patient.page.path == "/intake/emergency/"
    assert [stop["rules"] for stop in patient.draft.content["stops"]] == [["E02"], ["E03"]]
    assert patient.get(step_url("safety")).path == "/intake/emergency/"


def test_a_page_that_another_window_put_out_of_reach_can_still_be_mended():
    patient = at_safety(vein_sx=("none",), vein_bleed="never")
    patient.walk_to("mood")
    mood = patient.page
    patient.get(step_url("veins"))
    patient.answer(vein_look=("varicose",))
    assert patient.page.step == "veins-3"
    assert patient.post(mood.url, {"si_screen": "active"}).path == "/intake/emergency/"
    assert patient.press("mistake").step == "mood"
    page = patient.answer(si_screen="none")
    assert page.step == "veins-3"


@pytest.mark.parametrize(
    ("says", "stop", "mended"),
    [
        (STOPS["E10"][1], "arteries-3", {"cold_since": "over_12w"}),
        (STOPS["E11 black toe"][1], "health", {"conditions": ("none",)}),
        (STOPS["E09"][1], "mood", {"si_screen": "none"}),
    ],
    ids=["E10", "E11", "E09"],
)
def test_every_kind_of_stop_can_be_mended_on_its_page(says, stop, mended):
    patient = at_safety(**says)
    patient.walk_to(stop)
    patient.answer()
    assert patient.press("mistake").step == stop
    patient.says |= mended
    patient.answer()
    assert not patient.page.red_card
    patient.walk_to("check")
    patient.send()
    assert "S18" in [fired.id for fired in Submission.objects.get().result.fired]


def test_a_change_at_the_end_can_stop_the_form_as_well():
    patient = at_safety()
    patient.walk_to("check")
    patient.change("safety")
    assert patient.answer(em_now=("bleeding_now",)).path == "/intake/emergency/"
    assert patient.post("/intake/check/", {}).path == "/intake/emergency/"
    assert not Submission.objects.exists()


def test_a_change_at_the_end_stopped_by_mistake_comes_back_to_the_check_page():
    patient = at_safety()
    patient.walk_to("check")
    patient.change("safety")
    patient.answer(em_now=("bleeding_now",))
    patient.press("mistake")
    assert patient.answer(em_now=("none",)).path == "/intake/check/"


def test_a_mistake_takes_back_all_that_was_picked_meanwhile():
    patient = at_safety()
    patient.answer(em_now=("chest_or_breath",))
    safety = next(page for page in patient.seen if page.step == "safety")
    patient.post(safety.url, {"em_now": ("chest_or_breath", "bleeding_now")})
    patient.press("mistake")
    stops = patient.draft.content["stops"]
    assert len(stops) == 2
    assert all(stop["retracted"] for stop in stops)


def test_every_stop_page_offers_to_clear_the_device():
    patient = stopped()
    assert patient.page.links_to("/intake/leave/")
    assert tell(patient).links_to("/intake/leave/")


# --- the question about suicide ------------------------------------------------------------------


def test_a_clinic_that_cannot_answer_the_same_day_does_not_ask(settings):
    settings.SI_SCREEN = False
    patient = at_safety()
    patient.walk_to("mood")
    assert patient.page.form.asked == ["phq2_interest", "phq2_down"]
    assert patient.page.links_to("tel:988")
    page = patient.post(step_url("mood"), {"si_screen": "passive"})
    assert page.status == 422


def test_the_button_by_mistake_cannot_be_pressed_where_nothing_stops():
    patient = at_safety()
    page = patient.post("/intake/emergency/", {"go": "mistake"})
    assert page.step == "safety"
    assert patient.draft.content["stops"] == []
