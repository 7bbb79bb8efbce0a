"""Letters to patients and staff: composed when they are sent, and without health data."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.db import connection
from django.utils import timezone

from clinic.models import Message
from clinic.outgoing import outbox
from intake.models.submissions import Submission, Urgency
from intake.questionnaire import sending
from intake.ways import escalation
from tests import builders
from tests.intake.patient import Patient

pytestmark = pytest.mark.django_db
URGENT = {"leg_new": ("swelling_one",), "clot_risk": ("none",)}
CANARIES = ("canary", "quentin", "555-0147", "5550147", "1982", "restless", "vein", "artery")


@pytest.fixture(autouse=True)
def people():
    """Members of staff with e-mail addresses: one of each role, and some who must get no letter."""
    for role in ("clinician", "duty", "front desk", "auditor", "administrator"):
        user = builders.member(role)
        user.email = f"{user.username}@staff.example.org"
        user.save()
    builders.member("clinician", "without-address")
    gone = builders.member("clinician", "gone")
    gone.email, gone.is_active = "gone@staff.example.org", False
    gone.save()


def kinds() -> set[str]:
    return set(Message.objects.values_list("kind", flat=True))


def send_all() -> None:
    """Send all messages, also messages that are due later."""
    Message.objects.filter(state="waiting").update(next_at=timezone.now() - timedelta(seconds=1))
    outbox.deliver_due()


def state(kind: str) -> str:
    return Message.objects.get(kind=kind).state


def urgent(**contact) -> Submission:
    submission = builders.submission(contact or None, **URGENT)
    assert submission.urgency >= Urgency.SAME_DAY
    return submission


# --- the patient ----------------------------------------------------------------------------------


def test_the_patient_gets_the_reference_and_how_to_come_back():
    submission = builders.submission()
    assert kinds() == {"confirmation"}
    send_all()

    (letter,) = mail.outbox
    assert letter.to == ["quentin.canary@example.org"]
    assert letter.subject == "Your request to Truffles"
    assert submission.reference in letter.body
    assert "\nhttp://127.0.0.1:8000/my/\n" in letter.body
    assert "+1 202-555-0123" in letter.body
    assert "911" in letter.body
    assert not letter.attachments
    assert re.findall(r"https?://127.0.0.1:8000(\S+)", letter.body) == ["/my/", "/language-help/"]


def test_who_wants_text_messages_and_gave_no_address_gets_one(capsys):
    submission = builders.submission({"email": "", "prefer": "text"})
    send_all()

    said = capsys.readouterr().out
    assert "+12025550147" in said
    assert submission.reference in said
    assert not mail.outbox


@pytest.mark.parametrize(
    ("prefer", "backend"), [("phone", "clinic.outgoing.sms.console"), ("text", "")]
)
def test_who_gave_no_way_to_write_gets_nothing(settings, prefer, backend):
    settings.SMS_BACKEND = backend
    builders.submission({"email": "", "prefer": prefer})

    assert not Message.objects.exists()


def test_a_confirmation_of_what_is_gone_is_dropped():
    builders.submission()
    Submission.objects.all().delete()
    send_all()

    assert state("confirmation") == "dropped"
    assert not mail.outbox


def test_sending_twice_confirms_once():
    draft, _key = builders.draft()
    sending.submit(draft=draft)
    sending.submit(draft=draft)

    assert Message.objects.count() == 1


# --- staff ----------------------------------------------------------------------------------------


def test_what_must_be_read_today_alerts_clinicians_and_the_front_desk():
    submission = urgent()
    assert kinds() == {"confirmation", "alert"}
    outbox.deliver_due()

    letter = next(m for m in mail.outbox if submission.reference in m.subject)
    assert letter.to == ["clinician@staff.example.org", "front-desk@staff.example.org"]
    assert submission.get_urgency_display() in letter.subject
    assert re.findall(r"https?://\S+", letter.body) == ["http://127.0.0.1:8000/admin/"]


def test_an_ordinary_one_alerts_nobody():
    builders.submission()

    assert kinds() == {"confirmation"}


def test_a_form_that_was_stopped_alerts_and_confirms_nothing():
    patient = Patient(em_now=("chest_or_breath",))
    patient.start()
    patient.answer()
    sending.tell_clinic(draft=patient.draft, phone="+12025550147", name="Quentin Canary")

    assert kinds() == {"alert"}
    send_all()
    assert {m.to[0] for m in mail.outbox} == {"clinician@staff.example.org"}


def test_nobody_is_alerted_to_what_is_decided_by_now():
    submission = urgent()
    Submission.objects.update(status="decided")
    send_all()

    assert state("alert") == "dropped"
    assert not [m for m in mail.outbox if submission.reference in m.subject]


def test_an_alert_without_recipient_waits_until_there_is_one():
    """Every page of staff says so meanwhile: tests/clinic/outgoing/test_lanes.py."""
    for role in ("clinician", "front desk"):
        Group.objects.get(name=role).user_set.clear()
    urgent()
    send_all()

    alert = Message.objects.get(kind="alert")
    assert (alert.state, alert.error) == ("waiting", "no recipient")


# --- what no message contains ---------------------------------------------------------------------


def test_no_message_tells_who_it_is_or_what_it_is_about(settings, tmp_path, capsys):
    """The patients' data contain CANARY, and no mail or text message may contain this word.

    The mails are written to files as they would be sent.
    """
    settings.EMAIL_BACKEND = "clinic.outgoing.mail.FileBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    address = {"email": "somebody@example.org"}
    urgent(**address, proxy_name="Petra Canary")
    Submission.objects.update(escalate_at=timezone.now())
    escalation.escalate()
    builders.submission({"email": "", "prefer": "text"}, reason_text="CANARY in my legs")
    send_all()

    files = list((tmp_path / "mail").iterdir())
    assert len(files) == 3
    assert (tmp_path / "mail").stat().st_mode & 0o777 == 0o700
    said = capsys.readouterr().out.replace("+12025550147", "")
    for text in (*(file.read_text() for file in files), said):
        assert "Truffles" in text or "Nobody" in text or "Number:" in text
        for canary in CANARIES:
            assert canary not in text.casefold().replace("clinic@example.org", "")
    for file in files:
        assert file.stat().st_mode & 0o777 == 0o600


def test_no_row_and_no_task_holds_anything_of_a_person():
    urgent()
    with connection.cursor() as cursor:
        for table in ("clinic_message", "django_tasks_database_dbtaskresult"):
            cursor.execute(f"select * from {table}")
            told = str(cursor.fetchall()).casefold()
            for canary in CANARIES:
                assert canary not in told


def test_each_letter_that_alerts_staff_goes_before_all_others():
    """The lane of a kind is set where its letter is composed."""
    to_staff = {
        kind
        for kind, compose in outbox._composers.items()
        if compose.__module__ == "intake.letters.staff"
    }
    # these say who has a submission, and alert nobody
    to_staff -= {"given_back", "handed", "taken_over"}

    assert {kind for kind, lane in outbox._lanes.items() if lane == outbox.Lane.ALERT} == to_staff
