"""The page that asks about words of danger, over HTTP, and the answer as staff see it."""

import pytest
from django.conf import settings as site
from django.db import connection

from intake.models.submissions import Draft, RuleCount, Submission, Urgency
from intake.my_page import replies
from intake.protocols import current
from intake.questionnaire import drafts
from tests import builders
from tests.desk import page_of, words
from tests.intake.patient import Patient, step_url
from tests.intake.questionnaire.stops import Down, advice_of, is_stop_page, tell
from tests.intake.questionnaire.veil import leave_alone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roomy")]

WORDS = "I wanted to ask about iron. My left foot went ice cold an hour ago, no chest pain."
QUOTE = "My left foot went ice cold an hour ago, no chest pain."
HARM = "honestly I want to unalive myself"
LEVELS = {"now": "emergency", "passed": "emergency", "longer_ago": "same_day", "other": "same_day"}
# rule that stops the form → (the patient's words, the question, the answer)
STOPPING = {
    "DA1": (WORDS, "reason_when", "now"),
    "DA2": (HARM, "reason_crisis", "has_done"),
    "E08": (HARM, "reason_crisis", "might"),
    "DP1": (WORDS, "reason_when", "passed"),
    "DP2": ("coughing up blood", "reason_when", "passed"),
    "DP3": ("cara torcida", "reason_when", "passed"),
    "DP4": ("I passed out and my chest hurt", "reason_when", "passed"),
    "DP9": ("took a bunch of my gabapentin to make it stop", "reason_when", "passed"),
    "DP13": ("I take warfarin and hit my head", "reason_when", "passed"),
}


def asked(text: str = WORDS, url: str = "/intake/", step: str = "reason-3") -> Patient:
    """Return a patient on the page that asks about the words of danger in `text`."""
    patient = Patient(reason_text=text)
    patient.start(url)
    patient.walk_to("reason")
    patient.answer()
    assert patient.page.step == step
    return patient


@pytest.mark.parametrize("language", ["", "/es"])
def test_the_call_button_leads_then_the_words_and_four_answers(language: str) -> None:
    page = asked(url=f"{language}/intake/").page
    assert page.html.index("tel:911") < page.html.index("My left ") < page.html.index('value="now"')
    assert "<mark>foot</mark>" in page.html
    assert QUOTE in page.text
    assert "iron" not in page.text
    assert page.form.asked == ["reason_when"]
    assert page.form.controls["reason_when"].offered == list(LEVELS)
    assert page.form.buttons[0] == "continue"
    assert "<script" not in page.html.split("<main")[1]
    assert "cold" not in page.url


@pytest.mark.parametrize("rule", STOPPING)
def test_what_is_dangerous_now_stops_as_a_tick_does(rule: str) -> None:
    text, question, answer = STOPPING[rule]
    patient = asked(text, step=current().page_of(question).id)
    page = patient.answer(**{question: answer})
    assert page.path == "/intake/emergency/"
    assert is_stop_page(patient)
    assert advice_of(rule) in page.text
    told = tell(patient)
    stored = Submission.objects.get()
    assert (stored.kind, stored.urgency) == ("stopped", Urgency.EMERGENCY)
    assert stored.escalate_at is not None
    assert stored.reference in told.text


def test_taken_back_it_asks_again_and_stays_the_same_day() -> None:
    patient = asked()
    patient.answer(reason_when="now")
    assert patient.press("mistake").step == "reason-3"
    patient.answer(reason_when="other")
    patient.walk_to("check")
    patient.send()
    stored = Submission.objects.get()
    assert stored.urgency == Urgency.SAME_DAY
    assert {"S18", "DA4"} <= {rule.id for rule in stored.result.fired}


@pytest.mark.usefixtures("clinic_closed")
@pytest.mark.parametrize("language", ["", "/es"])
@pytest.mark.parametrize("answer", ["longer_ago", "other"])
def test_not_now_is_read_first_when_open_and_sends_nobody_away(answer: str, language: str) -> None:
    patient = asked(url=f"{language}/intake/")
    page = patient.answer(reason_when=answer)
    card = page.html.split('class="card today"')[1].split("</div>")[0]
    assert "911" in card
    assert "emerg" not in card
    assert "{opening}" not in card
    assert "a.m." in card or "am" in card
    patient.walk_to("check")
    patient.send()
    stored = Submission.objects.get()
    assert stored.urgency == Urgency.SAME_DAY
    assert [rule.id for rule in stored.result.fired] == ["DA4"]


@pytest.mark.parametrize("leaves", ["continue", "elsewhere", "save", "old tab"])
def test_without_an_answer_it_counts_as_yes(leaves: str) -> None:
    patient = asked()
    assert Draft.objects.get() is not None
    if leaves == "continue":
        page = patient.answer()
        assert current().rule("DE1").advice in page.text
        patient.walk_to("check")
        patient.send()
        assert Submission.objects.get().urgency == Urgency.EMERGENCY
        assert Submission.objects.get().escalate_at is not None
        return
    if leaves == "elsewhere":
        assert patient.get(step_url("veins")).step == "reason-3"
        assert patient.get("/intake/check/").step == "reason-3"
        patient.client.post(step_url("rls"), {"rls_urge": "no"})
    elif leaves == "save":
        assert patient.press("save").path == "/intake/save/"
    else:
        old = {**patient.filled(reason_when="other")}
        patient.get(step_url("reason"))
        patient.answer(reason_text=WORDS + " Now my chest hurts too.")
        page = patient.post(step_url("reason-3"), {**old, "go": "continue"})
        assert page.status == 409
        assert "What you wrote has changed." in page.text
    assert drafts.walk_of(patient.draft).assessment.urgency == "emergency"
    drafts.delete(draft=patient.draft)
    assert RuleCount.objects.get(rule="DE1").untold == 1


