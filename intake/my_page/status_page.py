"""Show where a submission stands, or a list of the submissions that the code opened."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse, QueryDict
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
from intake.domain.definition import Protocol, Question, Rule
from intake.domain.triage import rule_for_text
from intake.errors import REFUSALS
from intake.models.access import Grant
from intake.models.submissions import Kind, Submission
from intake.my_page import readers, standing
from intake.my_page.browser_key import key_of
from intake.my_page.returned import REFUSAL, REPLY, give_back, returned_page
from intake.questionnaire import all_questions
from intake.questionnaire.usual_minutes import minutes_for
from intake.questionnaire.views.emergencies import as_fired
from intake.questionnaire.views.next_step import dead_channels, next_words
from intake.ways.contact import reach_of
from intake.wording import advice
from intake.wording.languages import if_foreign

MOST_HEARD = 20_000  # characters of a message that are judged; ten times what may be sent
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


def reply_form(grant: Grant, data: QueryDict | None = None) -> ReplyForm:
    """Return the form for a message about the chosen submission.

    Without `data`, it has what was typed before and was not sent, without errors.
    """
    chosen = grant.chosen
    second = second_question(chosen.protocol_id) if chosen else None
    if data is None and (returned := returned_page(grant, REPLY)):
        form = ReplyForm(second=second, data=returned.posted)
        form.show_unjudged()
        return form
    return ReplyForm(second=second, data=data)


def heard_in(form: ReplyForm, protocol: Protocol) -> Rule | None:
    """Return the alarm rule that the text of a message fires, sent or not; None if no rule fires.

    `protocol` judges the text.
    """
    text = form.data.get("text", "")[:MOST_HEARD]
    return rule_for_text(protocol, text, cannot_wait=says_cannot_wait(form, protocol))


def says_cannot_wait(form: ReplyForm, protocol: Protocol) -> bool:
    """Whether the patient says that the message needs help today."""
    second = protocol.uses.cannot_wait
    return second is not None and form.data.get("second") == second.answer


def heard_context(form: ReplyForm, protocol: Protocol, *, ask: bool = True) -> dict[str, Any]:
    """Return the card of the alarm rule that a message fires which was not sent.

    Promises no call, because the clinic does not have the message. `ask=False` needs no database.
    """
    rule = heard_in(form, protocol) if form.is_bound else None
    if rule is None:
        return {}
    words = documents.wording(protocol.content_hash, get_language())
    card = advice.card(words, as_fired(rule), phone=False, at=timezone.now(), ask=ask)
    return {
        "heard": card.whole,
        "heard_in": card.language or get_language(),
        "heard_spoken": card.language,
        "heard_draft": card.draft,
    }


def show(
    request: Request, grant: Grant, form: ReplyForm, *, status: int = 200, notice: str = ""
) -> HttpResponse:
    """Show the page of the chosen submission, or a list of submissions to choose from.

    `notice` says why the clinic did not do what the patient asked for. Danger in a message that was
    not sent is answered first.
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
    context |= heard_context(form, documents.newest(grant.chosen.protocol_id))
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
    reach = reach_of(submission)
    due, now = submission.reply_due_at, timezone.now()
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
        "dead_channels": dead_channels(reach),
        "words": words,
        "emergency": emergency,
        "asked": asked,
        "spoken": if_foreign(told_in),
        "told_in": told_in,
        "stop_told_in": spoken.language_of("emergency"),
        "draft": emergency and spoken.is_draft("emergency"),
        "next_text": "",
        **(
            next_words(submission, spoken, request=wish, reach=reach)
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
        "answer_by": hours.day_words(due, now) if due and due > now else "",
        "answer_is_late": due is not None and due <= now,
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
    """Decorate a view: after a refusal, show the own page as it is now, with the reason."""

    @wraps(view)
    def wrapper(request: Request, *, grant: Grant, submission: Submission) -> HttpResponse:
        try:
            return view(request, grant=grant, submission=submission)
        except REFUSALS as problem:
            fresh = grants.find(key_of(request)) or grant
            if request.method == "POST":
                nothing = QueryDict()
                return give_back(
                    request, fresh, REFUSAL, "intake:my", posted=nothing, notice=str(problem)
                )
            return show(request, fresh, reply_form(fresh), status=409, notice=str(problem))

    return wrapper
