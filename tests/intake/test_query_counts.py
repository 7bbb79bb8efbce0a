"""How many queries each page makes. More queries are a decision, not an accident."""

from datetime import timedelta

import pytest
from django.utils import timezone

from intake.models.submissions import Draft
from intake.questionnaire import usual_minutes
from tests.intake import book
from tests.intake.patient import Patient, step_url

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _usual_minutes_known(db: None) -> None:
    """Read the clinic's usual minutes before a test counts: a process reads them once a minute."""
    usual_minutes.usual.forget()
    usual_minutes.usual.get()


def at(step: str, **says) -> Patient:
    patient = Patient(**says)
    patient.jump_to(step)
    return patient


@pytest.mark.parametrize(
    ("url", "queries"),
    [
        ("/", 0),
        ("/privacy/", 0),
        ("/intake/", 0),
        ("/appointments/", 0),
        ("/intake/refused/", 0),
    ],
)
def test_a_visitor_without_a_draft_asks_the_database_nothing(
    url, queries, django_assert_num_queries
):
    with django_assert_num_queries(queries):
        Patient().get(url)


PAGES = ["safety", "rls-2", "mood", "contact", "appointment"]


@pytest.mark.parametrize("step", PAGES)
def test_looking_at_a_page_is_one_query(step, django_assert_num_queries):
    patient = at(step)
    with django_assert_num_queries(1):
        patient.get(step_url(step))


@pytest.mark.parametrize("step", PAGES)
def test_saving_a_page_is_two_queries(step, django_assert_num_queries):
    patient = at(step)
    typed = patient.filled()
    with django_assert_num_queries(2):
        patient.client.post(step_url(step), typed)


@pytest.mark.parametrize("step", ["reason", "meds", "contact", "check"])
def test_on_a_device_that_was_left_alone_it_is_no_more(step, django_assert_num_queries):
    patient = at("check", reason_text="It creeps.")
    Draft.objects.update(updated_at=timezone.now() - timedelta(minutes=31))
    url = "/intake/check/" if step == "check" else step_url(step)
    with django_assert_num_queries(1):
        page = patient.get(url)
    assert "We hide your private answers" in page.text
    if step != "check":
        typed = patient.page.form.values
        with django_assert_num_queries(2):
            patient.client.post(url, typed)


def test_what_can_be_wished_for_comes_with_the_draft_and_is_never_old(django_assert_num_queries):
    patient = at("appointment")
    for name in ("Dr. New", "Dr. May", "Dr. Abel"):
        book.clinician(name)
        book.location(f"Clinic of {name}")
    with django_assert_num_queries(1):
        page = patient.get(step_url("appointment"))
    assert page.text.index("Dr. Abel") < page.text.index("Dr. May") < page.text.index("Dr. New")
    typed = patient.filled(place="Clinic of Dr. May")
    with django_assert_num_queries(2):
        assert patient.client.post(step_url("appointment"), typed).status_code == 302


def test_a_page_with_an_error_is_kept_with_two_queries_and_shown_with_one(
    django_assert_num_queries,
):
    patient = at("rls-2")
    with django_assert_num_queries(2):
        assert patient.client.post(step_url("rls-2"), {}).status_code == 303
    with django_assert_num_queries(1):
        assert patient.get(step_url("rls-2")).status == 422


def test_an_emergency_is_two_queries(django_assert_num_queries):
    patient = at("safety")
    with django_assert_num_queries(2):
        patient.client.post(step_url("safety"), {"em_now": "chest_or_breath"})


def test_the_check_page_is_one_query(django_assert_num_queries):
    patient = at("check")
    with django_assert_num_queries(1):
        patient.get("/intake/check/")


def test_beginning_is_the_limit_the_protocol_the_draft_and_the_count(django_assert_num_queries):
    with django_assert_num_queries(6):  # two of the six begin and end the transaction
        Patient().client.post("/intake/", {"go": "start"})


@pytest.mark.parametrize("url", ["/intake/", "/appointments/"])
def test_the_start_page_with_a_draft_is_one_query(url, django_assert_num_queries):
    patient = at("mood")
    with django_assert_num_queries(1):
        patient.get(url)


@pytest.mark.parametrize(
    "says", [{}, {"drowsy_drive": "fell_asleep", "phq2_down": "nearly_every_day"}]
)
def test_sending_is_seventeen_queries_whatever_fires(says, django_assert_num_queries):
    """Sending reads the draft, counts two limits, and stores everything in two transactions.

    The queries in order: the draft, the limits of network and mailbox, the locked draft, the
    submission, the draft, the wish, the history, the counts of rules, the count of forms, the
    messages, their task, the audit event. Four more queries begin and end the two transactions.
    """
    patient = at("check", **says)
    with django_assert_num_queries(17):
        patient.client.post("/intake/check/", {"consent": "on"})


def test_sending_again_is_one_query(django_assert_num_queries):
    patient = at("check")
    patient.send()
    with django_assert_num_queries(1):
        patient.client.post("/intake/check/")


def test_the_receipt_is_two_queries_two_for_the_ways_and_one_each_for_its_other_parts(
    django_assert_num_queries,
):
    patient = at("check")
    patient.send()
    # one each for the wish, the address, part 2 and the pages to read
    with django_assert_num_queries(8):
        patient.client.get("/intake/sent/")