def test_the_same_words_are_asked_about_once_and_new_ones_again() -> None:
    patient = asked()
    patient.answer(reason_when="other")
    patient.walk_to("check")
    patient.change("reason")
    assert patient.answer().step == "check"
    patient.change("reason")
    assert patient.answer(reason_text=WORDS + " Thank you!").step == "check"
    patient.change("reason")
    assert patient.answer(reason_text=WORDS + " My chest hurts.").step == "reason-3"
    assert patient.page.form.values.get("reason_when") is None
    assert patient.answer(reason_when="longer_ago").step == "check"
    assert "Longer ago" in patient.page.text
    patient.change("reason")
    assert patient.answer(reason_text="Sore legs.").step == "check"
    assert "Longer ago" not in patient.page.text


def test_self_harm_has_its_own_page_without_the_words() -> None:
    patient = asked(HARM + ". My left foot is ice cold.", step="reason-2")
    page = patient.page
    assert (
        page.html.index("tel:988")
        < page.html.index("tel:911")
        < page.html.index('value="has_done"')
    )
    assert "unalive" not in page.html
    assert "://" not in page.html.split("<main")[1]
    page = patient.answer(reason_crisis="neither")
    assert page.step == "reason-3"
    assert "unalive" not in page.html
    patient.answer(reason_when="other")
    assert "Talk to someone now" in patient.page.text
    patient.walk_to("check")
    patient.send()
    stored = Submission.objects.get()
    assert stored.urgency == Urgency.SAME_DAY
    assert {rule.id for rule in stored.result.fired} == {"DA3", "DA4"}


def test_something_taken_names_poison_control_and_911_first() -> None:
    patient = asked(HARM, step="reason-2")
    html = patient.answer(reason_crisis="has_done").html
    places = [html.index(link) for link in ('"tel:911"', '"tel:18002221222"', '"tel:988"')]
    assert places == sorted(places)


def test_after_the_device_was_left_alone_the_page_hides_the_words() -> None:
    patient = asked()
    leave_alone()
    page = patient.get(step_url("reason-3"))
    assert "foot" not in page.text
    assert "Something that you wrote may be an emergency." in page.text
    assert patient.answer(reason_when="now").path == "/intake/emergency/"


@pytest.mark.parametrize("answer", ["now", "passed"])
def test_without_the_database_or_a_draft_now_still_leads_to_the_numbers(answer: str) -> None:
    data = {"reason_when": answer, "go": "continue"}
    stranger = Patient()
    stranger.post(step_url("reason-3"), data)
    assert is_stop_page(stranger) == (answer == "now")
    patient = asked()
    with connection.execute_wrapper(Down()):
        page = patient.post(step_url("reason-3"), data)
    assert page.links_to("tel:911")
    assert page.status == (200 if answer == "now" else 503)


def test_a_request_for_a_visit_is_asked_about_too() -> None:
    patient = asked(url="/appointments/")
    patient.answer(reason_when="longer_ago")
    patient.walk_to("check")
    patient.send()
    stored = Submission.objects.get()
    assert (stored.kind, stored.urgency) == ("appointment", Urgency.SAME_DAY)
    assert "DA4" in {rule.id for rule in stored.result.fired}


def test_an_addition_and_medicines_are_asked_about_too() -> None:
    patient = Patient(meds_list="I take warfarin and hit my head")
    patient.start()
    patient.walk_to("meds-3")
    assert "warfarin" in patient.page.text
    patient.answer(meds_when="other")
    patient.walk_to("check")
    patient.send()
    sent = Submission.objects.get()
    assert "DA4" in {rule.id for rule in sent.result.fired}
    _draft, key = replies.begin_addition(submission=sent, language="en")
    adding = Patient(reason_text=WORDS)
    adding.client.cookies[site.DRAFT_COOKIE_NAME] = key
    adding.get(step_url("safety"))
    adding.walk_to("reason-3")
    assert QUOTE in adding.page.text
    adding.walk_to("check")
    adding.send()
    assert Submission.objects.latest("submitted_at").urgency == Urgency.EMERGENCY


def test_staff_read_the_words_with_the_answer(settings) -> None:
    settings.CRISIS_PROCEDURE = "Red binder, page 4"
    patient = asked()
    patient.answer(reason_when="longer_ago")
    patient.walk_to("check")
    patient.send()
    stored = Submission.objects.get()
    assert stored.answers["reason_when"] == "longer_ago"
    client = builders.staff_client()
    page = client.get(page_of(stored))
    assert "foot … ice; foot … cold” When did this happen to the patient" in words(page)
    assert "Longer ago, or it is about somebody else" in words(page)
    assert '<mark class="heard answered">foot</mark>' in page.text
    assert "Red binder" not in words(page)
    silent = Patient(reason_text=HARM)
    silent.whole_journey()
    page = client.get(page_of(Submission.objects.latest("submitted_at")))
    assert "not answered, counts as yes" in words(page)
    assert "Red binder, page 4" in words(page)
