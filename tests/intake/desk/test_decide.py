"""Deciding, taking, closing: one POST each, guarded by the revision that was read."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from clinic import audit, hours
from intake.models.submissions import Decision, StatusChange, Submission, Urgency
from intake.my_page import replies
from tests import builders
from tests.desk import WORKLIST, Trail, is_ticked, page_of, references, verdict, waiting, words

pytestmark = pytest.mark.django_db


def fresh(submission: Submission) -> Submission:
    return Submission.objects.get(pk=submission.pk)


def decide(client, submission, **changes):
    return client.post(page_of(submission, "decide"), verdict(submission, **changes))


# --- the target follows the urgency --------------------------------------------------------------


def test_who_is_raised_has_to_be_called_within_the_hours_of_the_new_urgency(clinician):
    submission = waiting(urgency=Urgency.ROUTINE)
    decide(
        clinician,
        submission,
        urgency=Urgency.SAME_DAY,
        reason="Sounds like a clot.",
        outcome="need_more_information",
        sentence="more_needed",
    )
    target = fresh(submission).target_at
    open_time = hours.current().open_time_between(timezone.now(), target)
    assert timedelta(hours=2) - open_time < timedelta(minutes=1)


def test_who_is_lowered_is_not_overdue_by_the_old_urgency(clinician):
    submission = waiting(urgency=Urgency.SAME_DAY, hours=-3)
    decide(
        clinician,
        submission,
        urgency=Urgency.ROUTINE,
        reason="An old swelling.",
        outcome="need_more_information",
        sentence="more_needed",
    )
    replies.reply(submission=submission, text="Here is the rest.")
    stored = fresh(submission)
    waited = stored.target_at - (stored.submitted_at + timedelta(days=84))
    assert waited < timedelta(minutes=1)


def test_what_is_opened_again_has_its_time_anew(clinician):
    submission = waiting(urgency=Urgency.URGENT, hours=-3)
    decide(clinician, submission)
    clinician.post(page_of(submission, "move"), {"revision": 1, "action": "reopen"})
    assert fresh(submission).target_at > timezone.now()


# --- decide ---------------------------------------------------------------------------------------


def test_a_decision_that_keeps_the_urgency(clinician, me):
    submission, other = waiting(urgency=Urgency.SOON), waiting()
    trail = Trail()
    response = decide(clinician, submission, outcome="book_soon", note="Ring after six.")

    # the page shows the decision and offers the next submission; the worklist drops the decided one
    assert response.headers["Location"] == page_of(submission)
    page = clinician.get(page_of(submission))
    offered = "Stored for Quentin Canary: Book a visit soon. Open next: Quentin Canary (Routine)"
    assert offered in words(page)
    assert (
        f'<a class="next" data-key="n" href="{page_of(other)}">Open next' in page.content.decode()
    )
    assert not trail.events(subject=str(other.pk))
    assert references(clinician.get(WORKLIST)) == [other.reference]
    stored = fresh(submission)
    assert (stored.status, stored.urgency, stored.revision) == ("decided", Urgency.SOON, 1)
    (decision,) = Decision.objects.all()
    assert decision.words == {"reason": "", "note": "Ring after six."}
    assert (decision.by, decision.revision) == (me, 0)
    assert (decision.urgency_before, decision.urgency) == (Urgency.SOON, Urgency.SOON)
    step = StatusChange.objects.order_by("at").last()
    assert (step.status, step.action, step.by) == ("decided", "decide", me)
    (event,) = trail.of(response)
    assert (event.actor, event.action, event.subject) == (
        audit.staff(me),
        "decide",
        str(submission.pk),
    )
    assert event.detail == {
        "outcome": "book_soon",
        "from": "soon",
        "to": "soon",
        "reason_given": False,
    }


def test_after_the_last_decision_there_is_no_next_to_open(clinician):
    submission = waiting()
    decide(clinician, submission)
    page = words(clinician.get(page_of(submission)))
    assert "Stored for Quentin Canary" in page
    assert "Open next" not in page


@pytest.mark.parametrize("to", [Urgency.EMERGENCY, Urgency.SOON])
def test_a_changed_urgency_needs_its_reason(clinician, to):
    submission = waiting(urgency=Urgency.URGENT)
    refused = decide(clinician, submission, urgency=to, reason="  ", note="Typed with care.")

    assert refused.status_code == 422
    assert "Say why you change the urgency." in words(refused)
    assert "Typed with care." in refused.content.decode()
    assert fresh(submission).revision == 0
    assert not Decision.objects.exists()

    decide(clinician, submission, urgency=to, reason="Spoke to her.")
    stored = fresh(submission)
    assert (stored.urgency, stored.assessed_urgency) == (to, Urgency.URGENT)
    assert Decision.objects.get().words["reason"] == "Spoke to her."


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": ""},
        {"outcome": "dance"},
        {"urgency": "9"},
        {"urgency": ""},
        {"urgency": "soon"},
        {"revision": ""},
        {"revision": "-1"},
        {"note": "x" * 4001},
    ],
)
def test_a_form_that_is_not_in_order_stores_nothing(clinician, changes):
    submission = waiting()
    response = decide(clinician, submission, **changes)

    assert response.status_code == 422
    assert "There is a problem" in words(response)
    assert fresh(submission).revision == 0
    assert not Decision.objects.exists()


def test_a_note_that_is_too_long_is_kept_whole_and_said(clinician):
    note = "It itches. " * 400
    response = decide(clinician, waiting(), note=note)

    assert note in response.content.decode()
    assert f"(it has {len(note.strip())})" in words(response)


def test_words_of_a_decision_are_sealed(clinician):
    from django.db import connection

    submission = waiting(urgency=Urgency.SOON)
    decide(clinician, submission, note="NOTECANARY", reason="REASONCANARY")
    with connection.cursor() as cursor:
        cursor.execute("select words from intake_decision")
        stored = bytes(cursor.fetchone()[0])

    assert b"CANARY" not in stored
    page = words(clinician.get(page_of(submission)))
    assert "NOTECANARY" in page
    assert "REASONCANARY" in page


def test_a_decision_on_what_was_changed_meanwhile_keeps_the_words_and_says_so(clinician):
    submission = waiting(urgency=Urgency.SOON)
    colleague = builders.staff_client("clinician", "dr-other")
    colleague.post(page_of(submission, "assign"), {"revision": 0, "to": "me"})
    response = decide(
        clinician,
        submission,
        urgency=Urgency.URGENT,
        reason="Typed with care.",
        note="All of it.",
        outcome="book_urgent",
    )
    body, text = response.content.decode(), words(response)

    assert response.status_code == 409
    assert "Somebody changed this submission while you were reading." in text
    assert "Read it again below, then decide." in text
    assert "Typed with care." in body
    assert "All of it." in body
    assert is_ticked(response, "book_urgent")
    assert "dr-other" in text
    assert not Decision.objects.exists()
    # after reading the page again, the clinician sends the same form successfully
    again = decide(clinician, fresh(submission), outcome="book_soon")
    assert again.status_code == 302
    assert Decision.objects.get().revision == 1


def test_what_a_colleague_decided_meanwhile_is_told_with_what_was_typed(clinician):
    submission = waiting()
    decide(builders.staff_client("clinician", "dr-other"), submission)
    response = decide(clinician, submission, outcome="need_more_information",
                      sentence="more_needed", note="Typed with care.")  # fmt: skip
    text = words(response)
    assert response.status_code == 409
    assert "Somebody changed this submission while you were reading." in text
    assert "the submission is “decided”." in text
    assert "This is not stored. You can copy it. Typed with care." in text


def test_what_is_closed_cannot_be_decided_and_the_page_says_why(clinician):
    submission = waiting(status="closed")
    response = decide(clinician, submission)

    assert response.status_code == 409
    assert "You cannot choose “decide” here: the submission is “closed”." in words(response)
    assert not Decision.objects.exists()


# --- take, give back, close, open again -----------------------------------------------------------


def test_taking_it_and_giving_it_back(clinician, me):
    submission = waiting()
    trail = Trail()
    assert "Take it" in words(clinician.get(page_of(submission)))
    clinician.post(page_of(submission, "assign"), {"revision": 0, "to": "me"})

    stored = fresh(submission)
    assert (stored.assignee, stored.status, stored.revision) == (me, "in_review", 1)
    text = words(clinician.get(page_of(submission)))
    assert "Give it back" in text
    assert "Take it" not in text
    assert references(clinician.get(WORKLIST, {"mine": "me"})) == [submission.reference]
    clinician.post(page_of(submission, "assign"), {"revision": 1, "to": "nobody"})
    stored = fresh(submission)
    assert (stored.assignee, stored.status) == (None, "new")
    details = [event.detail for event in trail.events(action="assign")]
    assert details == [{"to": str(me.pk)}, {"to": None}]


def test_closing_and_opening_again(clinician):
    submission = waiting(status="decided")
    trail = Trail()
    clinician.post(page_of(submission, "move"), {"revision": 0, "action": "close"})
    assert fresh(submission).status == "closed"
    clinician.post(page_of(submission, "move"), {"revision": 1, "action": "reopen"})

    assert fresh(submission).status == "in_review"
    assert [event.detail for event in trail.events(action="state")] == [
        {"from": "decided", "to": "closed"},
        {"from": "closed", "to": "in_review"},
    ]
    steps = StatusChange.objects.filter(submission=submission).order_by("at")
    assert [step.action for step in steps] == ["send", "close", "reopen"]


@pytest.mark.parametrize("action", ["close", "reopen", "", "decide", "no-such-thing"])
def test_a_move_that_is_not_allowed_is_a_message(clinician, action):
    submission = waiting()
    response = clinician.post(
        page_of(submission, "move"), {"revision": 0, "action": action}, follow=True
    )
    stored = fresh(submission)

    assert stored.status == "new"
    assert "You cannot choose" in words(response)
    assert StatusChange.objects.count() == 1


@pytest.mark.parametrize(
    "revision", ["7", "", "x", "-1", "9" * 20, pytest.param("9" * 5000, id="thousands of digits")]
)
def test_a_button_of_an_old_page_changes_nothing(clinician, revision):
    submission = waiting()
    response = clinician.post(
        page_of(submission, "assign"), {"revision": revision, "to": "me"}, follow=True
    )

    assert "Somebody changed this submission" in words(response)
    assert fresh(submission).revision == 0


# --- no other way changes a submission ------------------------------------------------------------


@pytest.mark.parametrize("name", ["decide", "assign", "move"])
def test_opening_an_address_of_a_button_changes_nothing(clinician, name):
    submission = waiting()
    before = Submission.objects.filter(pk=submission.pk).values().get()
    response = clinician.get(page_of(submission, name), verdict(submission, to="me"))

    assert response.headers["Location"] == page_of(submission)
    assert Submission.objects.filter(pk=submission.pk).values().get() == before


def test_posting_to_the_page_itself_changes_nothing(clinician):
    submission = waiting()
    before = Submission.objects.filter(pk=submission.pk).values().get()
    clinician.post(page_of(submission), verdict(submission, status="closed", person="x"))

    assert Submission.objects.filter(pk=submission.pk).values().get() == before


def test_djangos_own_log_of_the_admin_stays_empty(clinician):
    submission = waiting(urgency=Urgency.SOON)
    clinician.post(page_of(submission, "assign"), {"revision": 0, "to": "me"})
    decide(clinician, fresh(submission))

    assert not LogEntry.objects.exists()
