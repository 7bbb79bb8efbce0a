"""When the audit trail fails at the commit, a patient's act is undone and can be repeated."""

from collections.abc import Iterator

import pytest

from clinic.models import Message
from intake.models.access import Grant
from intake.models.appointments import Appointment, AppointmentRequest, Offer, WaitlistEntry
from intake.models.submissions import Communication, StatusChange, Submission
from tests import builders
from tests.intake import book
from tests.intake.my_visit import code_of, inside, offered
from tests.intake.patient import Patient
from tests.intake.way_in import asking
from tests.trail import recorded, unchained

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("roomy")]


def test_what_is_not_sent_can_be_sent_again():
    patient = Patient()
    patient.jump_to("check")
    with unchained():
        page = patient.send()
    assert page.status == 503
    assert page.response["Retry-After"] == "30"
    assert "We kept your answers." in page.text
    for model in (Submission, AppointmentRequest, StatusChange, Message):
        assert not model.objects.exists()
    assert patient.draft.content["answers"]
    assert patient.press("send").path == "/intake/sent/"
    assert Submission.objects.count() == 1


def test_the_clinic_that_could_not_be_told_can_be_told_again():
    patient = Patient()
    patient.start()
    patient.answer(em_now=("chest_or_breath",))
    told = {"phone": "202-555-0147", "name": ""}
    with unchained():
        page = patient.press("tell", told)
    assert page.status == 503
    assert page.links_to("tel:911")
    assert not Submission.objects.exists()
    assert patient.post("/intake/emergency/", {"go": "tell", **told}).status == 200
    assert Submission.objects.count() == 1


def test_a_code_that_could_not_be_recorded_opens_nothing_and_then_opens():
    submission = builders.submission()
    patient = asking(submission.reference)
    code = {"code": code_of(), "go": "enter"}
    with unchained():
        page = patient.post("/my/code/", code)
    assert page.status == 503
    assert not Grant.objects.exists()
    assert patient.post("/my/code/", code).path == "/my/"


def acts(asks: Submission, comes: Submission) -> Iterator[tuple[Submission, str, dict[str, str]]]:
    """Yield a patient, the address of a button on the own page, and the posted values.

    The patient of `asks` was offered a time. The patient of `comes` has a visit.
    """
    yield asks, "/my/reply/", {"text": "May I come on Friday?"}
    yield asks, "/my/withdraw/", {}
    yield asks, "/my/offer/", {"offer": str(Offer.objects.get().pk), "go": "accept"}
    yield asks, "/my/offer/", {"go": "none"}
    yield comes, "/my/cancel/", {"go": "cancel"}
    yield comes, "/my/wait/", {"go": "join"}
    time = {"slot": book.free(9).key, "visit": str(book.visit_type().pk)}
    yield comes, "/my/times/", {**time, "go": "book"}


def test_what_is_lost_at_the_commit_is_not_done_on_the_own_page(settings):
    settings.APPOINTMENT_MODE = "slots"
    settings.LIMIT_CODES_PEER = settings.LIMIT_CODES_SITE = settings.LIMIT_TRIES_PEER = 1_000_000
    book.clinician()
    asks, comes = book.patient(1), book.patient(2)
    offered(asks, book.free(7))
    book.booked(comes, book.free(8))
    people = {row: inside(row) for row in (asks, comes)}
    todo, before = list(acts(asks, comes)), stored()
    with unchained():
        for who, where, posted in todo:
            with recorded() as events:
                page = people[who].post(where, posted)
            assert events, where
            assert (page.status, page.response["Retry-After"]) == (503, "30"), where
    assert stored() == before

    for who, where, posted in todo[:1]:
        assert people[who].post(where, posted).path == "/my/"
    assert Communication.objects.count() == 1


def stored() -> list[object]:
    """Return everything in the database that the acts of `acts` would change."""
    return [
        list(Submission.objects.order_by("pk").values_list("status", "revision", "reply_due_at")),
        list(Appointment.objects.order_by("pk").values_list("status", "sequence", "during")),
        list(Offer.objects.values_list("state")),
        WaitlistEntry.objects.count(),
        Communication.objects.count(),
        Message.objects.count(),
    ]
