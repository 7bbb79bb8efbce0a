"""Decisions after which there is no visit: what each decision ends, and what the patient reads."""

import itertools
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Message
from intake.appointments import booking, changing, ending, offers, waiting_list
from intake.appointments.views.visit_words import visit_context
from intake.desk import decisions
from intake.desk.decisions import DecisionInput
from intake.errors import Conflict, Refused
from intake.models.appointments import Appointment, AppointmentRequest, WaitlistEntry
from intake.models.calls import Call, CallTask
from intake.models.submissions import Communication, Decision, StatusChange, Submission, Urgency
from intake.my_page import replies
from intake.my_page.status_page import status_context
from intake.ways import calls
from tests import builders
from tests.desk import (
    FRONT_DESK,
    WORKLIST,
    Trail,
    cells,
    desk_page_of,
    page_of,
    references,
    verdict,
    waiting,
    words,
)
from tests.intake import book
from tests.intake.way_in import inside, letters

pytestmark = pytest.mark.django_db

NO_VISIT = ("redirect_emergency", "refer_elsewhere", "advice_only")


@pytest.fixture(autouse=True)
def hours_of_a_clinician():
    book.clinician()


def fresh(submission: Submission) -> Submission:
    return Submission.objects.get(pk=submission.pk)


def decide(client, submission, outcome, **given):
    call = {"call": "reached"} if outcome == "redirect_emergency" else {}
    given = {"close_request": "yes", **call, **given}
    return client.post(
        page_of(submission, "decide"), verdict(fresh(submission), outcome=outcome, **given)
    )


def keys(submission: Submission) -> dict[str, str]:
    return ending.arranged_for(submission=submission).keys


def arrange(submission: Submission, what: str) -> None:
    """Book a visit, offer a slot, or put the patient on the waiting list."""
    desk = builders.member("front desk")
    match what:
        case "visit":
            book.booked(submission)
        case "offers":
            slots = [book.free(wall=wall).key for wall in ("09:00", "10:00")]
            offers.offer(
                submission=submission,
                slots=slots,
                visit_type=book.visit_type(),
                by=desk,
                request_id="r",
            )
        case "waitlist":
            waiting_list.join_waitlist(submission=submission, by=desk)


def read_by_patient(submission: Submission) -> str:
    """Return the words of the patient's page about the submission and the visit."""
    row = fresh(submission)
    visit = visit_context(row)
    said = status_context(row, visit)
    return f"{said['words']} | {'' if visit['is_booked'] else said['visit']}"


# --- ending what is arranged ----------------------------------------------------------------------


@pytest.mark.parametrize("outcome", NO_VISIT)
def test_the_open_request_is_closed_unless_the_clinician_says_no(clinician, outcome):
    closed, left = book.patient(1), book.patient(2)
    assert "Close the open request for a visit" in words(clinician.get(page_of(closed)))
    decide(clinician, closed, outcome)
    decide(clinician, left, outcome, close_request="no")

    assert book.progress(closed) == "withdrawn"
    assert "is closed. If you still want one, please call us" in read_by_patient(closed)
    assert book.progress(left) == "requested"
    assert "Your wish for a visit is with our front desk." in read_by_patient(left)
    desk = builders.staff_client("front desk")
    label = dict(Decision._meta.get_field("outcome").choices)[outcome]
    assert f"Closed: {label}" in words(desk.get(desk_page_of(closed)))
    assert f"Closed: {label}" in cells(desk.get(FRONT_DESK), "progress")
    # the front desk can reopen the closed request
    desk.post(
        desk_page_of(closed, "progress"),
        {"progress": "requested", "revision": fresh(closed).revision},
    )
    assert book.progress(closed) == "requested"


def test_the_patient_is_told_that_the_request_is_closed(clinician):
    reached, unreached = book.patient(1), builders.submission({"email": "", "prefer": "phone"})
    letters()
    decide(clinician, reached, "advice_only")
    decide(clinician, unreached, "advice_only")

    (text,) = letters()
    assert "There is a message for you" in text
    assert reached.reference in text
    (told,) = Communication.objects.filter(submission=reached)
    assert "We have closed your request for a visit." in told.words["text"]
    (task,) = CallTask.objects.all()
    assert (task.submission, task.reason) == (unreached, "message")


PARTS = ("visit", "offers", "waitlist")


