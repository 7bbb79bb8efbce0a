"""What a patient reads: advice panels, promises that can be kept, this clinic's numbers."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic import hours
from clinic.opening_hours import ClinicHours
from intake.models.submissions import Submission
from intake.protocols import current
from tests.intake.patient import Page, Patient, step_url

pytestmark = pytest.mark.django_db

SWOLLEN = {"leg_new": ("swelling_one",), "clot_risk": ("none",)}


def rule(rule_id: str):
    return current().rule(rule_id)


def panels(page: Page) -> list[str]:
    """Return the text of each panel on the page."""
    found = re.findall(r'<div class="card(?: today)?"><h2>(.*?)</div>', page.html, re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", text).split()) for text in found]


def after(step: str, **says) -> Patient:
    """Return a patient who has just answered a page."""
    patient = Patient(**says)
    patient.start()
    patient.walk_to(step)
    patient.answer()
    return patient


def at_check(**says) -> Patient:
    patient = Patient(**says)
    patient.start()
    patient.walk_to("check")
    return patient


# --- where it is shown ---------------------------------------------------------------------------


def test_a_same_day_sign_is_answered_on_the_very_next_page():
    patient = after("veins", **SWOLLEN)
    assert patient.page.step == "veins-2"
    (panel,) = panels(patient.page)
    assert panel.startswith("Today")
    assert rule("S01").advice in panel


def test_the_panel_is_still_there_when_that_page_comes_back_with_an_error():
    patient = after("veins", **SWOLLEN)
    patient.answer(clot_risk=None)
    assert patient.page.status == 422
    assert rule("S01").advice in panels(patient.page)[0]


def test_the_panel_does_not_follow_the_patient_but_comes_again_before_and_after_sending():
    patient = after("veins", **SWOLLEN)
    patient.answer()
    while patient.page.step != "check":
        assert panels(patient.page) == []
        patient.answer()
    assert rule("S01").advice in panels(patient.page)[0]
    patient.send()
    assert rule("S01").advice in panels(patient.page)[0]


def test_two_same_day_signs_have_a_panel_each():
    patient = after("veins", leg_new=("red_warm", "sore_vein_above"), clot_risk=("none",))
    assert len(panels(patient.page)) == 2


def test_a_sign_taken_back_takes_its_panel_along():
    patient = after("veins", **SWOLLEN)
    patient.get(step_url("veins"))
    patient.says["leg_new"] = ("none",)
    patient.answer()
    assert panels(patient.page) == []


def test_alarming_words_are_answered_too():
    patient = after("reason", reason_text="I have had chest pain since Monday")
    assert panels(patient.page) == []  # this page asks about the words
    text = patient.answer().text
    assert text.index(rule("DE2").advice) < text.index(rule("S16").advice)


def test_an_ordinary_patient_sees_no_panel_anywhere():
    patient = Patient()
    patient.whole_journey()
    for page in patient.seen:
        if page.step != "sent":
            assert panels(page) == []


def test_a_wish_not_to_wake_up_shows_the_crisis_line_and_goes_on(settings):
    settings.SI_SCREEN = True
    patient = after("mood", si_screen="passive")
    page = patient.page
    assert page.step == "contact"
    (panel,) = panels(page)
    assert panel.startswith("Talk to someone now")
    assert rule("S12").advice in panel
    assert page.links_to("tel:988")
    assert page.links_to("sms:988")
    patient.walk_to("check")
    assert rule("S12").advice in panels(patient.page)[0]
    patient.send()
    assert rule("S12").advice in panels(patient.page)[0]
    assert Submission.objects.get().urgency_code == "same_day"


# --- promises ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("clinic_open")
def test_a_call_is_promised_once_a_number_is_stored_and_the_receipt_says_by_when():
    promise = "We will call you within 2 clinic hours. If you have not heard from us by then, go to"
    patient = after("veins", **SWOLLEN)
    assert promise not in patient.page.text
    patient.walk_to("check")
    assert promise in patient.page.text
    patient.send()
    assert promise not in patient.page.text
    assert "A clinician reads your answers today, by " in patient.page.text
    assert "go to urgent care or an emergency room." in patient.page.text


@pytest.mark.usefixtures("clinic_closed")
def test_when_closed_the_way_to_urgent_care_leads_and_nothing_is_promised():
    closed = rule("S01").closed
    patient = at_check(**SWOLLEN)
    patient.send()
    shown = [page for page in patient.seen if panels(page)]
    for page in (*shown[:2], patient.page):
        (panel, *_rest) = panels(page)
        assert panel.index(closed) < panel.index(rule("S01").advice)
        assert "We will call you within" not in page.text
    assert "No one here reads this before" in patient.page.text
    assert "Go to urgent care or an emergency room today. Do not wait for us." in patient.page.text
    assert "today, by" not in patient.page.text


@pytest.mark.usefixtures("clinic_open")
def test_when_open_nobody_is_sent_elsewhere():
    patient = at_check(**SWOLLEN)
    patient.send()
    assert not any(rule("S01").closed in page.text for page in patient.seen)
    assert "A clinician reads your answers today, by " in patient.page.text


@pytest.mark.usefixtures("clinic_open")
def test_an_emergency_in_own_words_leads_the_receipt_and_is_promised_nothing_by_a_time():
    words = "My left foot is ice cold and white since this morning"
    page = Patient(reason_text=words, **SWOLLEN).whole_journey()
    assert Submission.objects.get().urgency_code == "emergency"
    first, second = page.html.index('<div class="card now">'), page.html.index("card today")
    assert first < page.html.index(rule("DE1").advice) < second
    assert (
        "We are telling a clinician about your answers now. Do not wait to hear from us."
        in page.text
    )
    assert "reads your answers today" not in page.text
    assert "A new swollen leg needs to be checked today." not in page.text


@pytest.mark.usefixtures("clinic_open")
def test_shortly_before_closing_nobody_is_told_to_wait_for_tomorrow(settings):
    now = timezone.now().astimezone(hours.current().zone)
    closing = now + timedelta(hours=1)
    settings.CLINIC_HOURS = replace(
        hours.current(), week=(((0, closing.hour * 60 + closing.minute),),) * 7
    )
    page = Patient(**SWOLLEN).whole_journey()
    assert f"We close at {hours.clock_words(closing)}." in page.text
    assert "go to urgent care or an emergency room today" in page.text
    assert "today, by" not in page.text


@pytest.mark.usefixtures("clinic_open")
def test_who_was_not_called_in_time_is_told_to_call():
    patient = Patient(**SWOLLEN)
    patient.whole_journey()
    Submission.objects.update(target_at=timezone.now() - timedelta(minutes=1))
    page = patient.get("/intake/sent/")
    assert "You should have heard from us by now." in page.text


FIVE_SIGNS = {
    "leg_new": ("swelling_one", "calf_thigh_pain", "red_warm_fever", "red_warm", "sore_vein_above"),
    "clot_risk": ("none",),
}


def test_at_most_three_panels_are_shown_and_the_rest_is_folded_away():
    patient = Patient(**FIVE_SIGNS)
    patient.whole_journey()
    shown = [page for page in patient.seen if panels(page)]
    assert {page.path for page in shown} >= {"/intake/check/", "/intake/sent/"}
    for page in shown:
        assert len(panels(page)) <= 3
        if len(panels(page)) == 3:
            assert page.text.count("More advice that fits your answers") == 1
    assert "Until then" not in patient.page.text  # advice of less urgent levels is left out


@pytest.mark.usefixtures("clinic_closed")
def test_a_panel_with_words_of_its_own_for_the_night_uses_them(settings):
    settings.SI_SCREEN = True
    patient = after("mood", si_screen="passive")
    (panel,) = panels(patient.page)
    assert rule("S12").closed in panel
    assert current().level("same_day").closed not in panel


FOOT_SORE = {
    "vein_look": ("open_sore",),
    "wound_time": "ge_2w",
    "wound_signs": ("on_foot_toe",),
    "vein_bleed": "never",
    "vein_sx": ("none",),
}


@pytest.fixture
def clinic_opens_soon(settings) -> str:
    """Close the clinic for some hours. Return the day and the hour of the opening in words."""
    zone = f"Etc/GMT{min(timezone.now().hour - 10, 12):+d}"
    settings.CLINIC_HOURS = ClinicHours.parse("Mon-Sun 14:00-17:00", [], zone)
    now = timezone.now()
    return hours.day_words(hours.current().next_opening(now), now)


def test_who_may_wait_for_the_opening_reads_day_and_hour_on_every_page(clinic_opens_soon):
    patient = Patient(**FOOT_SORE)
    patient.whole_journey()
    shown = [page for page in patient.seen if panels(page)]
    assert len(shown) >= 3
    for page in shown:
        assert f"opens on {clinic_opens_soon}. You can wait for us until then" in page.text
        assert "emergency room today" not in page.text
    assert f"We open on {clinic_opens_soon}. A clinician reads your answers" in patient.page.text
    assert "Do not wait to hear from us" not in patient.page.text


def test_one_sign_that_may_not_wait_sends_the_patient_elsewhere(clinic_opens_soon):
    patient = Patient(**FOOT_SORE | SWOLLEN)
    patient.whole_journey()
    shown = [page for page in patient.seen if panels(page)]
    assert len(shown) >= 4
    assert all("You can wait for us" not in page.text for page in shown)
    assert rule("S01").closed in patient.page.text
    assert "Do not wait to hear from us" in patient.page.text


@pytest.mark.usefixtures("clinic_open")
def test_before_closing_who_may_wait_reads_when_we_open_again(settings):
    now = timezone.now().astimezone(hours.current().zone)
    closing = now + timedelta(hours=1)
    settings.CLINIC_HOURS = replace(
        hours.current(), week=(((0, closing.hour * 60 + closing.minute),),) * 7
    )
    page = Patient(**FOOT_SORE).whole_journey()
    assert "a clinician reads your answers when we open, " in page.text
    assert "emergency room today" not in page.text


@pytest.mark.usefixtures("clinic_closed")
def test_a_routine_request_sent_at_night_is_not_sent_to_urgent_care():
    patient = Patient()
    page = patient.whole_journey()
    assert "urgent care" not in page.text


# --- the receipt ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("clinic_open")
@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ({}, "We read your answers and aim for the visit within 12 weeks."),
        ({"drowsy_drive": "drowsy"}, "We read your answers and aim for the visit within 6 weeks."),
        ({"drowsy_drive": "fell_asleep"}, "A nurse reads your answers and contacts you by "),
        (SWOLLEN, "A clinician reads your answers today, by "),
    ],
    ids=["routine", "soon", "urgent", "same day"],
)
def test_the_receipt_says_what_happens_next_and_by_when(says, expected):
    patient = Patient(**says)
    assert expected in patient.whole_journey().text


@pytest.mark.usefixtures("clinic_open")
def test_the_target_is_counted_in_opening_hours():
    Patient(**SWOLLEN).whole_journey()
    submission = Submission.objects.get()
    assert hours.current().open_time_between(
        submission.submitted_at, submission.target_at
    ).total_seconds() == pytest.approx(7200)
    assert submission.target_at > timezone.now()


def test_the_receipt_gives_advice_but_no_score_and_no_diagnosis():
    patient = Patient(
        rls_freq="d6_7", lr7_days=7, lr7_nights=7, lr7_strength=10, lr7_interfere="lot"
    )
    page = patient.whole_journey()
    submission = Submission.objects.get()
    assert submission.result.computed["lr7_total"] == 30
    for fired in submission.result.fired:
        assert fired.advice in page.text
        assert fired.reason not in page.text
        assert fired.id not in page.text
    assert "30 of 30" not in page.text
    assert "LR7" not in page.text


def test_at_most_three_texts_stand_open_on_the_receipt():
    patient = Patient(
        drowsy_drive="fell_asleep",
        vein_look=("brown_skin", "open_sore"),
        wound_time="ge_2w",
        wound_signs=("none",),
        vein_bleed="over_7d",
        swell_long="one_long",
        vein_sx=("none",),
        phq2_down="nearly_every_day",
    )
    page = patient.whole_journey()
    fired = Submission.objects.get().result.fired
    assert len(fired) > 4
    shown, folded = page.html.split("<details>")
    open_texts = [f for f in fired if f.advice.split(".")[0] in shown]
    assert len(open_texts) == 3
    assert all(f.advice.split(".")[0] in folded for f in fired if f not in open_texts)


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("fresh_pages", "clinic_closed")
def test_another_country_has_other_numbers_everywhere(settings):
    settings.EMERGENCY_NUMBER, settings.CRISIS_LINE = "112", "116123"
    settings.SI_SCREEN = True
    patient = Patient(si_screen="passive", **SWOLLEN)
    patient.whole_journey()
    patient.get("/intake/leave/")
    patient.press("leave")
    patient.get("/appointments/")
    patient.start()
    patient.answer(em_now=("chest_or_breath", "bleeding_now"))
    assert patient.page.red_card
    child = Patient(age_years=12)
    child.start()
    child.walk_to("about")
    child.answer()
    for page in patient.seen + child.seen:
        assert not re.search(r"\b(911|988)\b", page.html), page.url
        assert page.links_to("tel:112"), page.url
