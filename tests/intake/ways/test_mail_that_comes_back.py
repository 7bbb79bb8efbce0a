"""A letter that came back hours after it was sent: staff see it, and the patient is called."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from clinic.models import Message
from clinic.outgoing import outbox
from intake.appointments import changing
from intake.models.appointments import Appointment
from intake.models.calls import CallTask
from intake.models.submissions import Submission
from intake.ways import calls, contact_points
from intake.ways.contact import reach_of
from tests import builders
from tests.clinic.outgoing.test_mail_reports import event, post, use
from tests.desk import Trail, desk_page_of, page_of, words
from tests.intake import book
from tests.intake.my_visit import inside
from tests.intake.patient import Patient
from tests.intake.way_in import asking

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lee")]
PROVIDER = "postmark"
COMES_BACK = "Our e-mails do not reach you"


@pytest.fixture(autouse=True)
def _provider(settings):
    use(settings, PROVIDER)


def move(visit: Appointment) -> None:
    slot = book.free(days=8)
    changing.reschedule(appointment=visit, slot=slot.key, by=builders.member("front desk"))


def moved() -> tuple[Submission, Message]:
    """Return a patient whose visit was moved, and the letter that tells of it, which is sent."""
    visit = book.booked(book.patient())
    outbox.deliver_due()
    move(visit)
    outbox.deliver_due()
    return visit.submission, Message.objects.get(kind="appointment_changed", state="sent")


def comes_back(message: Message, submission: Submission, kind: str = "hard") -> None:
    report = event(PROVIDER, kind, message, to=submission.person["email"].upper())
    assert post(Client(), PROVIDER, report).status_code == 204


def owed(submission: Submission) -> list[str]:
    return [task.reason for task in submission.call_tasks.order_by("created_at")]


@pytest.mark.parametrize("kind", ["hard", "soft", "complained"])
def test_a_letter_that_comes_back_hours_later_becomes_one_call(kind):
    submission, message = moved()
    Message.objects.update(finished_at=timezone.now() - timedelta(hours=7))
    trail = Trail()
    assert owed(submission) == []
    for _again in range(3):
        comes_back(message, submission, kind)
    comes_back(message, submission, "delivered")

    assert owed(submission) == [CallTask.Reason.CHANGED]
    assert bool(reach_of(submission).letters) is (kind == "soft")
    made = [each for each in trail.events() if each.detail.get("kind") == "call"]
    assert [each.detail["ground"] for each in made] == ["appointment_changed"]


def test_a_call_that_was_made_is_not_owed_again_when_the_report_is_repeated():
    submission, message = moved()
    comes_back(message, submission)
    by = builders.member("front desk")
    calls.settle(task=submission.call_tasks.get(), by=by, request_id="r")
    Message.objects.update(delivery="", delivery_trouble="", state="sent")
    comes_back(message, submission)

    assert not submission.call_tasks.open().exists()


def test_a_letter_about_what_the_patient_knows_owes_no_call():
    """The patient booked the visit, so a letter only confirms it."""
    submission = book.booked(book.patient()).submission
    outbox.deliver_due()
    message = Message.objects.get(kind="appointment_confirmed")
    assert message.known
    comes_back(message, submission)

    assert owed(submission) == []
    assert not reach_of(submission).letters


def test_the_next_letter_is_a_call_at_once_also_about_another_submission():
    submission, message = moved()
    comes_back(message, submission)
    other = book.booked(book.patient())
    Message.objects.all().delete()
    move(other)

    assert not Message.objects.filter(kind="appointment_changed").exists()
    assert owed(other.submission) == [CallTask.Reason.CHANGED]


def test_staff_read_it_on_the_patients_pages_and_on_the_call_list():
    submission, message = moved()
    comes_back(message, submission)
    desk, doctor = builders.staff_client("front desk"), builders.staff_client("clinician")

    said = "E-mail does not arrive since"
    assert said in words(desk.get(desk_page_of(submission)))
    assert said in words(doctor.get(page_of(submission)))
    assert said in words(desk.get("/admin/intake/calltask/"))
    assert "(bounced)" in words(desk.get("/admin/intake/calltask/"))


def test_the_patients_own_pages_say_it_and_a_stranger_learns_nothing():
    submission = book.patient()
    patient = inside(submission)
    before = asking(submission.reference, submission.person["email"]).page
    address = submission.person["email"]
    contact_points.mark_dead(
        channel="email", address=address, trouble="bounced", actor="system:test"
    )
    stranger = asking(submission.reference, address).page

    assert COMES_BACK in patient.get("/my/").text
    assert stranger.text == before.text
    assert COMES_BACK not in stranger.text


def test_the_receipt_says_it():
    patient = Patient()
    patient.start()
    patient.jump_to("check")
    assert COMES_BACK not in patient.send().text
    submission = Submission.objects.get()
    outbox.deliver_due()
    comes_back(Message.objects.get(kind="confirmation"), submission)

    assert COMES_BACK in patient.get("/intake/sent/").text
