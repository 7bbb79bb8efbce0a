"""An emergency answer stops the form at once, whatever else is wrong, and is never forgotten."""

from contextlib import ExitStack

import pytest
from django.db import OperationalError, connection
from django.test import Client

from intake.models.appointments import AppointmentRequest
from intake.models.submissions import Draft, Kind, Submission, Urgency
from intake.protocols import current
from tests.desk import Trail
from tests.intake.patient import FORM, Patient, step_url, urlencoded

pytestmark = pytest.mark.django_db

SAFETY = [o.code for o in current().question("em_now").options if o.code != "none"]
PREGNANCY = [o.code for o in current().question("preg_warning").options if o.code != "none"]
PREGNANT = {"sex_at_birth": "female", "pregnancy_status": "pregnant"}
SORE = {"vein_look": ("open_sore",), "wound_time": "lt_2w", "vein_bleed": "never"}

# rule → page, what makes it fire
STOPS = {
    "E08": ("mood", {"si_screen": "active_now"}),
    "E09": ("mood", {"si_screen": "active"}),
    "E10": ("arteries-3", {"foot_signs": ("cold_pale_one",), "cold_since": "today"}),
    "E10 a week": ("arteries-3", {"foot_signs": ("cold_pale_one",), "cold_since": "d2_14"}),
    "E10 unsure": ("arteries-3", {"foot_signs": ("cold_pale_one",), "cold_since": "unsure"}),
    "E11 black toe": ("health", {"foot_signs": ("black_toe",), "conditions": ("diabetes",)}),
    "E11 fever": ("health", {**SORE, "wound_signs": ("fever",), "conditions": ("diabetes",)}),
    "E12 wound": ("veins-3", {**SORE, "wound_signs": ("black_dead", "pus_smell")}),
    "E12 toe": ("arteries-2", {"leg_new": ("red_warm_fever",), "foot_signs": ("black_toe",)}),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _si_screen(settings):
    settings.SI_SCREEN = True


def at_safety(**says) -> Patient:
    patient = Patient(**says)
    patient.start()
    return patient


def advice_of(rule_id: str) -> str:
    return current().rule(rule_id).advice


def is_stop_page(patient: Patient) -> bool:
    return patient.page.red_card and patient.page.links_to("tel:911")


class Down:
    """The database does not answer."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, execute, sql, params, many, context):
        self.asked += 1
        raise OperationalError("server closed the connection unexpectedly")


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
    page = patient.answer(mood_2w="nonsense", si_screen="active_now")
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


# --- stopped, and mended -------------------------------------------------------------------------


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
    assert patient.draft.content["answers"] == {"em_now": ["chest_or_breath"]}


def test_another_answer_by_the_back_button_counts_as_taken_back_too():
    patient = at_safety()
    safety = patient.page
    patient.answer(em_now=("chest_or_breath",))
    page = patient.post(safety.url, {"em_now": "none"})
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
    patient.get(step_url("veins-2"))
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


# --- also tell the clinic ------------------------------------------------------------------------


def stopped(**says) -> Patient:
    patient = at_safety(**says)
    patient.answer(em_now=("chest_or_breath",))
    return patient


def tell(patient: Patient, **typed: str):
    return patient.press("tell", {"phone": "202-555-0147", "name": "", **typed})


def test_telling_the_clinic_leaves_the_number_and_what_was_said_so_far():
    patient, trail = stopped(), Trail()
    page = tell(patient, name="Quentin Canary")
    submission = Submission.objects.get()
    assert page.path == "/intake/emergency/"
    assert page.red_card
    assert advice_of("E02") in page.text
    assert submission.reference in page.text
    assert (submission.kind, submission.urgency) == (Kind.STOPPED, Urgency.EMERGENCY)
    assert submission.person["callback_phone"] == "+12025550147"
    assert submission.person["name"] == "Quentin Canary"
    assert "lang_help" not in submission.person  # nobody was asked
    assert submission.answers == {"em_now": ["chest_or_breath"]}
    assert submission.target_at == submission.submitted_at
    assert [fired.id for fired in submission.result.fired] == ["E02"]
    assert not AppointmentRequest.objects.exists()
    assert [event.action for event in trail.events()] == ["create"]


def test_the_name_is_optional():
    tell(stopped())
    assert Submission.objects.get().person["name"] == ""


@pytest.mark.parametrize("phone", ["", "12", "call me", "+1 202 555", "202-555-0147-99999-1234"])
def test_a_number_that_cannot_be_called_is_asked_for_again_with_what_was_typed(phone):
    patient = stopped()
    page = tell(patient, phone=phone, name="Quentin")
    assert page.status == 422
    assert page.red_card
    assert page.form.values.get("phone", [""]) == [phone]
    assert page.form.values["name"] == ["Quentin"]
    assert not Submission.objects.exists()
    tell(patient)
    assert Submission.objects.count() == 1


def test_told_twice_is_stored_once():
    patient, trail = stopped(), Trail()
    stop_page = patient.page
    tell(patient)
    patient.seen.append(stop_page)
    page = tell(patient)
    assert Submission.objects.count() == 1
    assert Submission.objects.get().reference in page.text
    assert [event.action for event in trail.events()] == ["create"]


def test_after_telling_every_page_leads_to_the_stop_page():
    patient = stopped()
    tell(patient)
    for url in (step_url("safety"), "/intake/check/", "/intake/sent/"):
        assert patient.get(url).path == "/intake/emergency/"
    assert patient.press  # nothing asks for more
    assert not any("mistake" in form.buttons for form in patient.page.forms)


def test_who_stops_at_the_end_keeps_the_contact_given_before():
    patient = at_safety(lang_help="spanish")
    patient.walk_to("check")
    patient.change("safety")
    patient.answer(em_now=("bleeding_now",))
    tell(patient, phone="202-555-0199")
    person = Submission.objects.get().person
    assert person["callback_phone"] == "+12025550199"
    assert person["name"] == "Quentin Canary"
    assert person["lang_help"] == "spanish"
    assert person["email"] == "quentin.canary@example.org"


def test_too_many_sends_keep_the_stop_page_and_what_was_typed(settings):
    settings.LIMIT_INTAKE_SENDS = 1
    tell(stopped())
    patient = stopped()
    page = tell(patient, name="Quentin")
    assert page.status == 429
    assert page.links_to("tel:911")
    assert page.red_card
    assert page.form.values["name"] == ["Quentin"]


@pytest.mark.parametrize("fault", ["database", "token"])
def test_a_number_left_in_a_bad_moment_is_still_there(fault):
    patient = stopped()
    with ExitStack() as stack:
        if fault == "database":
            stack.enter_context(connection.execute_wrapper(Down()))
            page = tell(patient, name="Quentin")
        else:
            patient.client.handler.enforce_csrf_checks = True
            data = {"phone": "202-555-0147", "name": "Quentin", "go": "tell"}
            page = patient._follow(
                "POST",
                "/intake/emergency/",
                patient.client.post("/intake/emergency/", urlencoded(data), **FORM),
            )
    assert page.status == (503 if fault == "database" else 403)
    assert page.links_to("tel:911")
    assert page.form.values["phone"] == ["202-555-0147"]
    assert page.form.values["name"] == ["Quentin"]


@pytest.mark.usefixtures("clinic_open")
def test_a_call_is_promised_only_after_a_number_was_left():
    patient = at_safety()
    patient.walk_to("mood")
    patient.answer(si_screen="active")
    promise = current().rule("E09").promise
    assert promise not in patient.page.text
    tell(patient)
    assert promise in patient.page.text


@pytest.mark.usefixtures("clinic_closed")
def test_when_closed_the_crisis_line_leads_and_no_call_is_promised():
    patient = at_safety()
    patient.walk_to("mood")
    patient.answer(si_screen="active")
    rule = current().rule("E09")
    assert patient.page.text.index(rule.closed) < patient.page.text.index(rule.advice)
    tell(patient)
    assert rule.promise not in patient.page.text


# --- the question about suicide ------------------------------------------------------------------


def test_a_clinic_that_cannot_answer_the_same_day_does_not_ask(settings):
    settings.SI_SCREEN = False
    patient = at_safety()
    patient.walk_to("mood")
    assert patient.page.form.asked == ["mood_2w"]
    assert patient.page.links_to("tel:988")
    page = patient.post(step_url("mood"), {"si_screen": "passive"})
    assert page.status == 422


def test_the_button_by_mistake_cannot_be_pressed_where_nothing_stops():
    patient = at_safety()
    page = patient.post("/intake/emergency/", {"go": "mistake"})
    assert page.step == "safety"
    assert patient.draft.content["stops"] == []
