"""A clinician's decision can be undone for a minute; then, or at the next page, it takes effect."""

from datetime import timedelta
from functools import partial
from itertools import product

import pytest
from django.utils import timezone

from clinic.models import Message
from intake.desk import pending
from intake.models.pending import PendingDecision
from intake.models.submissions import Decision, Submission, Urgency
from intake.my_page import replies
from tests import builders
from tests.desk import WORKLIST, Trail, page_of, verdict, waiting, words
from tests.intake.questionnaire.test_races import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _a_minute(settings):
    settings.UNDO_SECONDS = 60


@pytest.fixture
def clinician():
    return builders.staff_client("clinician")


def decide(client, submission, **changes):
    asked = {"close_request": "yes"} | changes
    return client.post(page_of(submission, "decide"), verdict(fresh(submission), **asked))


def undo(client, submission, revision=None):
    """Press Undo, on the newest page or on the page with `revision`."""
    given = {"revision": fresh(submission).revision if revision is None else revision}
    return client.post(page_of(submission, "undo"), given)


def fresh(submission: Submission) -> Submission:
    return Submission.objects.get(pk=submission.pk)


def state(submission: Submission) -> tuple:
    row = fresh(submission)
    return row.status, row.urgency, row.target_at, row.escalate_at, row.escalations


def minute_is_over() -> None:
    past = timezone.now() - timedelta(seconds=1)
    PendingDecision.objects.update(due_at=past)
    pending.apply_due()


OUTCOMES = ("book_urgent", "call_today", "advice_only", "refer_elsewhere", "need_more_information")
URGENCIES = (Urgency.ROUTINE, Urgency.SAME_DAY)


@pytest.mark.parametrize(("outcome", "urgency"), [*product(OUTCOMES, URGENCIES)])
def test_until_it_takes_effect_nothing_is_changed_and_nothing_leaves(outcome, urgency, clinician):
    row = waiting(urgency=urgency)
    Submission.objects.filter(pk=row.pk).update(escalate_at=timezone.now() + timedelta(hours=1))
    before, messages = state(row), Message.objects.count()
    changed = {"urgency": Urgency.SOON, "quick": ["known"], "outcome": outcome}
    decide(clinician, row, **changed, tell="bring_list", sentence="more_needed")
    assert (state(row), Message.objects.count()) == (before, messages)
    assert not Decision.objects.exists()

    undo(clinician, row)
    assert (state(row), Message.objects.count()) == (before, messages)
    assert not PendingDecision.objects.exists()

    # decided once more, it takes effect when the minute is over
    decide(clinician, row, **changed, tell="bring_list", sentence="more_needed")
    shown = fresh(row).revision
    minute_is_over()
    (decision,) = Decision.objects.all()
    assert decision.words["reason"] == "seen here before"
    assert (fresh(row).status, fresh(row).urgency) == (
        "waiting" if outcome == "need_more_information" else "decided",
        Urgency.SOON,
    )
    assert Message.objects.count() > messages  # the patient is told
    assert "too late to undo" in words(
        clinician.get(undo(clinician, row, shown).headers["Location"])
    )
    assert fresh(row).status != "new"


def test_the_page_says_for_whom_and_what_and_leads_to_the_next(clinician):
    row, other = waiting(urgency=Urgency.SOON), waiting()
    page = clinician.get(decide(clinician, row, outcome="book_soon").headers["Location"])
    assert "Stored for Quentin Canary: Book a visit soon. Open next: Quentin Canary" in words(page)
    assert "You decided: Book a visit soon. It takes effect when you open the next" in words(page)
    trail = Trail()
    following = clinician.get(page_of(other))
    assert following.status_code == 200
    assert fresh(row).status == "decided"
    assert [event.action for event in trail.events(subject=str(row.pk))] == ["decide"]
    assert "You decided" not in words(clinician.get(page_of(row)))


