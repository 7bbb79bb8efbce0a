"""For every act that concerns a patient, a letter or a call tells the patient.

If neither does, the patient knows of the act already. The staff's page says how the patient hears
of the act. No slot is held for a patient who would not hear of that slot.
"""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.utils import timezone

from clinic.models import Message
from clinic.outgoing import outbox
from intake.access import codes, grants
from intake.appointments import changing, offers, waiting_list
from intake.models.appointments import Appointment, Offer
from intake.models.calls import CallTask
from intake.models.submissions import Submission
from intake.ways import calls
from tests import builders
from tests.desk import desk_page_of, press, visit_page, words
from tests.faults.sink import Sink
from tests.intake import book
from tests.intake.ways.acts import (
    ACTS,
    OF_STAFF,
    WAYS,
    WRITTEN_TO,
    book_by_call,
    cancel_as_asked,
    fresh,
    message,
    posted,
    pressed,
    reach,
    send_all,
    visitor,
    want_no_visit,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lee")]
ROOT = Path(__file__).resolve().parents[3]
LETTER = {
    "e-mail": "An e-mail goes out to the patient now.",
    "text alone": "A text message goes out to the patient now.",
}

NOBODY, KNOWS = "Nobody has told the patient: call.", "No letter goes out: the patient knows."
UNTOLD = "Nobody has told the patient, and there is no safe way: do not call."
SAID = (*LETTER.values(), NOBODY, UNTOLD, KNOWS)


# --- the acts: each returns a function that performs the act -------------------------------------


@pytest.fixture
def two_at_once(settings):
    settings.APPOINTMENT_WAITLIST_BATCH = 2


@pytest.mark.usefixtures("two_at_once")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_each_act_ends_in_a_letter_in_a_call_or_they_know(act, way, capsys):
    submission, do = act(way)
    outbox.deliver_due()
    mail.outbox.clear()
    capsys.readouterr()
    CallTask.objects.all().delete()

    page = do()
    send_all()

    mine = submission or Submission.objects.get()
    ending = ACTS[act][way not in WRITTEN_TO]
    texts = [text for text in (capsys.readouterr().out,) if mine.reference in text]
    letters = [letter for letter in mail.outbox if mine.reference in letter.body]
    calls = list(CallTask.objects.open().filter(submission=mine))
    assert (len(letters), len(texts), len(calls)) == {
        "letter": (way == "e-mail", way == "text alone", 0),
        "call": (0, 0, 1),
    }.get(ending, (0, 0, 0))
    assert not Message.objects.filter(state__in=("waiting", "failed")).exclude(
        kind__endswith="_reminder"
    )
    if ending in ("refused", "passed over"):
        assert not Offer.objects.filter(request__submission=mine).exists()
        assert not Appointment.objects.taking().filter(status="held").exists()
    if act in OF_STAFF:
        says(page, ending, way)


def says(page, ending: str, way: str) -> None:
    """Check that the staff's page says how the patient hears of the act.

    The page must contain the right sentence of SAID and no other. After some acts, the page must
    contain no sentence of SAID.
    """
    text = words(page)
    said = {sentence for sentence in SAID if sentence in text}
    owed = UNTOLD if way == "nothing" else NOBODY
    wanted = {"letter": LETTER.get(way), "call": owed, "knows": KNOWS}.get(ending)
    assert said == ({wanted} if wanted else set())
    number = '<a class="tel" href="tel:+12025550147">(202) 555-0147</a>'
    if ending == "refused":
        assert page.status_code == 409
        assert "No letter reaches this patient. Call, and book the time" in text
    if ending == "call":
        assert "Nobody has told the patient" in text
        if way == "nothing":
            assert "No safe way: do not call" in text
        else:
            assert number in page.content.decode()
            assert "Call (202) 555-0147 by" in text


# --- no time is held for a patient who would not hear of it --------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_the_page_of_a_request_says_before_anything_is_chosen_whether_times_can_be_offered(way):
    submission = fresh(way)
    text = words(builders.staff_client("front desk").get(desk_page_of(submission)))

    assert ("Offer the chosen times" in text) == (way in WRITTEN_TO)
    assert ("Held for the patient for" in text) == (way in WRITTEN_TO)
    assert ("nothing can be offered for a while" in text) == (way not in WRITTEN_TO)
    assert "Book: agreed on the phone" in text
    assert "Free times that fit the wish" in text
    assert ("No safe way: do not call" in text) == (way == "nothing")


def test_a_freed_time_goes_to_the_next_who_can_be_told():
    gives_up = book.booked(book.patient(9))
    old, next_one = reach(book.patient(1), "phone alone"), book.patient(2)
    for row in (old, next_one):
        waiting_list.join_waitlist(submission=row)
    changing.cancel(appointment=gives_up)

    assert [offer.request.submission for offer in Offer.objects.all()] == [next_one]


@pytest.mark.parametrize("way", WAYS)
def test_joining_the_waiting_list_says_whether_times_are_offered_by_themselves(way):
    submission = fresh(way)
    text = words(pressed(submission, "wait", to="join"))
    told = "No letter reaches this patient, so no time is offered by itself."

    assert "Put on the waiting list." in text
    assert (told in text) == (way == "phone alone")
    listed = words(builders.staff_client("front desk").get("/admin/intake/waitlistentry/"))
    assert ("No letter: call when a time becomes free" in listed) == (way == "phone alone")
    assert ("No safe way: do not call" in listed) == (way == "nothing")


# --- letters that could not be sent --------------------------------------------------------------


@pytest.fixture
def refuse(settings) -> Iterator[Callable[[], None]]:
    """Return a function. After its call, the mail server refuses every recipient."""
    with Sink() as server:
        server.mode = "550"

        def change() -> None:
            settings.EMAIL_BACKEND = "clinic.outgoing.mail.SmtpBackend"
            settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
            settings.EMAIL_USE_TLS = False

        yield change


@pytest.mark.usefixtures("two_at_once")
@pytest.mark.parametrize("gone", ["refused", "no address"])
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_a_letter_that_never_came_is_a_call_unless_they_know(act, gone, refuse):
    submission, do = act("e-mail")
    outbox.deliver_due()
    CallTask.objects.all().delete()
    do()
    mine = submission or Submission.objects.get()
    if gone == "refused":
        refuse()
    else:
        reach(mine, "phone alone")
    send_all()

    knows = act in (book_by_call, cancel_as_asked, want_no_visit) or act.__name__[:7] == "patient"
    calls = CallTask.objects.open().filter(submission=mine)
    assert len(calls) == (0 if knows else 1)
    told = Message.objects.filter(error="smtp 550" if gone == "refused" else "no way")
    assert told.exists()
    assert set(told.values_list("state", flat=True)) == {
        "failed" if gone == "refused" else "dropped"
    }


def test_an_offer_that_the_mail_server_refused_is_a_call_by_the_end_of_the_hold(refuse):
    submission = book.patient()
    outbox.deliver_due()
    refuse()
    desk = builders.staff_client("front desk")
    press(desk, submission, "offer", book.free(), book.free(wall="11:00"), hours="4")
    outbox.deliver_due()

    task = CallTask.objects.get()
    held = Offer.objects.first().expires_at
    assert (task.reason, task.due_at) == ("offer", held)
    page = desk.get(desk_page_of(submission))
    text = words(page)
    assert "A message could not be sent." in text  # the banner that tells of failed messages
    assert "Nobody has told the patient" in text
    assert "Times are offered" in text
    for wall in ("9:00 am", "11:00 am"):
        assert re.search(rf"{wall} Eastern time, Dr. Lee, Main clinic", text)


def test_a_call_about_an_offer_ends_with_the_offer(refuse):
    rows = [book.patient(n) for n in range(3)]
    outbox.deliver_due()
    refuse()
    desk = builders.staff_client("front desk")
    for number, row in enumerate(rows):
        press(desk, row, "offer", book.free(days=7 + number))
    outbox.deliver_due()
    assert CallTask.objects.open().count() == 3

    accepted, lapsed, withdrawn = rows
    offers.accept(offer=Offer.objects.get(request__submission=accepted), submission=accepted)
    offer = Offer.objects.get(request__submission=lapsed)
    past = timezone.now() - timedelta(minutes=1)
    Appointment.objects.filter(pk=offer.appointment_id).update(held_until=past)
    offers.lapse()
    assert NOBODY not in words(press(desk, withdrawn, "withdraw"))

    assert not CallTask.objects.open().exists()
    assert not Message.objects.filter(kind="offers_withdrawn").exists()


# --- calls that are needless by now --------------------------------------------------------------


def owed() -> list[str]:
    return list(CallTask.objects.open().order_by("reason").values_list("reason", flat=True))


def test_of_a_visit_only_the_newest_is_owed():
    visit = visitor("phone alone")
    for days in (8, 9):
        given = {"type": str(book.visit_type().pk), "slot": book.free(days=days).key}
        posted(visit_page(visit, "move"), given)
        assert owed() == ["changed"]
    posted(visit_page(visit, "cancel"), {"reason": "clinician"})
    assert owed() == ["cancelled"]
    pressed(visit.submission, "call", book.free(days=10))
    assert owed() == []


def test_a_visit_that_is_moved_is_called_about_before_the_first_of_both_times():
    visit = visitor("phone alone")
    Appointment.objects.filter(pk=visit.pk).update(
        during=(timezone.now() + timedelta(hours=1), timezone.now() + timedelta(hours=2))
    )
    visit = Appointment.objects.get(pk=visit.pk)
    given = {"type": str(book.visit_type().pk), "slot": book.free(days=8).key}
    posted(visit_page(visit, "move"), given)

    assert CallTask.objects.get().due_at == visit.during.lower


def test_a_visit_that_took_place_is_called_about_no_more():
    visit = visitor("phone alone")
    given = {"type": str(book.visit_type().pk), "slot": book.free(days=8).key}
    posted(visit_page(visit, "move"), given)
    Appointment.objects.filter(pk=visit.pk).update(
        during=(timezone.now() - timedelta(hours=1), timezone.now() - timedelta(minutes=30))
    )
    posted(visit_page(visit, "complete"), {})

    assert owed() == []


def test_a_patient_who_comes_back_by_a_code_has_read_it():
    submission, do = message("phone alone")
    do()
    calls.owe(submission=submission, reason="more", occasion="more")
    assert owed() == ["message", "more"]
    key = codes.send(address="+12025550147", reference=submission.reference)
    code = Message.objects.get(kind="code").payload["code"]

    assert codes.redeem(key=key, code=code)
    assert owed() == ["more"]  # the call for the question to the patient is still owed


def test_of_several_requests_the_one_that_is_opened_is_read():
    both = [reach(book.patient(1), "phone alone") for _number in range(2)]
    for row in both:
        calls.owe(submission=row, reason="message", occasion=str(row.pk))
    key = codes.send(address="+12025550147", reference=None)
    code = Message.objects.get(kind="code").payload["code"]
    grant = grants.find(codes.redeem(key=key, code=code).key)
    assert len(owed()) == 2
    grants.choose(grant=grant, reference=both[0].reference)

    assert CallTask.objects.open().get().submission == both[1]


def test_a_failing_reminder_or_confirmation_of_sending_is_no_call(refuse):
    submission = builders.submission()
    book.booked(submission, book.free(days=20))
    refuse()
    Message.objects.update(next_at=timezone.now() - timedelta(seconds=1))
    outbox.deliver_due()

    # the first message to be refused closes the address, so the others find no way
    unsent = Message.objects.filter(error__in=("smtp 550", "no way"))
    kinds = set(unsent.values_list("kind", flat=True))
    assert {"appointment_reminder", "confirmation"} <= kinds
    assert owed() == []


# --- words ---------------------------------------------------------------------------------------

CLAIMS = re.compile(
    r"(patients?|they) (is|are|was|were|has been|have been) (told|informed|written to)"
    r"|tells? the patient|(is|are) told\b",
    re.IGNORECASE,
)


def test_nothing_claims_that_a_patient_is_told_but_what_looks_whether_it_is_so():
    """Only a call that staff noted tells a patient: no letter does before it is accepted."""
    pages = [*ROOT.glob("templates/admin/**/*.html")]
    rooms = ("desk", "staff", "ways", "appointments/admin")
    code = [path for room in rooms for path in ROOT.glob(f"intake/{room}/*.py")]
    code = [path for path in code if path.name != "forms.py"]  # forms only ask, and claim nothing
    assert len(pages) > 30
    assert len(code) > 20
    found = {
        (path.name, claim.group(0).lower())
        for path in pages
        for claim in CLAIMS.finditer(path.read_text(encoding="utf-8"))
    }
    for path in code:
        for text in re.findall(r'_(?:lazy)?\(\s*"([^"]*)"', path.read_text(encoding="utf-8")):
            found |= {(path.name, claim.group(0).lower()) for claim in CLAIMS.finditer(text)}

    assert found == {("call_list.py", "patient was told")}
