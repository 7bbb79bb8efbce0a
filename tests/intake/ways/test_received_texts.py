"""A text to the clinic's number revokes, opens, or stands on the call list, and danger alerts."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db.models import F
from django.utils import timezone

from clinic.models import Event, Message
from clinic.outgoing import outbox
from intake.models.contact_points import ContactPoint
from intake.models.received_texts import ReceivedText
from intake.models.submissions import Communication
from intake.ways import contact_points, received_texts
from tests import builders
from tests.clinic.test_webhooks import WAY, signed
from tests.desk import Trail

pytestmark = pytest.mark.django_db
NUMBER = "+12025550123"
LIST = "/admin/intake/calltask/"
DANGER = "My foot went ice cold this morning"


@pytest.fixture(autouse=True)
def _twilio(settings):
    settings.TWILIO = WAY


@pytest.fixture
def text(client):
    """Send a text to the clinic's number, and return the answer that its sender gets."""
    count = iter(range(10_000))

    def send(words="", number=NUMBER, **more):
        fields = {"MessageSid": f"SM{next(count)}", "From": number, "Body": words, "NumMedia": "0"}
        answer = signed(client, fields=fields | more)
        assert answer.status_code == 200
        return answer.content.decode().split("<Response>")[1].split("</Response>")[0]

    return send


def is_open(number=NUMBER):
    return contact_points.is_open("sms", number)


def seen_by(role, address):
    return builders.staff_client(role).get(address).content.decode()


def waiting():
    return [(row.meaning, row.words["text"]) for row in ReceivedText.objects.open().order_by("at")]


# --- wishes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["STOP", "stop", "End", "UNSUBSCRIBE"])
def test_a_word_that_twilio_confirms_revokes_at_once_without_a_second_confirmation(text, words):
    assert text(words) == ""
    assert not is_open()
    assert waiting() == []


@pytest.mark.parametrize(
    "words", ["STOP 123456", "please stop texting me", "Alto", "no me escriban m\u00e1s", "opt out"]
)
def test_a_plain_wording_revokes_and_is_confirmed_once(text, words):
    answer = text(words)
    assert "You get no more text messages from us" in answer
    assert "Ya no recibir" in answer
    assert not is_open()

    assert text(words) == ""
    assert text("Hello?") == ""


def test_cancel_revokes_and_staff_ask_about_the_visit(text):
    assert text("CANCEL") == ""
    assert not is_open()
    assert waiting() == [("cancel", "CANCEL")]
    page = seen_by("front desk", LIST)
    assert "Did the person mean the visit? Ask." in page


def test_who_wants_to_cancel_a_visit_still_gets_texts_and_a_call(text):
    assert "911" in text("Please cancel my appointment")
    assert is_open()
    assert waiting() == [("visit", "Please cancel my appointment")]


def test_start_opens_again_what_stop_closed_and_not_what_a_carrier_refused(text):
    text("STOP")
    assert text("START") == ""
    assert is_open()

    contact_points.mark_dead(
        channel="sms", address=NUMBER, trouble="twilio 30005", actor="system:x"
    )
    text("STOP")
    text("Unstop")
    assert not is_open()
    assert ContactPoint.objects.get().revoked_at is None


def test_a_wrong_number_gets_no_more_texts_and_staff_look_for_the_right_one(text):
    assert "no more text messages" in text("Wrong number!")
    assert not is_open()
    assert "Find out the patient" in seen_by("front desk", LIST)


# --- everything else ------------------------------------------------------------------------------


def test_anything_else_gets_one_fixed_answer_in_some_hours_in_both_languages(text, settings):
    answer = text("When is my visit?")
    for word in (settings.CLINIC_PHONE, "911", "at night", "de noche"):
        assert word in answer
    assert text("Hello?") == ""
    assert "911" in text("Hi", "+12025550124")

    ReceivedText.objects.update(answered_at=F("answered_at") - timedelta(hours=7), at=F("at"))
    assert "911" in text("Still there?")
    assert len(waiting()) == 4


@pytest.mark.parametrize(
    ("words", "more"),
    [("", {}), ("   ", {}), ("", {"NumMedia": "3"}), ("\0", {}), ("x" * 2_000, {}), ("🦵", {})],
)
def test_odd_texts_stand_on_the_list(text, words, more):
    assert "911" in text(words, **more)

    (row,) = ReceivedText.objects.open()
    assert row.words["text"] == words.replace("\0", "")
    assert row.pictures == int(more.get("NumMedia", 0))
    assert seen_by("front desk", LIST)


