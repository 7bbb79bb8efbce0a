"""Put some work into each tab of the demonstration's worklist, with the services that staff use."""

from django.contrib.auth.models import User
from django.db import transaction

from clinic.models import Message
from intake.desk import decisions, saved_filters, transitions
from intake.domain import workflow
from intake.models.calls import Call
from intake.models.submissions import Submission, Urgency
from intake.my_page import replies
from intake.ways.calls import CallInput

REPLY = "I found my old results and will bring them. Is it all right to come by bus?"


@transaction.atomic
def load(*, by: User) -> None:
    """Let a clinician take, ask and decide on the newest submissions that can wait."""
    rows = Submission.objects.filter(status="new", urgency__lte=Urgency.SOON, suspect=False)
    newest = list(rows.order_by("-submitted_at")[:5])
    if len(newest) < 5:
        return
    mine, replied, asked, not_reached, decided = newest
    transitions.assign(submission=mine, to=by, by=by, revision=mine.revision, request_id="")
    replies.reply(submission=replied, text=REPLY)
    _decide(asked, by, workflow.NEED_INFORMATION, Call.Outcome.REACHED)
    _decide(not_reached, by, workflow.NEED_INFORMATION, Call.Outcome.NOT_REACHED)
    _decide(decided, by, "book_routine")
    # the invented patients get no messages, and so no reminder
    Message.objects.filter(kind="more_reminder").update(state=Message.State.DROPPED)
    saved_filters.save(
        name="Urgent, not taken",
        query="tab=triage&urgency=urgent&mine=nobody",
        is_shared=True,
        by=by,
        request_id="",
    )


def _decide(row: Submission, by: User, outcome: str, call: str = "") -> None:
    given = decisions.DecisionInput(
        urgency=Urgency(row.urgency),
        outcome=outcome,
        reason="",
        call=CallInput(outcome=call) if call else None,
    )
    decisions.decide(submission=row, given=given, by=by, revision=row.revision, request_id="")
