"""Two acts at once, on two connections: one wins, the other is told to read the page again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from clinic.models import Message
from intake.appointments import booking, ending, offers, taking
from intake.chart import details
from intake.desk import closing, decisions, transitions
from intake.desk.decisions import DecisionInput
from intake.errors import Conflict
from intake.models.appointments import Appointment, AppointmentRequest, during
from intake.models.calls import Call, CallTask
from intake.models.rota import Leave
from intake.models.submissions import Decision, StatusChange, Submission, Urgency
from intake.my_page import replies
from intake.staff import leaving
from intake.ways import calls, escalation
from intake.ways import waiting as waiting_for_patient
from tests import builders
from tests.desk import Trail, desk_page_of, page_of, verdict, waiting, words
from tests.intake import book

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*jobs):
    """Run the jobs in threads that start together. Returns the results in the order of the jobs."""
    barrier = Barrier(len(jobs))

    def run(job):
        try:
            barrier.wait(5)
            return job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def test_of_two_who_decide_one_is_told_to_read_again(monkeypatch):
    both_have_read, decide = Barrier(2), decisions.decide

    def decide_after_both_have_read(**what):
        both_have_read.wait(5)
        return decide(**what)

    monkeypatch.setattr(decisions, "decide", decide_after_both_have_read)
    submission = waiting(urgency=Urgency.SOON)
    people = [builders.staff_client("clinician", name) for name in ("dr-one", "dr-two")]
    trail = Trail()
    answers = at_once(
        *(
            lambda client=client, number=number: client.post(
                page_of(submission, "decide"), verdict(submission, note=f"NOTE-{number}")
            )
            for number, client in enumerate(people)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [302, 409]
    loser = next(answer for answer in answers if answer.status_code == 409)
    number = answers.index(loser)
    assert "Somebody changed this submission" in words(loser)
    assert f"NOTE-{number}" in loser.content.decode()
    (decision,) = Decision.objects.all()
    assert decision.words["note"] == f"NOTE-{1 - number}"
    assert Submission.objects.get().revision == 1
    assert StatusChange.objects.filter(action="decide").count() == 1
    assert len(trail.events(action="decide")) == 1


def test_of_many_who_take_it_one_has_it():
    submission = waiting()
    people = [builders.member("clinician", f"dr-{number}") for number in range(4)]

    def take(user):
        try:
            transitions.assign(
                submission=Submission.objects.get(pk=submission.pk),
                to=user,
                by=user,
                revision=0,
                request_id="r",
            )
        except Conflict:
            return None
        return user

    winners = [user for user in at_once(*(lambda u=u: take(u) for u in people)) if user]

    assert len(winners) == 1
    stored = Submission.objects.get()
    assert (stored.assignee, stored.revision) == (winners[0], 1)


def test_of_many_workers_one_tells_of_each_red_flag():
    due = timezone.now() - timedelta(minutes=1)
    rows = [waiting(urgency=Urgency.SAME_DAY, escalate_at=due) for _row in range(3)]
    told = at_once(*[escalation.escalate] * 4)

    assert sum(told) == 3
    steps = Message.objects.filter(kind="escalation").values_list("occasion", flat=True)
    assert sorted(step.partition(":")[0] for step in steps) == sorted(str(row.pk) for row in rows)
    assert set(Submission.objects.values_list("escalations", flat=True)) == {1}


@pytest.mark.parametrize("what", ["decide", "call"])
def test_what_ends_while_a_step_is_due_has_ended(what):
    due = timezone.now() - timedelta(minutes=1)
    submission = waiting(urgency=Urgency.SAME_DAY, escalate_at=due)
    client = builders.staff_client("clinician")
    data = verdict(submission) if what == "decide" else {"revision": 0, "call": "reached"}
    answer, _told = at_once(
        lambda: client.post(page_of(submission, what), data), escalation.escalate
    )

    assert answer.status_code == 302
    assert Submission.objects.get().escalate_at is None


def test_taking_it_begins_nothing_that_a_call_has_just_ended():
    submission = waiting(urgency=Urgency.SAME_DAY, escalate_at=timezone.now())
    people = [builders.member("clinician", name) for name in ("dr-one", "dr-two")]
    at_once(
        lambda: transitions.assign(
            submission=submission, to=people[0], by=people[0], revision=0, request_id="r"
        ),
        lambda: calls.record(
            submission=submission, outcome="reached", by=people[1], request_id="r"
        ),
    )

    stored = Submission.objects.get()
    assert stored.assignee == people[0]
    assert stored.escalate_at is None


def test_of_two_at_the_front_desk_who_book_one_time_for_two_patients_one_has_it(monkeypatch):
    both_have_seen_it, find = Barrier(2), taking.find_time

    def find_and_wait(*what, **more):
        found = find(*what, **more)
        both_have_seen_it.wait(5)
        return found

    book.clinician()
    slot, rows = book.free(), [book.patient(n) for n in range(2)]
    people = [builders.staff_client("front desk", name) for name in ("desk-one", "desk-two")]
    monkeypatch.setattr(booking, "find_time", find_and_wait)
    given = {"type": str(slot.visit_type.pk), "slot": slot.key}
    answers = at_once(
        *(
            lambda client=client, row=row: client.post(desk_page_of(row, "call"), given)
            for client, row in zip(people, rows, strict=True)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [302, 409]
    lost = next(n for n, answer in enumerate(answers) if answer.status_code == 409)
    assert "That time is no longer free. Nothing was booked." in words(answers[lost])
    assert "The nearest free times" in words(answers[lost])
    assert Appointment.objects.get().submission == rows[1 - lost]
    assert [book.progress(row) for row in rows] == (
        ["requested", "booked"] if lost == 0 else ["booked", "requested"]
    )


def test_of_many_workers_one_brings_each_row_back():
    rows = [waiting(urgency=Urgency.URGENT) for _n in range(3)]
    past = timezone.now() - timedelta(minutes=1)
    Submission.objects.update(status="waiting", asked_at=past - timedelta(days=5), back_at=past)
    returned = at_once(*(waiting_for_patient.return_unanswered for _n in range(4)))

    assert sum(returned) == len(rows)
    assert StatusChange.objects.filter(action="return").count() == len(rows)
    assert set(Submission.objects.values_list("status", "revision")) == {("in_review", 1)}


@pytest.mark.parametrize("ticked", [True, False])
def test_a_patient_who_takes_an_offer_while_it_is_closed_has_it_or_hears_that_it_is_gone(ticked):
    book.clinician()
    for number in range(6):
        row, slot = book.patient(number), book.free(7 + number)
        (offer,) = offers.offer(
            submission=row,
            slots=[slot.key],
            visit_type=slot.visit_type,
            by=builders.member("front desk"),
        )
        keys = ending.arranged_for(submission=row).keys
        choice = DecisionInput(
            urgency=Urgency(row.urgency),
            outcome="advice_only",
            reason="",
            close_request=True,
            ends=(keys["offers"],) if ticked else (),
        )
        me = builders.member("clinician")

        def decide(row=row, choice=choice, me=me):
            decisions.decide(
                submission=row, given=choice, by=me, revision=row.revision, request_id="r"
            )

        def accept(row=row, offer=offer):
            offers.accept(offer=offer, submission=row)

        decided, taken = at_once(*(lambda act=act: done(act) for act in (decide, accept)))
        assert book.progress(row) == ("booked" if taken else "withdrawn")
        assert row.appointments.filter(status="confirmed").exists() == taken
        assert Decision.objects.filter(submission=row).exists() == decided
        # after the decision, a ticked offer can no longer be accepted, but an unticked offer can
        assert (decided and taken) == (not ticked)


def done(act) -> bool:
    try:
        act()
    except Conflict:
        return False
    return True


def kept_long_ago() -> Submission:
    """Return a decided submission whose visit was kept 40 days ago, and nothing since."""
    book.clinician()
    submission, now = book.patient(), timezone.now()
    visit = book.booked(submission)
    given = DecisionInput(Urgency(submission.urgency), "book_routine", "")
    submission.refresh_from_db()
    who = {"by": builders.member("clinician"), "request_id": "r"}
    decisions.decide(submission=submission, given=given, revision=submission.revision, **who)
    start = now - timedelta(days=40)
    times = during(start, start + timedelta(minutes=30))
    Appointment.objects.filter(pk=visit.pk).update(
        status="completed", during=times, changed_at=start
    )
    AppointmentRequest.objects.update(progress="done")
    Decision.objects.update(at=start - timedelta(days=9))
    StatusChange.objects.update(at=start)
    return submission


def test_of_two_workers_one_closes_what_is_done():
    submission = kept_long_ago()
    assert sorted(at_once(closing.close_kept, closing.close_kept)) == [0, 1]
    assert StatusChange.objects.filter(submission=submission, action="close").count() == 1


def test_a_message_that_comes_while_the_worker_closes_waits_on_the_worklist():
    submission = kept_long_ago()
    at_once(
        closing.close_kept, lambda: replies.reply(submission=submission, text="It hurts again.")
    )
    assert list(Submission.objects.waiting()) == [submission]


@pytest.mark.parametrize("sweep", [leaving.begin_leaves, leaving.give_back_idle])
def test_of_two_workers_one_gives_back_what_somebody_holds(sweep):
    holder, today = builders.member("clinician", "dr-away"), timezone.localdate()
    Leave(person=holder, first_day=today, last_day=today).save()
    type(holder).objects.update(date_joined=timezone.now() - timedelta(days=99))
    row = waiting(assignee=holder, status="in_review")
    assert sorted(at_once(sweep, sweep)) == [0, 1]
    assert StatusChange.objects.filter(submission=row, action="release").count() == 1
    assert Submission.objects.get().assignee is None


def test_two_colleagues_who_call_the_same_patient_are_both_noted():
    submission = waiting()
    calls.owe(submission=submission, reason="message", occasion="x")
    clients = [builders.staff_client("clinician", name) for name in ("dr-one", "dr-two")]
    where = reverse("admin:intake_calltask_reached", args=[CallTask.objects.get().pk])
    pages = at_once(*(lambda each=each: words(each.post(where, follow=True)) for each in clients))
    assert Call.objects.count() == 2
    assert not CallTask.objects.open().exists()
    assert sum("A colleague called, too: Reached the patient" in page for page in pages) == 1


def test_of_two_who_correct_the_chart_one_is_told_to_read_again(monkeypatch):
    both_have_read, correct = Barrier(2), details.correct

    def correct_after_both_have_read(**what):
        both_have_read.wait(5)
        return correct(**what)

    monkeypatch.setattr(details, "correct", correct_after_both_have_read)
    submission = builders.submission()
    people = [builders.staff_client("front desk", name) for name in ("desk-one", "desk-two")]
    answers = at_once(
        *(
            lambda client=client, plan=f"Plan {number}": client.post(
                desk_page_of(submission, "chart"), {"payer": plan, "seen": ""}
            )
            for number, client in enumerate(people)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [302, 409]
    assert submission.chart_details.count() == 1