@pytest.mark.parametrize("outcome", NO_VISIT)
@pytest.mark.parametrize("close", ["yes", "no"])
@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_shown_by_name_and_ended_only_by_its_own_tick(clinician, outcome, close, part):
    kept, ended = book.patient(1), book.patient(2)
    for submission in (kept, ended):
        arrange(submission, part)
    page = words(clinician.get(page_of(ended)))
    for name, told in (
        ("visit", "Cancel the visit on"),
        ("offers", "Take back the offered times:"),
        ("waitlist", "Take off the waiting list (since"),
    ):
        assert (told in page) == (name == part)
    trail = Trail()
    decide(clinician, kept, outcome, close_request=close)
    decide(clinician, ended, outcome, close_request=close, ends=[keys(ended)[part]])

    assert part in keys(kept)
    assert keys(ended) == {}
    after = {
        ("visit", "yes"): ("booked", "withdrawn"),
        ("visit", "no"): ("booked", "requested"),
        # as long as the offers are not ended, the patient can still accept one
        ("offers", "yes"): ("withdrawn", "withdrawn"),
        ("offers", "no"): ("offered", "requested"),
        # the request of a patient on the waiting list is open
        ("waitlist", "yes"): ("requested", "withdrawn"),
        ("waitlist", "no"): ("requested", "requested"),
    }
    assert (book.progress(kept), book.progress(ended)) == after[part, close]
    if part != "visit":  # a cancelled visit has a letter of its own
        told = Communication.objects.get(submission=ended).words["text"]
        assert ("no longer hold" in told) == (part == "offers")
        assert ("waiting list" in told) == (part == "waitlist")
    assert Message.objects.filter(kind="appointment_cancelled").count() == (part == "visit")
    fields = trail.events(action="decide", subject=str(ended.pk))[0].detail["fields"]
    assert fields == sorted([part, *(["request"] if close == "yes" else [])])


def test_an_offer_that_was_left_standing_can_be_taken_and_opens_the_request_again(clinician):
    submission = book.patient()
    arrange(submission, "offers")
    decide(clinician, submission, "advice_only")
    assert "We hold times for you. Please choose one." in read_by_patient(submission)
    assert "No visit is needed" not in read_by_patient(submission)
    first, _other = offers.open_offers(submission=submission)
    offers.accept(offer=first, submission=submission)
    assert book.progress(submission) == "booked"


def test_an_offer_that_lapses_leaves_a_closed_request_closed(clinician):
    submission = book.patient()
    arrange(submission, "offers")
    decide(clinician, submission, "advice_only")
    Appointment.objects.update(held_until=timezone.now() - timedelta(minutes=1))
    offers.lapse()
    assert book.progress(submission) == "withdrawn"
    assert "No visit is needed for now." in read_by_patient(submission)


def test_a_time_held_while_the_request_is_closed_is_not_booked(clinician):
    submission, slot = book.patient(), book.free()
    held = book.hold(submission=submission, slot=slot.key, visit_type=slot.visit_type)
    decide(clinician, submission, "advice_only")
    with pytest.raises(Refused, match="This request is over"):
        booking.confirm_hold(appointment=held, submission=submission)
    assert book.progress(submission) == "withdrawn"


def test_a_visit_that_was_moved_meanwhile_is_not_cancelled_at_its_new_time(clinician):
    submission = book.patient()
    arrange(submission, "visit")
    tick = keys(submission)["visit"]
    visit = Appointment.objects.get(status="confirmed")
    other = book.free(days=8)
    changing.reschedule(appointment=visit, slot=other.key, by=builders.member("front desk"))
    page = decide(clinician, submission, "advice_only", ends=[tick], note="Kept.")

    assert page.status_code == 422
    assert "What is arranged for this patient was changed while you were reading." in words(page)
    assert "Kept." in page.content.decode()
    assert Appointment.objects.filter(status="confirmed").exists()
    assert not Decision.objects.exists()


def test_what_is_arranged_is_looked_at_again_under_the_lock(clinician):
    """The patient leaves the waiting list after the clinician's form was read.

    The service sees the change and refuses.
    """
    submission = book.patient()
    arrange(submission, "waitlist")
    given = keys(submission)["waitlist"]
    waiting_list.leave_waitlist(submission=submission)
    choice = DecisionInput(
        urgency=Urgency.ROUTINE, outcome="advice_only", reason="", close_request=True, ends=(given,)
    )
    with pytest.raises(Conflict, match="What is arranged"):
        decisions.decide(
            submission=submission,
            given=choice,
            by=builders.member("clinician"),
            revision=submission.revision,
            request_id="r",
        )
    assert book.progress(submission) == "requested"


