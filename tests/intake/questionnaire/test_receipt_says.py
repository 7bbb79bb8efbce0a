"""The receipt says first what was booked or wished, then one next thing and by which way."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.shortcuts import render
from django.test import RequestFactory

from intake.domain.promises import promising_sentences
from intake.models.appointments import AppointmentRequest
from intake.models.submissions import Kind, Submission, Urgency
from intake.protocols import current
from intake.questionnaire import held_time, sending
from intake.questionnaire.target_times import target_time
from intake.questionnaire.views import receipt
from tests import builders
from tests.intake import book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lee")]
NUMBER, ADDRESS = "(202) 555-0147", "quentin.canary@example.org"
WAYS = {
    "phone": {"email": "", "prefer": "phone"},
    "e-mail": {"prefer": "email"},
    "text": {"email": "", "prefer": "text"},
    "none": {"email": "", "prefer": "phone", "callback_phone": ""},
}
NO_WAY = "We have no way to reach you. Please call us."
REACHED = {
    "phone": f"We reach you by phone at {NUMBER}.",
    "e-mail": f"We reach you by e-mail at {ADDRESS}.",
    "text": f"We reach you by text message at {NUMBER}.",
    "none": NO_WAY,
}
BY_PHONE = REACHED | {"e-mail": REACHED["phone"], "text": REACHED["phone"]}
E_MAIL = re.compile(r"e-?mail|mailbox|spam", re.IGNORECASE)


def wished(contact: dict[str, Any], visit_type: str = "in_person") -> Submission:
    row = builders.submission(contact)
    AppointmentRequest.objects.filter(submission=row).update(visit_type=visit_type)
    return row


def booked(contact: dict[str, Any]) -> Submission:
    draft, _key = builders.draft(contact)
    slot = book.free()
    held_time.choose_time(draft=draft, slot=slot.key, visit_type=slot.visit_type)
    draft.refresh_from_db()
    return sending.submit(draft=draft)


def waiting(contact: dict[str, Any]) -> Submission:
    draft, _key = builders.draft(contact)
    held_time.choose_no_time(draft=draft, visit_type="in_person", waitlist=True)
    draft.refresh_from_db()
    return sending.submit(draft=draft)


def of_level(code: str) -> Callable[[dict[str, Any]], Submission]:
    """Return a function that sends a request for a visit and gives it this urgency."""

    def send(contact: dict[str, Any]) -> Submission:
        row = builders.submission(contact)
        target = target_time(current().level(code), row.submitted_at, None)
        rows = Submission.objects.filter(pk=row.pk)
        rows.update(urgency=Urgency.of(code), target_at=target)
        return rows.get()

    return send


def request_alone(contact: dict[str, Any]) -> Submission:
    row = wished(contact)
    Submission.objects.filter(pk=row.pk).update(kind=Kind.APPOINTMENT)
    return Submission.objects.get(pk=row.pk)


# case → how it is sent, what stands first, what happens next, the way for each patient
AIM = "We read your answers and aim for the visit within 12 weeks."
CASES: dict[str, tuple[Any, str, str, dict[str, str] | None]] = {
    "booked": (booked, "The appointment is booked", "The next step is the appointment.", None),
    "wished": (wished, "You asked for a visit at the clinic: Monday, Thursday.", AIM, REACHED),
    "call me": (
        lambda contact: wished(contact, "call_me"),
        "You asked us to call you to arrange a visit.",
        AIM,
        BY_PHONE,
    ),
    "waiting list": (waiting, "You are on the waiting list for a visit.", AIM, REACHED),
    "emergency": (of_level("emergency"), "", "If you have not, please call us.", None),
    "same day": (of_level("same_day"), "", "A clinician reads your answers today, by ", BY_PHONE),
    "urgent": (of_level("urgent"), "", "A nurse reads your answers and contacts you by ", BY_PHONE),
    "soon": (of_level("soon"), "", "aim for the visit within 6 weeks.", REACHED),
    "closed, same day": (of_level("same_day"), "", "Go to urgent care or an emergency room", None),
    "closed, routine": (wished, "You asked for a visit", AIM, REACHED),
    "appointment only": (request_alone, "We have your request", AIM, REACHED),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES)
def test_the_receipt_says_what_was_wished_and_one_next_thing(case, way, request, settings):
    settings.APPOINTMENT_MODE = "slots" if case in ("booked", "waiting list") else "request"
    settings.SMS_BACKEND = "clinic.outgoing.sms.console"
    request.getfixturevalue("clinic_closed" if "closed" in case else "clinic_open")
    send, first, then, ways = CASES[case]
    submission = send(WAYS[way])
    context = receipt.sent_context(submission, left_alone=False)
    page = render(RequestFactory().get("/"), "intake/sent.html", context).content.decode()
    main = page[page.index("<main") : page.index("</main>")]

    before, _, after = main.partition("What happens next</h2>")
    step = re.sub(r"<[^>]+>", "", after[: after.index("</p>")]).strip()
    assert first in before
    assert then in step
    if ways:
        assert step.endswith(f". {ways[way]}")
    else:
        assert not any(said in step for said in REACHED.values())
    assert len([one for one in promising_sentences(step) if "call us" not in one]) <= 1
    for contradiction in ("has read it yet", "do nothing", "has opened it"):
        assert contradiction not in main
    if case == "booked":
        assert "weeks" not in main
        assert main.count("Eastern time") == 1
    assert way == "e-mail" or not E_MAIL.search(main)


def test_a_device_that_was_left_alone_shows_neither_number_nor_address():
    context = receipt.sent_context(wished(WAYS["phone"]), left_alone=True)
    assert context["next_way"] == "We reach you by phone."


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ([], "You asked for a visit at the clinic."),
        ([{"days": []}], "You asked for a visit at the clinic."),
        ([{"days": ["thu", "mon"]}], "You asked for a visit at the clinic: Monday, Thursday."),
        (
            [{"days": ["mon"]}, {"days": ["fri", "mon"]}],
            "You asked for a visit at the clinic: Monday, Friday.",
        ),
        ([{"days": ["mon"]}, {"times": ["morning"]}], "You asked for a visit at the clinic."),
    ],
)
def test_the_days_that_were_wished_are_named(wishes, said):
    assert receipt.wish_words(AppointmentRequest(visit_type="in_person", wishes=wishes)) == said