def test_a_text_reported_twice_is_stored_and_answered_once(text):
    assert "911" in text("Hello", MessageSid="SMsame")
    assert text("Hello", MessageSid="SMsame") == ""
    assert len(waiting()) == 1


def test_a_burst_of_one_number_is_cut_and_a_wish_or_danger_in_it_is_not_lost(text, monkeypatch):
    monkeypatch.setattr("clinic.outgoing.texts_in.MOST", 3)
    for number in range(8):
        text(f"Hello {number}")
    assert len(waiting()) == 3

    text(DANGER)
    text(DANGER)
    text("please stop texting")
    assert len(ReceivedText.objects.filter(alarm=True)) == 1
    assert not is_open()


def test_a_text_is_in_no_thread_and_its_row_names_nobody(text):
    submission = builders.submission({"callback_phone": NUMBER})
    text("CANARY words")

    assert not Communication.objects.filter(submission=submission).exists()
    row = ReceivedText.objects.values().get()
    assert "2025550123" not in repr({name: row[name] for name in row if name != "words"})
    told = Event.objects.order_by("-seq").values("actor", "subject", "detail")[:3]
    assert "CANARY" not in repr(list(told))


# --- danger ---------------------------------------------------------------------------------------


@pytest.fixture
def nurse():
    nurse = builders.member("clinician")
    nurse.email = "nurse@clinic.example"
    nurse.save()
    return nurse


@pytest.mark.parametrize("words", [DANGER, "Tengo dolor en el pecho y no puedo respirar"])
def test_words_of_danger_alert_staff_and_are_answered(text, nurse, words):
    text("Hello")
    ReceivedText.objects.update(answered_at=None)
    assert "911" in text(words)
    outbox.deliver_due()

    (letter,) = mail.outbox
    assert letter.to == ["nurse@clinic.example"]
    assert "words of danger" in letter.subject
    assert words not in letter.body
    assert "5550123" not in letter.subject + letter.body
    page = seen_by("front desk", LIST)
    assert "Words of danger: call now" in page
    assert "Somebody wrote words of danger" in seen_by("clinician", "/admin/intake/submission/")


def test_danger_in_a_revocation_both_revokes_and_alerts(text, nurse):
    assert "911" in text(f"Stop texting me. {DANGER}")
    assert not is_open()
    assert ReceivedText.objects.open().get().alarm
    assert Message.objects.filter(kind="alarm").count() == 1


def test_danger_is_answered_after_a_revocation_and_read_to_its_end(text, nurse):
    text("please stop texting me")
    assert "911" in text("It is late. " * 200 + DANGER)
    assert len(ReceivedText.objects.get(alarm=True).words["text"]) == 2_000


def test_a_danger_that_nobody_deals_with_is_told_to_everybody_once(text, nurse):
    text(DANGER)
    received_texts.escalate()
    assert not Message.objects.filter(kind="text_waits").exists()

    ReceivedText.objects.update(at=timezone.now() - timedelta(days=5))
    received_texts.escalate()
    received_texts.escalate()
    assert Message.objects.filter(kind="text_waits").count() == 1
    text(DANGER, "+12025550124")
    ReceivedText.objects.update(at=timezone.now() - timedelta(days=5))
    assert received_texts.escalate(limit=1) == 1
    outbox.deliver_due()
    assert any("Nobody has called yet" in letter.subject for letter in mail.outbox)


# --- the list -------------------------------------------------------------------------------------


def test_staff_read_the_texts_by_number_and_settle_them(text):
    submission = builders.submission({"callback_phone": NUMBER})
    text("First")
    text("Second")
    desk = builders.staff_client("front desk")
    trail = Trail()
    page = desk.get(LIST).content.decode()
    assert "First" in page
    assert "Second" in page
    assert submission.reference in page
    assert submission.person["name"] not in page
    assert '<span class="count">2</span>' in page
    rows = [str(row.pk) for row in ReceivedText.objects.all()]
    assert any(set(rows) <= set(event.detail.get("ids", [])) for event in trail.events())

    for _click in range(2):
        assert desk.post(f"{LIST}texts/", {"text": rows, "done": ""}).status_code == 302
    assert waiting() == []
    settled = Event.objects.filter(subject__in=rows, action="state")
    assert settled.count() == 2
    assert "First" not in desk.get(LIST).content.decode()


def test_staff_stop_the_texts_of_a_caller(text):
    text("Call me please")
    (row,) = ReceivedText.objects.all()
    desk = builders.staff_client("front desk")
    desk.post(f"{LIST}texts/", {"text": [str(row.pk), "no id"], "stop": ""})

    assert waiting() == []
    assert not is_open()
