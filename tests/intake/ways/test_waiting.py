"""A question to a patient: who has the next step, for how long, and what the patient reads."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic import audit, hours
from clinic.models import Message
from clinic.opening_hours import ClinicHours
from intake.models.calls import CallTask
from intake.models.submissions import StatusChange, Submission, Urgency
from intake.my_page import replies
from intake.questionnaire import drafts, sending
from intake.ways import calls
from intake.ways import waiting as waiting_for_patient
from tests import builders
from tests.desk import CALLS, WORKLIST, Trail, cells, page_of, references, verdict, waiting, words
from tests.intake.way_in import inside, letters
from tests.intake.ways.asked import NO_WAY, ask, call, fresh, in_triage, read_by_patient, row_of

pytestmark = pytest.mark.django_db


def test_what_waits_for_the_patient_is_off_the_worklist_and_in_the_way_of_nobody(clinician):
    asked, other = waiting(urgency=Urgency.URGENT, hours=1), waiting(hours=3)
    response = ask(clinician, asked, sentence="more_needed")
    assert asked.reference not in references(clinician.get(WORKLIST))
    assert references(clinician.get(WORKLIST, {"status": "waiting"})) == [asked.reference]
    back = timezone.localtime(fresh(asked).back_at)
    (due,) = cells(clinician.get(WORKLIST, {"status": "waiting"}), "due")
    assert due.endswith(f"back {back:%a} {back.day} {back:%b}")
    decided = clinician.post(page_of(other, "decide"), verdict(other))
    assert str(asked.pk) not in decided.headers["Location"]
    assert response.status_code == 302
    page = words(clinician.get(page_of(asked)))
    assert "has the next step" in page


def test_the_patient_is_written_to_and_reminded_once(clinician):
    submission = builders.submission()
    letters()
    ask(clinician, submission, sentence="more_needed")
    assert "We have a message for you" in letters()[0]
    reminder = Message.objects.get(kind="more_reminder")
    assert reminder.due_at == hours.current().add_business_days(timezone.now(), 2)
    remind()
    (text,) = letters()
    assert "still waiting for your answer" in text
    assert submission.reference in text
    assert "/my/" in text
    assert "Add something" in read_page(submission)


def read_page(submission):
    return inside(submission).page.text


def remind() -> None:
    now = timezone.now()
    Message.objects.filter(kind="more_reminder").update(due_at=now, next_at=now)


@pytest.mark.parametrize("meanwhile", ["answered", "decided", "asked again", "withdrawn", "back"])
def test_nobody_is_reminded_of_what_is_over(clinician, me, meanwhile):
    submission = builders.submission()
    ask(clinician, submission, sentence="more_needed")
    row = fresh(submission)
    match meanwhile:
        case "answered":
            replies.reply(submission=row, text="Here it is.")
        case "decided":
            clinician.post(page_of(row, "decide"), verdict(row))
        case "asked again":
            ask(clinician, row, sentence="bring_list")
        case "withdrawn":
            replies.withdraw(submission=row)
        case "back":
            let_four_days_pass(row)
    letters()
    first = Message.objects.filter(kind="more_reminder").order_by("pk")[0]
    now = timezone.now()
    Message.objects.filter(pk=first.pk).update(due_at=now, next_at=now, expires_at=None)
    assert not [text for text in letters() if "still waiting for your answer" in text]
    assert Message.objects.get(pk=first.pk).state == "dropped"


def let_four_days_pass(row: Submission) -> None:
    """Make the submission due to return to the worklist now, as if four days had passed."""
    late = row.back_at - timezone.now() + timedelta(seconds=1)
    Submission.objects.filter(pk=row.pk).update(
        back_at=row.back_at - late, asked_at=row.asked_at and row.asked_at - late
    )
    waiting_for_patient.return_unanswered()


def test_without_an_answer_it_is_back_with_a_word_and_a_due_time(clinician):
    submission = waiting(urgency=Urgency.URGENT, hours=5)
    ask(clinician, submission, sentence="more_needed")
    assert waiting_for_patient.return_unanswered() == 0
    trail = Trail()
    let_four_days_pass(fresh(submission))

    stored = fresh(submission)
    assert references(clinician.get(WORKLIST)) == [submission.reference]
    assert (stored.status, stored.back_at) == ("in_review", None)
    assert stored.due_at is not None
    (state,) = cells(clinician.get(WORKLIST), "state")
    assert state.startswith("In review; no answer from the patient since ")
    assert "No answer from the patient since" in words(clinician.get(page_of(submission)))
    (event,) = trail.events(subject=str(submission.pk), action="state")
    assert (event.actor, event.detail["to"]) == (audit.system("waiting"), "in_review")
    last = StatusChange.objects.filter(submission=submission).last()
    assert (last.action, last.status, last.by) == ("return", "in_review", None)
    # a form from a page that was opened before the return is refused
    assert ask(clinician, submission, sentence="call_us").status_code == 409
    assert waiting_for_patient.return_unanswered() == 0


@pytest.mark.parametrize("left", [-3, 4, 100])
def test_the_target_moves_by_the_opening_time_that_we_waited(clinician, settings, left):
    settings.CLINIC_HOURS = ClinicHours.parse("Mon-Fri 09:00-17:00", [], settings.TIME_ZONE)
    submission = waiting(urgency=Urgency.URGENT, hours=left)
    before = submission.target_at
    ask(clinician, submission, sentence="more_needed")
    assert fresh(submission).target_at == before
    let_four_days_pass(fresh(submission))
    stored = fresh(submission)
    asked, back = stored.asked_at, timezone.now()
    calendar = hours.current()
    waited = calendar.open_time_between(asked, back)
    moved = calendar.open_time_between(before, stored.target_at)
    assert abs(moved - waited) < timedelta(seconds=5)
    # a submission that was late is as late as before the question; a submission that was in time
    # has as much time left as before
    was = calendar.open_time_between(before, asked) or calendar.open_time_between(asked, before)
    left_now = calendar.open_time_between(stored.target_at, back)
    left_now = left_now or calendar.open_time_between(back, stored.target_at)
    assert abs(was - left_now) < timedelta(seconds=5)


@pytest.mark.parametrize("how", ["reply", "addition", "addition to an addition", "call"])
def test_an_answer_brings_it_back_at_once(clinician, how):
    submission = builders.submission()
    asked = submission
    if how == "addition to an addition":
        submission = add_to(submission)
    ask(clinician, asked, sentence="more_needed")
    assert not in_triage(asked)
    match how:
        case "reply":
            inside(asked).post("/my/reply/", {"text": "Here it is."})
        case "call":
            call(clinician, asked, "reached", call_note="Told us all.")
        case _:
            add_to(submission)
    stored = fresh(asked)
    assert in_triage(asked)
    assert (stored.status, stored.asked_at, stored.back_at) == ("in_review", None, None)
    assert asked.reference in references(clinician.get(WORKLIST))
    assert (
        "have opened your request. A clinician will decide what happens next."
        in read_by_patient(asked)
    )
    # settling the answer does not take the submission off the worklist again
    clinician.post(page_of(asked, "settle"), {"revision": stored.revision})
    assert in_triage(asked)


def add_to(submission: Submission) -> Submission:
    draft, _key = replies.begin_addition(submission=submission, language="en")
    filled = builders.content()
    walked = drafts.walk_of(draft)
    content = walked.content.__class__(
        answers={**filled.answers, **walked.content.answers},
        contact=walked.content.contact,
        visited=filled.visited,
    )
    sealed = type(draft)._meta.get_field("content").seal_for(draft.pk, content.dump())
    type(draft).objects.filter(pk=draft.pk).update(content=sealed)
    draft.refresh_from_db()
    return sending.submit(draft=draft)


def test_words_of_alarm_bring_it_back_with_their_own_time(clinician):
    submission = builders.submission()
    ask(clinician, submission, sentence="more_needed")
    replies.reply(submission=submission, text="Now I can't breathe")
    stored = fresh(submission)
    assert (stored.status, stored.urgency) == ("in_review", Urgency.EMERGENCY)
    assert stored.target_at < timezone.now() + timedelta(days=4)
    assert in_triage(submission)


def test_for_the_same_day_only_a_clinician_who_spoke_with_the_patient_sends_it_away(clinician):
    submission = waiting(urgency=Urgency.SAME_DAY, hours=1)
    ask(clinician, submission, sentence="more_needed")
    assert "patient not reached" in cells(clinician.get(WORKLIST), "state")[0]
    desk = builders.member("front desk")
    for by, outcome in ((desk, "reached"), (builders.member("duty"), "not_reached")):
        calls.record(submission=submission, outcome=outcome, by=by, request_id="r")
        assert in_triage(submission)
        assert fresh(submission).escalate_at is not None
    assert fresh(submission).due_at == submission.target_at  # the submission is still due
    call(clinician, submission, "reached")
    stored = fresh(submission)
    assert not in_triage(submission)
    assert stored.escalate_at is None
    assert stored.back_at == hours.current().add_business_days(timezone.now(), 1)
    let_four_days_pass(stored)
    assert fresh(submission).escalate_at == fresh(submission).target_at


def test_a_patient_whom_no_letter_reaches_is_owed_a_call_and_waits_from_then_on(clinician):
    submission = row_of(NO_WAY, urgency=Urgency.URGENT)
    form = words(clinician.get(page_of(submission)))
    assert "No letter reaches this patient. Call (202) 555-0147" in form
    refused = ask(clinician, submission, sentence="")
    assert refused.status_code == 422
    assert "Note a call, or choose what the patient has to hear." in words(refused)
    ask(clinician, submission, sentence="bring_list")
    first = fresh(submission)
    assert first.asked_at is None
    assert "Nobody has told the patient yet" in words(clinician.get(page_of(submission)))
    desk, task = builders.member("front desk"), CallTask.objects.get()
    # the front desk reaches the patient, but does not tell the patient of the question
    calls.record(submission=submission, outcome="reached", by=desk, request_id="r")
    assert fresh(submission).asked_at is None
    calls.record(
        submission=submission,
        outcome="reached",
        words="Of it.",
        by=desk,
        request_id="r",
        tasks=[task],
    )
    told = fresh(submission)
    assert told.asked_at is not None
    assert told.back_at > first.back_at
    assert told.status == "waiting"
    assert not in_triage(submission)
    # the target time does not move, because until now the patient did not know of the question
    assert told.target_at == submission.target_at


def test_the_message_that_asks_stands_right_below_the_sentence_that_names_it(clinician):
    submission = builders.submission()
    ask(clinician, submission, sentence="more_needed")
    page = read_page(submission)
    assert page.index("Read the messages below") < page.index("From the clinic")
    assert page.index("From the clinic") < page.index("Put me on the waiting list")


def test_a_clinician_is_reading_it_is_said_only_of_a_clinician_who_has_it(clinician):
    submission = builders.submission()
    clinician.post(page_of(submission, "assign"), {"revision": 0, "to": "me"})
    assert read_by_patient(submission) == "A clinician is reading it."
    ask(clinician, fresh(submission), sentence="more_needed")
    inside(submission).post("/my/reply/", {"text": "Here it is."})
    assert "A clinician will decide what happens next." in read_by_patient(submission)
    clinician.post(page_of(submission, "settle"), {"revision": fresh(submission).revision})
    assert read_by_patient(submission) == "A clinician is reading it."


def test_the_answer_stands_on_top_of_the_page_with_its_button(clinician):
    submission = builders.submission()
    ask(clinician, submission, sentence="more_needed")
    inside(submission).post("/my/reply/", {"text": "It was 18 in October."})
    page = words(clinician.get(page_of(submission)))
    top = page[: page.index("Urgency")]
    assert "The patient wrote It was 18 in October." in top
    assert "Answer by" in top
    assert "We need to know a little more" not in top


@pytest.mark.parametrize("urgency", [Urgency.SAME_DAY, Urgency.EMERGENCY])
def test_a_call_that_is_owed_today_is_due_with_the_submission(clinician, urgency):
    submission = row_of(NO_WAY, urgency=urgency)
    ask(clinician, submission, sentence="more_needed")
    task = CallTask.objects.get()
    assert task.due_at == fresh(submission).target_at == submission.target_at


def test_the_call_list_says_what_the_clinician_asks_for(clinician):
    submission = row_of(NO_WAY, urgency=Urgency.URGENT)
    clinician.post(page_of(submission, "message"), {"revision": 0, "message": "thanks"})
    CallTask.objects.all().delete()
    ask(clinician, fresh(submission), sentence="bring_list")
    desk = builders.staff_client("front desk")
    (told,) = cells(desk.get(CALLS), "why")
    assert told.startswith("We need more information")
    assert "Please bring the list of your medicines" in told
    assert "Thank you" not in told
    page = clinician.get(page_of(submission)).content.decode()
    (owed,) = re.findall(r'class="owed".*?</section>', page, re.S)
    assert "Please bring the list of your medicines" in owed


def test_giving_it_back_leaves_it_waiting_for_the_patient(clinician):
    submission = waiting(urgency=Urgency.URGENT)
    clinician.post(page_of(submission, "assign"), {"revision": 0, "to": "me"})
    ask(clinician, fresh(submission), sentence="more_needed")
    clinician.post(page_of(submission, "assign"), {"revision": 2, "to": "nobody"})
    stored = fresh(submission)
    assert (stored.status, stored.assignee) == ("waiting", None)
    assert "No one has read it yet" not in read_by_patient(submission)


def test_deciding_while_it_waits_ends_the_waiting(clinician):
    submission = waiting(urgency=Urgency.URGENT)
    ask(clinician, submission, sentence="more_needed")
    row = fresh(submission)
    clinician.post(page_of(row, "decide"), verdict(row, outcome="book_urgent"))
    stored = fresh(submission)
    assert (stored.status, stored.asked_at, stored.back_at) == ("decided", None, None)


def test_what_the_release_before_left_waiting_stays_on_the_worklist(clinician):
    submission = waiting(status="waiting", revision=1)
    assert references(clinician.get(WORKLIST)) == [submission.reference]
    assert "Please call us at" in read_by_patient(submission)
    call(clinician, submission, "reached")
    assert fresh(submission).back_at is not None


def test_nobody_has_read_it_yet_is_said_only_while_it_is_true(clinician):
    submission = waiting()
    assert "No one has read it yet" in read_by_patient(submission)
    clinician.get(page_of(submission))
    assert "No one has read it yet" not in read_by_patient(submission)
    assert "have opened your request" in read_by_patient(submission)