def test_a_decision_that_loses_ends_nothing(clinician):
    submission = book.patient()
    arrange(submission, "visit")
    tick = keys(submission)["visit"]
    old = verdict(submission, outcome="advice_only", close_request="yes", ends=[tick])
    builders.staff_client("clinician", "dr-other").post(
        page_of(submission, "assign"), {"revision": submission.revision, "to": "me"}
    )
    page = clinician.post(page_of(submission, "decide"), old)
    assert page.status_code == 409
    assert f'value="{tick}" id="id_ends_0" checked' in page.content.decode()
    assert Appointment.objects.filter(status="confirmed").exists()
    assert book.progress(submission) == "booked"
    assert not Message.objects.filter(kind="appointment_cancelled").exists()


def test_a_visit_that_is_cancelled_goes_to_the_waiting_list(clinician):
    first, second = book.patient(1), book.patient(2)
    arrange(first, "visit")
    arrange(second, "waitlist")
    decide(clinician, first, "advice_only", ends=[keys(first)["visit"]])
    assert book.progress(second) == "offered"


def test_who_only_stopped_at_an_emergency_is_asked_of_no_request(clinician):
    submission = waiting()
    AppointmentRequest.objects.all().delete()
    assert "Close the open request" not in words(clinician.get(page_of(submission)))
    assert decide(clinician, submission, "advice_only").status_code == 302
    assert not AppointmentRequest.objects.exists()


# --- emergency care ------------------------------------------------------------------------------


def test_emergency_care_is_not_stored_without_a_call(clinician):
    submission = waiting(urgency=Urgency.SOON)
    page = decide(clinician, submission, "redirect_emergency", call="", note="Kept.")
    assert page.status_code == 422
    assert "Say what became of the call." in words(page)
    assert "Kept." in page.content.decode()
    assert not Decision.objects.exists()
    assert (
        decide(
            clinician, submission, "redirect_emergency", call="not_reached", again="tomorrow"
        ).status_code
        == 422
    )


@pytest.mark.parametrize("urgency", Urgency)
@pytest.mark.parametrize("outcome", ["left_word", "not_reached"])
def test_who_was_not_reached_stays_on_top_and_escalates_until_a_clinician_reaches_them(
    clinician, urgency, outcome
):
    submission, _top = waiting(urgency=urgency, hours=48), waiting(urgency=Urgency.SAME_DAY)
    letters()
    decide(clinician, submission, "redirect_emergency", call=outcome, again="later")

    row = fresh(submission)
    assert (row.status, row.urgency) == ("in_review", Urgency.EMERGENCY)
    assert row.target_at <= timezone.now()
    assert row.escalate_at == Call.objects.get().again_at
    assert references(clinician.get(WORKLIST))[0] == submission.reference
    assert cells(clinician.get(WORKLIST), "state")[0] == "Emergency care; patient not reached"
    page = words(clinician.get(page_of(submission)))
    assert "Emergency care was decided on" in page
    assert "The patient is not reached yet: call again" in page
    assert "This needs emergency care." in read_by_patient(submission)
    assert "There is a message for you" in letters()[0]
    desk = builders.staff_client("front desk")
    assert "Emergency care; patient not reached" in words(desk.get(desk_page_of(submission)))
    # called again without success, then reached by a person who is not a clinician
    for by, became in (("duty", "not_reached"), ("front desk", "reached")):
        calls.record(submission=submission, outcome=became, by=builders.member(by), request_id="r")
        assert fresh(submission).status == "in_review"
        assert fresh(submission).escalate_at is not None
    clinician.post(
        page_of(submission, "call"), {"revision": fresh(submission).revision, "call": "reached"}
    )
    row = fresh(submission)
    assert (row.status, row.escalate_at, row.redirected_at) == ("decided", None, None)
    last = StatusChange.objects.filter(submission=submission).last()
    assert (last.action, last.status) == ("decide", "decided")
    assert submission.reference not in references(clinician.get(WORKLIST))
    assert "This needs emergency care. We spoke with you on" in read_by_patient(submission)


def test_a_patient_who_was_reached_at_once_is_decided_at_once(clinician):
    submission = waiting(urgency=Urgency.SAME_DAY)
    Submission.objects.update(escalate_at=timezone.now() + timedelta(minutes=9))
    decide(clinician, submission, "redirect_emergency")
    row = fresh(submission)
    assert (row.status, row.urgency, row.escalate_at) == ("decided", Urgency.SAME_DAY, None)
    assert Call.objects.get().outcome == "reached"


