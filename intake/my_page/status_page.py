"""Show where a submission stands, or a list of the submissions that the code opened."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _

from clinic import hours
from clinic.requests import Request
from intake import documents
from intake.access import grants
from intake.access.forms import ReplyForm
from intake.access.part_2 import is_offered
from intake.appointments.views.visit_words import visit_context
from intake.domain import workflow
from intake.domain.definition import Question
from intake.errors import REFUSALS
from intake.models.access import Grant
from intake.models.submissions import Kind, Submission
from intake.my_page import readers, standing
from intake.my_page.browser_key import key_of
from intake.questionnaire import all_questions
from intake.questionnaire.usual_minutes import minutes_for
from intake.questionnaire.views.next_step import next_words
from intake.wording.languages import if_foreign

READER_WORDS = {
    "clinician": gettext_lazy("A clinician"),
    "duty": gettext_lazy("The clinician on duty"),
    "front desk": gettext_lazy("The front desk"),
}


def second_question(protocol: str) -> Question | None:
    """Return the question whether a message can wait, in the language of this page.

    Returns None if danger in own words is heard well enough in this language. `protocol` is the
    content hash of the submission's protocol.
    """
    judge = documents.newest(protocol)
    spoken = documents.wording(judge.content_hash, get_language())
    second = judge.uses.cannot_wait
    if second is None or not judge.falls_short(spoken.language):
        return None
    return spoken.protocol.question(second.q)


def reply_form(grant: Grant, **options: Any) -> ReplyForm:
    """Return the form for a message about the chosen submission."""
    chosen = grant.chosen
    return ReplyForm(second=second_question(chosen.protocol_id) if chosen else None, **options)


def show(
    request: Request, grant: Grant, form: ReplyForm, *, status: int = 200, notice: str = ""
) -> HttpResponse:
    """Show the page of the chosen submission, or a list of submissions to choose from.

    `notice` says why the clinic did not do what the patient asked for.
    """
    if grant.chosen is None:
        rows = Submission.objects.filter(pk__in=grant.submissions).order_by("-submitted_at")
        listed = [
            (row.reference, row.submitted_at, standing.short_words(row, outcome))
            for row, outcome in standing.with_outcome(rows)
        ]
        return render(request, "my/list.html", {"rows": listed}, status=status)
    visit = visit_context(grant.chosen)
    context = visit | status_context(grant.chosen, visit)
    context |= {"form": form, "several": len(grant.submissions) > 1, "notice": notice}
    return render(request, "my/status.html", context, status=status)


def status_context(submission: Submission, visit: dict[str, Any]) -> dict[str, Any]:
    """Return the context of the page without the part about the visit.

    The context contains no answers of the patient.
    """
    wish = getattr(submission, "appointment_request", None)
    outcome = standing.outcome_of(submission)
    asked = standing.is_asked(submission)
    emergency = standing.needs_emergency_care(submission, outcome)
    # the page promises nothing while the patient has the next step
    promises = submission.status in workflow.IN_TRIAGE and not (asked or emergency)
    spoken = documents.wording(submission.protocol_id, get_language())
    letters = list(submission.communications.all())
    seen_by = readers.readers(submission)
    is_visit_open = wish is not None and wish.progress in workflow.REQUEST_OPEN
    language = get_language() or "en"
    # a patient in danger reads only approved words: if need be, in English
    told_in = spoken.language_of("emergency") if emergency else language
    with override(told_in):
        words = standing.status_words(
            submission,
            outcome,
            letters=letters,
            readers=seen_by,
            visit_stands=is_visit_open or bool(visit["offers"]),
            is_arranged=bool(visit["appointment"] or visit["offers"]),
        )
    return {
        "reference": submission.reference,
        "sent_at": submission.submitted_at,
        "words": words,
        "emergency": emergency,
        "asked": asked,
        "spoken": if_foreign(told_in),
        "told_in": told_in,
        "stop_told_in": spoken.language_of("emergency"),
        "draft": emergency and spoken.is_draft("emergency"),
        "next_text": "",
        **(
            next_words(submission, spoken, request=wish)
            if promises and submission.kind != Kind.STOPPED
            else {}
        ),
        "stopped": submission.kind == Kind.STOPPED,
        "visit": standing.visit_words(wish.progress, outcome, offers=bool(visit["offers"]))
        if wish
        else "",
        "letters": [
            {"text": row.words["text"], "ours": row.by_id is not None, "at": row.at}
            for row in letters
        ],
        "answer_by": hours.day_words(submission.reply_due_at, timezone.now())
        if submission.reply_due_at
        else "",
        "readers": [
            {"who": READER_WORDS.get(reader.role, _("Our staff")), "at": reader.at}
            for reader in seen_by
        ],
        "part_2_minutes": minutes_for(spoken.protocol, Kind.PART_2)
        if is_offered(submission)
        else 0,
        "all_minutes": minutes_for(documents.newest(submission.protocol_id))
        if all_questions.is_offered(submission)
        else 0,
        "may_withdraw": "withdraw" in workflow.allowed(submission.status),
        "withdrawn": submission.status == "withdrawn",
    }


def with_refusals(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a view: after a refusal, show the page as it is now, with the reason."""

    @wraps(view)
    def wrapper(request: Request, *, grant: Grant, submission: Submission) -> HttpResponse:
        try:
            return view(request, grant=grant, submission=submission)
        except REFUSALS as problem:
            fresh = grants.find(key_of(request)) or grant
            return show(request, fresh, reply_form(fresh), status=409, notice=str(problem))

    return wrapper