def test_the_list_lets_it_take_effect_too(clinician):
    row = waiting()
    decide(clinician, row)
    clinician.get(WORKLIST)
    assert fresh(row).status == "decided"


def test_a_call_or_emergency_care_is_not_held_back(clinician):
    row = waiting(urgency=Urgency.SAME_DAY)
    decide(clinician, row, outcome="redirect_emergency", call="not_reached", again="soon")
    assert fresh(row).redirected_at
    other = waiting()
    decide(clinician, other, outcome="need_more_information", call="reached", sentence="")
    assert Decision.objects.count() == 2
    assert not PendingDecision.objects.exists()


def test_a_second_decision_within_the_minute_replaces_the_first(clinician):
    row = waiting()
    decide(clinician, row, outcome="book_soon")
    decide(clinician, row, outcome="advice_only")
    minute_is_over()
    assert [decision.outcome for decision in Decision.objects.all()] == ["advice_only"]


def test_a_colleague_sees_who_decided_what_and_cannot_undo_it(clinician):
    row = waiting()
    decide(clinician, row, outcome="book_soon")
    other = builders.staff_client("clinician", "dr-other")
    assert "clinician has just decided: Book a visit soon." in words(other.get(page_of(row)))
    undo(other, row)
    assert PendingDecision.objects.exists()
    # the colleague had the page open before; what was typed stays, beside the first decision
    late = other.post(
        page_of(row, "decide"), verdict(row, outcome="call_today", note="Typed with care.")
    )
    assert late.status_code == 409
    assert "clinician decided: Book a visit soon" in words(late)
    assert "Typed with care." in late.content.decode()
    assert Decision.objects.get().outcome == "book_soon"


def test_an_own_act_on_the_page_comes_after_the_decision(clinician):
    row = waiting()
    decide(clinician, row, outcome="book_soon")
    revision = fresh(row).revision
    done = clinician.post(page_of(row, "assign"), {"to": "me", "revision": revision})
    assert done.status_code == 302
    assert (fresh(row).status, fresh(row).assignee.username) == ("decided", "clinician")


def test_when_the_patient_writes_meanwhile_the_decision_is_not_stored_and_said_so(clinician):
    row = waiting()
    decide(clinician, row, outcome="book_soon", note="Ring after six. " * 200)
    replies.reply(submission=fresh(row), text="My calf is swollen and I am short of breath.")
    page = clinician.get(WORKLIST)
    assert "Your decision for Quentin Canary is not stored" in words(page)
    assert fresh(row).status == "new"
    again = words(clinician.get(page_of(row)))
    assert "Not stored: clinician decided “Book a visit soon”" in again
    assert "Ring after six." in again
    decide(clinician, row, outcome="call_today", alarm_read="on")
    minute_is_over()
    assert fresh(row).status == "decided"
    assert "Not stored" not in words(clinician.get(page_of(row)))


def test_undoing_twice_or_without_the_right_changes_nothing(clinician):
    row = waiting()
    decide(clinician, row)
    assert undo(builders.staff_client("front desk"), row).status_code in (403, 404)
    trail = Trail()
    for _twice in range(2):
        undo(clinician, row)
    assert [event.detail.get("to") for event in trail.events(subject=str(row.pk))] == ["undone"]
    assert fresh(row).status == "new"


@pytest.mark.django_db(transaction=True)
def test_of_undo_and_effect_at_the_same_moment_exactly_one_wins(clinician):
    by = builders.member("clinician")
    for _number in range(4):
        row = waiting()
        decide(clinician, row)
        (held,) = PendingDecision.objects.filter(submission=row)
        applied = partial(pending.apply, pk=held.pk)
        undone, *_rest = at_once(
            [
                lambda row=row: pending.undo(submission=row, by=by, request_id="r"),
                applied,
                applied,
            ]
        )
        assert Decision.objects.filter(submission=row).count() == (0 if undone else 1)
        assert fresh(row).status == ("new" if undone else "decided")
        assert not PendingDecision.objects.exists()
