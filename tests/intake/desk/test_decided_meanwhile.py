"""A decision on a submission that changed while the clinician was reading: nothing is lost.

Whatever happened meanwhile, the answer says what happened and by whom, keeps every typed word, and
stores no second decision.
"""

import re

import pytest
from django.contrib.auth.models import Group

from intake.domain import workflow
from intake.models.pending import PendingDecision
from intake.models.submissions import Decision, Submission, Urgency
from intake.my_page import replies
from tests import builders
from tests.desk import page_of, verdict, waiting, words

pytestmark = pytest.mark.django_db

MEANWHILE = "Somebody changed this submission while you were reading."


def fresh(submission: Submission) -> Submission:
    return Submission.objects.get(pk=submission.pk)


def decide(client, submission, **changes):
    return client.post(page_of(submission, "decide"), verdict(submission, **changes))


def colleague():
    return builders.staff_client("clinician", "dr-other")


def act(name: str, submission: Submission, **data: str) -> None:
    given = {"revision": fresh(submission).revision, **data}
    colleague().post(page_of(submission, name), given)


def move(submission: Submission, action: str) -> None:
    act("move", submission, action=action)


ACTS = {
    "decided": lambda row: decide(colleague(), row, outcome="book_soon"),
    "asked": lambda row: decide(
        colleague(), row, outcome=workflow.NEED_INFORMATION, sentence="more_needed"
    ),
    "closed": lambda row: (decide(colleague(), row), move(row, "close")),
    "reopened": lambda row: (decide(colleague(), row), move(row, "reopen")),
    "taken": lambda row: act("assign", row, to="me"),
    "answered": lambda row: replies.reply(submission=row, text="Thank you."),
    "alarmed": lambda row: replies.reply(submission=row, text="I cannot breathe."),
    "withdrawn": lambda row: replies.withdraw(submission=row),
}
BY_COLLEAGUE = ("decided", "asked", "closed", "reopened")


@pytest.mark.parametrize("seconds", [0, 60], ids=["at once", "held"])
@pytest.mark.parametrize("what", ACTS)
def test_whatever_happened_meanwhile_is_said_by_name_and_nothing_typed_is_lost(
    clinician, me, settings, what, seconds
):
    settings.UNDO_SECONDS = seconds
    submission = waiting(urgency=Urgency.SOON)
    ACTS[what](submission)
    for outcome in ("advice_only", workflow.EMERGENCY_CARE):
        response = decide(
            clinician,
            submission,
            outcome=outcome,
            call="not_reached",
            close_request="yes",
            reason="REASON-TYPED",
            note="NOTE-TYPED",
        )
        body = response.content.decode()
        problem = words_of_problem(body)

        assert response.status_code == 409
        assert MEANWHILE in problem
        assert ("dr-other decided: " in problem) == (what in BY_COLLEAGUE)
        assert "NOTE-TYPED" in body
        assert "REASON-TYPED" in body
        assert ("dr-other" in words(response)) == (what in (*BY_COLLEAGUE, "taken"))
        assert not Decision.objects.filter(by=me).exists()
        assert not PendingDecision.objects.filter(by=me).exists()


def words_of_problem(body: str) -> str:
    found = re.search(r'<div class="problem".*?</div>', body, re.S)
    return found.group() if found else ""


@pytest.mark.parametrize("seconds", [0, 60], ids=["at once", "held"])
@pytest.mark.parametrize("what", ACTS)
def test_a_clinician_who_has_read_what_happened_decides_or_reads_why_not(
    clinician, settings, what, seconds
):
    settings.UNDO_SECONDS = seconds
    submission = waiting(urgency=Urgency.SOON)
    ACTS[what](submission)
    row = fresh(submission)
    response = decide(clinician, row, note="NOTE-TYPED", alarm_read="on", reason="Read.")
    closed = what in ("decided", "closed", "withdrawn")

    assert response.status_code == (409 if closed else 302)
    if closed:
        assert "You cannot choose “decide” here" in words(response)
        assert "NOTE-TYPED" in response.content.decode()


# --- who may decide -------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["front desk", "auditor"])
def test_an_assignee_who_has_lost_the_right_decides_nothing_and_a_colleague_can(clinician, role):
    client, holder = colleague(), builders.member("clinician", "dr-other")
    submission = waiting(assignee=holder, status="in_review")
    holder.groups.set([Group.objects.get(name=role)])
    assert decide(client, submission, note="NOTE").status_code in (403, 404)
    assert not Decision.objects.exists()
    assert not PendingDecision.objects.exists()

    assert decide(clinician, submission).status_code == 302
    assert Decision.objects.get().by.username == "clinician"


# --- notes in any script --------------------------------------------------------------------------

LETTERS = {
    "Latin": "é", "Arabic": "ع", "Hebrew": "ש", "Hindi": "क", "Thai": "ก", "Chinese": "静",
    "outside the plane": "𠮷", "emoji": "🦵", "combining": "e\u0301", "lines": "a\r\n",
}  # fmt: skip


@pytest.mark.parametrize("script", LETTERS)
def test_a_note_of_4000_letters_is_stored_whole_in_any_script(clinician, script):
    """A line end is one letter, as a person counts, though a browser sends two."""
    letter = LETTERS[script]
    note = (letter * 4000)[:3998] if script == "combining" else letter * 4000
    note = (letter * 1999) + "ab" if script == "lines" else note
    submission = waiting()
    refused = decide(clinician, submission, note=note + "xyz" * 2)
    assert refused.status_code == 422
    assert len(refused.context["form"]["note"].value()) >= 4000

    assert decide(clinician, submission, note=note).status_code == 302
    stored = Decision.objects.get().words["note"]
    assert stored.replace("\r\n", "\n") == note.replace("\r\n", "\n")
    assert stored in clinician.get(page_of(submission)).context["page"].decisions[0].words["note"]