def test_another_decision_takes_the_place_of_emergency_care_that_nobody_was_told(clinician):
    submission = waiting(urgency=Urgency.SOON)
    decide(clinician, submission, "redirect_emergency", call="not_reached")
    decide(clinician, submission, "call_today")
    row = fresh(submission)
    assert (row.status, row.redirected_at, row.escalate_at) == ("decided", None, None)
    assert "emergency care" not in read_by_patient(submission)


def test_what_was_taken_back_by_a_patient_who_was_not_reached_stays_until_looked_at(clinician):
    submission = waiting(urgency=Urgency.SOON)
    decide(clinician, submission, "redirect_emergency", call="not_reached")
    replies.withdraw(submission=submission)
    assert references(clinician.get(WORKLIST)) == [submission.reference]
    clinician.post(
        page_of(submission, "call"), {"revision": fresh(submission).revision, "call": "reached"}
    )
    assert fresh(submission).status == "withdrawn"
    assert fresh(submission).redirected_at is None


def test_opened_again_after_emergency_care_nobody_is_said_to_be_unreached(clinician):
    submission = waiting(urgency=Urgency.SOON)
    decide(clinician, submission, "redirect_emergency")
    clinician.post(
        page_of(submission, "move"), {"revision": fresh(submission).revision, "action": "reopen"}
    )
    assert cells(clinician.get(WORKLIST), "state") == ["In review"]
    assert "emergency care" not in read_by_patient(submission)


def test_the_emergency_leads_the_patients_page_in_words_that_somebody_signed(clinician, settings):
    submission = builders.submission()
    decide(clinician, submission, "redirect_emergency", call="not_reached")
    page = inside(submission).page
    assert page.red_card
    assert page.text.index("This needs emergency care") < page.text.index("Where it stands")
    assert any(href == f"tel:{settings.EMERGENCY_NUMBER}" for href, _text in page.links)
    assert "front desk" not in page.text
    assert "What happens next" not in page.text


# --- what the patient reads -----------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [*NO_VISIT, "need_more_information", "call_today", "book_soon"])
def test_the_patient_reads_what_is_true(clinician, outcome):
    """Try each outcome with each result of the call and each arrangement.

    In half of the cases the clinician also closes the request.
    """
    calls = ("reached", "left_word") if outcome in ("redirect_emergency",) else ("",)
    if outcome == "need_more_information":
        calls = ("", "reached", "not_reached")
    states = (None, "request", *PARTS)
    made = itertools.product(calls, states, ("yes", "no"))
    for number, (call, state, close) in enumerate(made):
        case = f"{outcome} call={call} {state} close={close}"
        WaitlistEntry.objects.all().delete()
        Appointment.objects.all().delete()
        submission = book.patient(number)
        if state is None:
            AppointmentRequest.objects.filter(submission=submission).delete()
        elif state != "request":
            arrange(submission, state)
        sentence = "" if call else "more_needed"
        page = decide(
            clinician, submission, outcome, call=call, close_request=close, sentence=sentence
        )
        assert page.status_code == 302, case
        said = read_by_patient(submission)
        progress = book.progress(submission) if state else ""
        is_open = progress in ("requested", "called")

        assert "Nobody has read it yet" not in said, case
        assert ("with our front desk" in said) == is_open, case
        assert "You do not want a visit" not in said, case
        assert ("emergency care" in said) == (outcome == "redirect_emergency"), case
        assert ("another service" in said) == (outcome == "refer_elsewhere"), case
        none_needed = outcome == "advice_only" and not is_open and state not in ("visit", "offers")
        assert ("No visit is needed" in said) == none_needed, case
        assert ("We hold times for you" in said) == (state == "offers"), case
        assert ("Your request for a visit is closed" in said) == (
            progress == "withdrawn" and state != "offers"
        ), case
        asked = outcome == "need_more_information"
        assert ("Read the messages below" in said) == (asked and not call), case
        assert ("We spoke with you" in said) == (call == "reached"), case
        text = dict(visit_context(fresh(submission)))
        assert text["is_booked"] == (state == "visit"), case


def test_a_patient_reads_it_in_spanish_too(clinician):
    from django.utils import translation

    submission = book.patient()
    decide(clinician, submission, "advice_only")
    with translation.override("es"):
        said = read_by_patient(submission)
    assert "Por ahora no hace falta una visita." in said
    assert "Su solicitud de visita está cerrada." in said
