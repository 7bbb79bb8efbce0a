"""Say where a submission stands, in the words of the patient's own page."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake.domain import workflow
from intake.models.calls import Call
from intake.models.submissions import Communication, Decision, Submission
from intake.my_page.readers import Reader
from intake.wording import moments

STATUS_WORDS = {
    "new": gettext_lazy("We have your request. No one has read it yet."),
    "in_review": gettext_lazy("A clinician is reading it."),
    "decided": gettext_lazy("A clinician has read it and decided what happens next."),
    "closed": gettext_lazy("This request is finished."),
    "withdrawn": gettext_lazy("You withdrew this request."),
}
OPENED = gettext_lazy("We have opened your request. A clinician will decide what happens next.")
PROGRESS_WORDS = {
    "requested": gettext_lazy("Our front desk has your request for a visit."),
    "called": gettext_lazy("Our front desk has called you about a visit."),
    "offered": gettext_lazy("We hold times for you. Please choose one."),
    "booked": gettext_lazy("The visit is booked."),
    "done": gettext_lazy("The visit took place."),
    "missed": gettext_lazy("The visit was missed. Please call us."),
    "withdrawn": gettext_lazy("You told us that no visit is wanted."),
}


def with_outcome(rows: QuerySet[Submission]) -> Iterator[tuple[Submission, str]]:
    """Yield each submission with the outcome of its newest decision, in one query."""
    newest = Decision.objects.filter(submission=OuterRef("pk")).order_by("-at", "-id")
    for row in rows.annotate(outcome=Subquery(newest.values("outcome")[:1])):
        yield row, vars(row)["outcome"] or ""


def outcome_of(submission: Submission) -> str:
    """Return the outcome of the newest decision, or '' without a decision.

    Makes no query for a submission that was not changed since sending.
    """
    if not submission.revision:
        return ""
    return submission.decisions.values_list("outcome", flat=True).first() or ""


def is_asked(submission: Submission) -> bool:
    """Whether the clinic waits for the patient's answer to a question of the clinic."""
    came_back = submission.status in workflow.IN_TRIAGE and submission.asked_at is not None
    return submission.status == "waiting" or came_back


def needs_emergency_care(submission: Submission, outcome: str) -> bool:
    """Whether the own page must first say that the patient needs emergency care."""
    untold = submission.redirected_at is not None and submission.status in workflow.OPEN
    decided = submission.status == "decided" and outcome == workflow.EMERGENCY_CARE
    return untold or decided


def short_words(submission: Submission, outcome: str) -> str:
    """Say in one sentence where the submission stands, for a list of submissions."""
    if needs_emergency_care(submission, outcome):
        return _("A clinician has read your request. This needs emergency care now.")
    if is_asked(submission):
        return _("We need more information from you.")
    if submission.status == "new":
        return _("We have your request.")
    return _state_words(submission)


def status_words(
    submission: Submission,
    outcome: str,
    *,
    letters: Sequence[Communication],
    readers: Sequence[Reader],
    visit_stands: bool,
    is_arranged: bool,
) -> str:
    """Say where the submission stands and what the patient has to do.

    `is_arranged`: the page shows a visit or offers, so the clinic has seen the request. Makes up to
    two queries to say how staff asked the patient for more, and one query to say when staff called.
    """
    if needs_emergency_care(submission, outcome):
        call = _call_words(submission) if submission.status == "decided" else ""
        return f"{short_words(submission, outcome)} {call}".strip()
    if is_asked(submission):
        return _asked_words(submission, letters)
    if submission.status == "new" and (readers or is_arranged):
        return str(OPENED) if readers else _("We have your request.")
    if submission.status == "decided" and outcome == "refer_elsewhere":
        return _(
            "A clinician has read your request. Another service can help you better. If we have "
            "not told you which one, please call us at %(phone)s."
        ) % {"phone": settings.CLINIC_PHONE}
    if submission.status == "decided" and outcome == "advice_only" and not visit_stands:
        return _("A clinician has looked at your request. No visit is needed for now.")
    return _state_words(submission)


def _state_words(submission: Submission) -> str:
    """Return the sentence for the submission's status.

    The sentence says that a clinician is reading the submission only if a clinician has taken it.
    """
    unread = submission.reply_due_at is not None or submission.assignee_id is None
    if submission.status == "in_review" and unread:
        return str(OPENED)
    return str(STATUS_WORDS[submission.status])


def _asked_words(submission: Submission, letters: Sequence[Communication]) -> str:
    """Say that staff need something more from the patient, how staff asked, and how to answer."""
    since = submission.asked_at or submission.decisions.values_list("at", flat=True).first()
    if since and any(row.by_id and row.at >= since for row in letters):
        return _("We need more information from you. Read the messages below, or call us.")
    # a call to a wrong number was no call to the patient
    call = submission.calls.exclude(outcome=Call.Outcome.WRONG_NUMBER).last()
    if call is None:
        request = _("We need more information from you.")
    elif call.outcome in Call.SPOKE:
        request = _("We spoke with you on %(day)s and are waiting for your answer.") % {
            "day": _day(call.at)
        }
    else:
        request = _("We need more information from you. We tried to call you on %(day)s.") % {
            "day": _day(call.at)
        }
    how = _("Please call us at %(phone)s, or write to us below.") % {"phone": settings.CLINIC_PHONE}
    return f"{request} {how}"


def _call_words(submission: Submission) -> str:
    """Return a sentence about the last call that reached the patient, or '' without a call."""
    call = submission.calls.filter(outcome__in=Call.SPOKE).last()
    return _("We spoke with you on %(day)s.") % {"day": _day(call.at)} if call else ""


def _day(at: datetime) -> str:
    return moments.day_words(timezone.localtime(at).date())


def visit_words(progress: str, outcome: str, *, offers: bool) -> str:
    """Say how far the request for a visit is. `offers`: times are held for the patient."""
    if progress == "withdrawn" and outcome in workflow.NO_VISIT:
        if offers:  # the decision closed the request, but the offers are still open
            return str(PROGRESS_WORDS["offered"])
        return _(
            "Your request for a visit is closed. If you still want one, please call us at "
            "%(phone)s."
        ) % {"phone": settings.CLINIC_PHONE}
    return str(PROGRESS_WORDS[progress])
