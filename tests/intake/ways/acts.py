"""Every act that concerns a patient.

Each function in ACTS prepares an act, and returns the patient's submission and the act.
"""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from clinic.models import Message
from clinic.outgoing import outbox
from intake.appointments import booking, changing, ending, offers, waiting_list
from intake.models.appointments import Appointment, Offer, during
from intake.models.clinic_time import Clinician
from intake.models.submissions import Submission
from intake.my_page import replies
from intake.phone import entering
from intake.questionnaire import drafts, held_time, sending
from tests import builders
from tests.desk import desk_page_of, page_of, press, verdict, visit_page
from tests.intake import book

WAYS = {
    "e-mail": {},
    "text alone": {"email": "", "prefer": "text"},
    "phone alone": {"email": "", "prefer": "phone"},
    "nothing": {"email": "", "prefer": "phone", "callback_phone": ""},
}

WRITTEN_TO = ("e-mail", "text alone")


def reach(submission: Submission, way: str) -> Submission:
    """Change the patient's contact, so that `way` is the only way to reach the patient."""
    person = {**submission.person, **WAYS[way]}
    sealed = Submission._meta.get_field("person").seal_for(submission.pk, person)
    Submission.objects.filter(pk=submission.pk).update(person=sealed)
    return Submission.objects.get(pk=submission.pk)


def fresh(way: str) -> Submission:
    return reach(book.patient(), way)


def visitor(way: str) -> Appointment:
    """Return a visit in a week. The patient can now be reached only in the given way."""
    visit = book.booked(book.patient())
    reach(visit.submission, way)
    return Appointment.objects.for_reading().get(pk=visit.pk)


def offered(way: str) -> Submission:
    """Return the submission of a patient who was offered a slot by letter.

    After the letter, the contact changes: the patient can be reached only in the given way.
    """
    submission = book.patient()
    press(builders.staff_client("front desk"), submission, "offer", book.free())
    outbox.deliver_due()
    return reach(submission, way)


def send_all() -> None:
    """Send all messages except reminders, also messages that are delayed on purpose."""
    rows = Message.objects.exclude(kind__endswith="_reminder").filter(state="waiting")
    rows.update(next_at=timezone.now() - timedelta(seconds=1))
    outbox.deliver_due()


Act = Callable[[], object]


def message(way: str) -> tuple[Submission, Act]:
    submission = fresh(way)
    given = {"message": "call_us", "revision": submission.revision}
    client = builders.staff_client("clinician")
    return submission, lambda: client.post(page_of(submission, "message"), given, follow=True)


def offer(way: str) -> tuple[Submission, Act]:
    submission = fresh(way)
    return submission, lambda: pressed(submission, "offer", book.free())


def withdraw_offer(way: str) -> tuple[Submission, Act]:
    submission = offered(way)
    return submission, lambda: pressed(submission, "withdraw")


def book_by_call(way: str) -> tuple[Submission, Act]:
    submission = fresh(way)
    return submission, lambda: pressed(submission, "call", book.free())


def overbook(way: str) -> tuple[Submission, Act]:
    submission, lee = fresh(way), Clinician.objects.get()
    given = {
        "visit_type": str(book.visit_type().pk),
        "clinician": str(lee.pk),
        "location": str(book.location().pk),
        "day": book.in_days(7).date().isoformat(),
        "time": "07:00",
        "reason": "Dr. Lee agreed",
        "sure": "on",
    }
    return submission, lambda: pressed(submission, "overbook", **given)


def move(way: str) -> tuple[Submission, Act]:
    visit = visitor(way)
    given = {"type": str(book.visit_type().pk), "slot": book.free(days=8).key}
    return visit.submission, lambda: posted(visit_page(visit, "move"), given)


def cancel(way: str) -> tuple[Submission, Act]:
    visit = visitor(way)
    return visit.submission, lambda: posted(visit_page(visit, "cancel"), {"reason": "clinician"})


def miss(way: str) -> tuple[Submission, Act]:
    visit = visitor(way)
    start = timezone.now() - timedelta(hours=1)
    half_an_hour = timedelta(minutes=30)
    Appointment.objects.filter(pk=visit.pk).update(during=during(start, start + half_an_hour))
    return visit.submission, lambda: posted(visit_page(visit, "miss"), {})


def cancel_as_asked(way: str) -> tuple[Submission, Act]:
    visit = visitor(way)
    return visit.submission, lambda: posted(visit_page(visit, "cancel"), {"reason": "patient"})


def want_no_visit(way: str) -> tuple[Submission, Act]:
    submission = visitor(way).submission
    given = {"progress": "withdrawn", "revision": submission.revision}
    return submission, lambda: posted(desk_page_of(submission, "progress"), given)


def patient_books(way: str) -> tuple[Submission, Act]:
    submission = fresh(way)
    slot = book.free()
    held = book.hold(submission=submission, slot=slot.key, visit_type=slot.visit_type)
    return submission, lambda: booking.confirm_hold(appointment=held, submission=submission)


