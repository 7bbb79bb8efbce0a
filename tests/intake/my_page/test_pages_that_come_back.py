"""On the own page, what cannot be done comes back by a redirect, and nothing typed is lost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from intake.models.access import Challenge, Grant
from intake.models.appointments import Appointment
from intake.models.submissions import Communication, Draft, Submission, Urgency
from tests import builders
from tests.intake import book
from tests.intake.my_visit import inside, visit
from tests.intake.patient import Page, Patient, step_url
from tests.intake.questionnaire.stops import Down
from tests.intake.way_in import asking, code_in, enter, letters, saved

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("roomy", "codes_without_limit", "lee"),
]
WORD = "zq-7f3k"
DANGER = "I have chest pain"
TITLE = "Which answers do you want to keep?"


@pytest.fixture(autouse=True)
def _slots(settings) -> None:
    settings.APPOINTMENT_MODE = "slots"


def gone() -> str:
    slot = book.free(7)
    book.booked(book.patient(5), slot)
    return slot.key


# the address, what is posted there, the status of the page that is shown, and a word of that page
Case = tuple[str, dict[str, Any] | Callable[[], dict[str, Any]], int, str]
CASES: dict[str, Case] = {
    "an empty message": ("/my/reply/", {"text": "", "second": "no"}, 422, "Write something"),
    "a long message": ("/my/reply/", {"text": WORD * 400}, 422, WORD),
    "another language": ("/es/my/reply/", {"text": WORD, "language": "es"}, 200, WORD),
    "no time": ("/my/times/", {"go": "continue"}, 422, "Choose a time."),
    "a time that is gone": (
        "/my/times/",
        lambda: {"slot": gone(), "go": "continue"},
        409,
        "That time is no longer free. Nothing was booked.",
    ),
    "later days": ("/my/times/", {"go": "later", "next": "2099-01-01"}, 200, "Choose a time"),
    "a time to confirm": (
        "/my/times/",
        lambda: {"slot": book.free(8).key, "go": "continue"},
        200,
        "Is this the time?",
    ),
    "no offer": ("/my/offer/", {"go": "accept"}, 409, "Choose one of the times"),
    "danger": ("/my/reply/", {"text": DANGER}, 200, "Get help now"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_answer_to_a_post_is_a_redirect_and_a_reload_shows_the_same(case):
    url, posted, status, words = CASES[case]
    patient = inside(book.patient())
    data = posted() if callable(posted) else posted
    page = patient.post(url, data)
    assert patient.requests[-2][2].status_code == 303
    assert (page.status, words in page.html) == (status, True), page.text
    for _again in range(2):
        assert patient.get(page.url).text == page.text
    assert WORD not in str([url for _method, url, _response in patient.requests])
    with connection.cursor() as cursor:
        cursor.execute("select string_agg(g::text, '') from intake_grant g")
        assert WORD.encode().hex() not in cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("typed", "says"),
    [("", "Enter the code."), ("2222-2222", "This code does not open anything.")],
)
def test_a_wrong_code_comes_back_by_a_redirect_until_it_is_right(typed, says):
    submission = builders.submission()
    patient = asking(submission.reference)
    letters()
    page = enter(patient, typed)
    assert patient.requests[-2][2].status_code == 303
    assert (page.status, page.path) == (422, "/my/code/")
    assert page.errors[0].startswith(says)
    assert page.form.values["code"] == [typed]
    assert patient.get("/my/code/").errors == page.errors
    patient.post("/my/code/", {"go": "again"})
    assert (patient.page.status, patient.page.errors) == (200, []), "the new code is not wrong yet"
    assert enter(patient, code_in(letters())).path == "/my/"
    assert not Challenge.objects.filter(used_at=None, returned__isnull=False).exists()


def test_a_message_that_did_not_go_is_still_there_on_the_page_until_it_goes():
    patient = inside(book.patient())
    patient.post("/my/reply/", {"text": WORD * 400})
    page = patient.get("/my/")
    assert (page.status, page.errors) == (200, [])
    assert WORD in page.html
    patient.post("/my/offer/", {"go": "accept"})
    assert WORD in patient.page.html, "what else is done on the page does not clear it"
    patient.post("/my/reply/", {"text": "It itches."})
    assert patient.page.form.values["text"] == [""]
    assert Grant.objects.get().returned is None


def test_what_the_clinic_did_not_do_is_said_until_the_patient_does_something():
    patient = inside(book.patient())
    assert patient.post("/my/offer/", {"go": "accept"}).status == 409
    assert patient.get("/my/").status == 409
    patient.post("/my/reply/", {"text": "It itches."})
    assert patient.page.status == 200
    assert "Choose one of the times" not in patient.page.text


def test_what_was_typed_for_one_request_is_not_shown_for_another():
    first, second = book.patient(0), book.patient(0)
    patient = inside(first)
    Grant.objects.update(submissions=[first.pk, second.pk])
    patient.post("/my/reply/", {"text": WORD * 400})
    patient.post("/my/choose/", {"reference": second.reference})
    assert second.reference in patient.page.text
    assert WORD not in patient.page.html


# --- emergencies first ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "posted",
    [{"text": f"{DANGER} {WORD * 400}"}, {"text": DANGER, "language": "en"}],
    ids=["too long", "another language"],
)
def test_danger_in_a_message_that_is_not_sent_is_answered_first(posted):
    page = inside(book.patient()).post("/my/reply/", posted)
    assert page.red_card
    assert page.links_to("tel:911")
    assert DANGER in page.html
    assert "we are asking a clinician" not in page.text
    assert not Communication.objects.exists()


def test_danger_is_sent_although_the_question_below_it_has_an_answer_that_we_do_not_offer():
    patient = inside(builders.submission())
    page = patient.post("/my/reply/", {"text": DANGER, "second": "perhaps"})
    assert page.red_card
    assert Communication.objects.get().words["alarm"]
    assert Submission.objects.get().urgency == Urgency.EMERGENCY


@pytest.mark.parametrize("why", ["database", "closed"])
def test_danger_in_a_message_that_cannot_be_sent_is_answered(why):
    patient = inside(book.patient())
    if why == "closed":
        Grant.objects.update(seen_at=timezone.now() - timedelta(minutes=31))
        page = patient.post("/my/reply/", {"text": DANGER})
    else:
        with connection.execute_wrapper(Down()):
            page = patient.post("/my/reply/", {"text": DANGER})
    assert page.status == (403 if why == "closed" else 503)
    assert page.red_card
    assert DANGER in page.html


# --- two windows ----------------------------------------------------------------------------------


@pytest.mark.parametrize("has", ["a visit", "no visit"])
def test_a_confirmation_of_an_older_window_asks_again_and_shows_both_times(has):
    submission = book.patient()
    if has == "a visit":
        book.booked(submission, book.free(10))
    first, second = book.free(7), book.free(8)
    patient = inside(submission)
    windows = []
    for slot in (first, second):
        patient.get("/my/times/")
        windows.append(pick(patient, slot.key))
    one, other = windows
    press(patient, other, "book")
    assert visit(submission).starts == second.start
    page = press(patient, one, "book")
    assert "Is this the time?" in page.text
    assert "This time replaces the appointment on" in page.text
    assert visit(submission).starts == second.start, "nothing is moved unasked"
    patient.press("book")
    assert visit(submission).starts == first.start
    press(patient, page, "book")
    assert patient.page.path == "/my/"
    assert visit(submission).starts == first.start, "pressing twice is once"


def pick(patient: Patient, slot: str) -> Page:
    seen = next(form for form in patient.page.forms if "slot" in form.controls).values
    return patient.press("continue", {**seen, "slot": slot})


def press(patient: Patient, page: Page, button: str) -> Page:
    patient.seen.append(page)
    return patient.press(button)


def test_the_page_that_asks_to_confirm_leads_to_the_list_once_the_hold_is_over():
    patient = inside(book.patient())
    patient.get("/my/times/")
    pick(patient, book.free(7).key)
    Appointment.objects.update(status="expired")
    page = patient.get("/my/times/confirm/")
    assert page.path == "/my/times/"
    assert page.status == 200


# --- a code that opens other answers --------------------------------------------------------------


def two_drafts(**here: Any) -> tuple[Patient, str, str]:
    """Return a patient who saved answers elsewhere, answered here, and has just typed the code.

    Returns the patient, the number of the saved draft and the id of the draft of this browser.
    """
    _elsewhere, number = saved("reason")
    letters()
    patient = Patient(**here)
    patient.start()
    patient.walk_to("about")
    own = str(Draft.objects.get(reference=None).pk)
    patient.get("/intake/resume/")
    patient.post("/intake/resume/", {"reference": number, "address": "quentin.canary@example.org"})
    enter(patient, code_in(letters()))
    return patient, number, own


@pytest.mark.parametrize("keeps", ["here", "found"])
def test_a_code_asks_before_it_replaces_unsent_answers_of_this_browser(keeps):
    patient, number, own = two_drafts()
    page = patient.page
    assert (page.path, TITLE in page.text) == ("/my/which/", True)
    assert Draft.objects.count() == 2
    assert patient.get(step_url("about")).status == 200, "the own answers are still there"
    patient.get("/my/which/")
    page = patient.press(keeps)
    if keeps == "here":
        assert page.step == "about"
        assert set(map(str, Draft.objects.values_list("pk", flat=True))) > {own}
        patient.get("/intake/resume/")  # the saved answers are a code away, as the page says
        patient.post(
            "/intake/resume/", {"reference": number, "address": "quentin.canary@example.org"}
        )
        assert enter(patient, code_in(letters())).path == "/my/which/"
    else:
        assert page.step == "reason"
        assert Draft.objects.get().reference == number
    assert patient.get("/my/which/").path in ("/my/", "/my/which/")


def test_a_code_asks_again_if_the_answers_here_have_changed_since():
    patient, _number, own = two_drafts()
    asked = patient.page
    patient.get(step_url("about"))
    patient.answer()
    page = press(patient, asked, "found")
    assert TITLE in page.text
    assert Draft.objects.filter(pk=own).exists()


def test_a_code_asks_nothing_where_nothing_would_be_lost():
    _elsewhere, number = saved("reason")
    letters()
    patient = Patient()
    patient.start()  # no answer yet
    patient.get("/intake/resume/")
    patient.post("/intake/resume/", {"reference": number, "address": "quentin.canary@example.org"})
    assert enter(patient, code_in(letters())).step == "reason"
    assert patient.get("/my/which/").path == "/my/"