def patient_accepts(way: str) -> tuple[Submission, Act]:
    submission = offered(way)
    offer = Offer.objects.get()
    return submission, lambda: offers.accept(offer=offer, submission=submission)


def patient_moves(way: str) -> tuple[Submission, Act]:
    visit, slot = visitor(way), book.free(days=8)
    return visit.submission, lambda: changing.reschedule(appointment=visit, slot=slot.key)


def patient_cancels(way: str) -> tuple[Submission, Act]:
    visit = visitor(way)
    return visit.submission, lambda: changing.cancel(appointment=visit)


def patient_withdraws(way: str) -> tuple[Submission, Act]:
    visit = visitor(way)
    return visit.submission, lambda: replies.withdraw(submission=visit.submission)


def patient_sends(way: str) -> tuple[Submission | None, Act]:
    draft, _key = builders.draft(WAYS[way])
    return None, lambda: sending.submit(draft=draft)


def patient_sends_with_a_time(way: str) -> tuple[Submission | None, Act]:
    draft, _key = builders.draft(WAYS[way])
    slot = book.free()
    held_time.choose_time(draft=draft, slot=slot.key, visit_type=slot.visit_type)
    draft.refresh_from_db()
    return None, lambda: sending.submit(draft=draft)


def staff_enter_a_call_for_another(way: str) -> tuple[Submission | None, Act]:
    """Prepare the sending of what a daughter answered by phone for the patient."""
    by, phone = builders.member("clinician"), "+12025550199"
    call = entering.begin(by=by, phone=phone, request_id="")
    call.words |= {"caller": "other", "relation": "daughter"}
    call.save()
    content = builders.content(WAYS[way], who="caregiver")
    draft, _key = drafts.begin(kind="intake", language="en", device="staff", content=content)
    return None, lambda: sending.submit(draft=draft, call=call)


def advise_without_a_visit(way: str) -> tuple[Submission, Act]:
    """Prepare a decision that ends a visit and closes the request."""
    submission = visitor(way).submission
    keys = ending.arranged_for(submission=submission).keys
    given = verdict(submission, outcome="advice_only", close_request="yes", ends=[*keys.values()])
    client = builders.staff_client("clinician")
    return submission, lambda: client.post(page_of(submission, "decide"), given, follow=True)


def lose_the_time(way: str) -> tuple[Submission, Act]:
    """Prepare an act by which a patient loses an offered slot: another patient accepts it first."""
    first, second = waiting_for_a_time(2)
    reach(second, way)
    mine = Offer.objects.get(request__submission=first)
    return second, lambda: offers.accept(offer=mine, submission=first)


def time_becomes_free(way: str) -> tuple[Submission, Act]:
    gives_up = book.booked(book.patient(9))
    submission = fresh(way)
    waiting_list.join_waitlist(submission=submission)
    return submission, lambda: changing.cancel(appointment=gives_up)


def waiting_for_a_time(many: int) -> list[Submission]:
    """Return patients on the waiting list. A letter offered them a slot that had become free."""
    gives_up, rows = book.booked(book.patient(9)), [book.patient(n) for n in range(many)]
    for row in rows:
        waiting_list.join_waitlist(submission=row)
    changing.cancel(appointment=gives_up)
    outbox.deliver_due()
    return rows


def pressed(submission: Submission, button: str, *slots, **more):
    given = {"type": str(book.visit_type().pk), "slot": [slot.key for slot in slots], **more}
    return posted(desk_page_of(submission, button), given)


def posted(address: str, given: dict):
    return builders.staff_client("front desk").post(address, given, follow=True)


# act → how a patient hears of the act: if letters reach the patient, if no letter does
ACTS = {
    message: ("letter", "call"),
    offer: ("letter", "refused"),
    withdraw_offer: ("letter", "call"),
    book_by_call: ("letter", "knows"),
    overbook: ("letter", "call"),
    move: ("letter", "call"),
    cancel: ("letter", "call"),
    miss: ("letter", "call"),
    cancel_as_asked: ("letter", "knows"),
    want_no_visit: ("letter", "knows"),
    patient_books: ("letter", "knows"),
    patient_accepts: ("letter", "knows"),
    patient_moves: ("letter", "knows"),
    patient_cancels: ("letter", "knows"),
    patient_withdraws: ("letter", "knows"),
    patient_sends: ("letter", "knows"),
    patient_sends_with_a_time: ("letter", "knows"),
    staff_enter_a_call_for_another: ("letter", "call"),
    advise_without_a_visit: ("letter", "call"),
    lose_the_time: ("letter", "call"),
    time_becomes_free: ("letter", "passed over"),
}

OF_STAFF = set(ACTS) - {
    *(patient_books, patient_accepts, patient_moves, patient_cancels, patient_withdraws),
    *(patient_sends, patient_sends_with_a_time, advise_without_a_visit),
    staff_enter_a_call_for_another,
    *(lose_the_time, time_becomes_free),
}
