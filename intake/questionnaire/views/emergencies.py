"""What stops the form: an emergency answer, judged before anything else, and whom to call."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import limits
from intake import documents
from intake.access import codes
from intake.access.forms import TellForm
from intake.domain import answers as domain
from intake.domain.conditions import holds
from intake.domain.definition import Page, Rule
from intake.domain.triage import Fired
from intake.errors import Conflict, NotReady
from intake.models.submissions import Draft, Kind
from intake.protocols import current
from intake.questionnaire import drafts, sending
from intake.questionnaire.views.browser import (
    HOUR,
    draft_missing,
    draft_notice,
    draft_of,
    follow,
    later,
    now,
    page_of_protocol,
    redirect_to,
    renew_cookie,
)
from intake.questionnaire.walk import Walk
from intake.wording import advice

TOO_MANY = gettext_lazy(
    "Too many messages came from your network just now. Please call us, or try again later."
)

# how often one mailbox hears of saved answers, and of what was sent
MAILS = {
    "save": ((3, timedelta(minutes=15)), (10, timedelta(days=1))),
    "confirm": ((3, timedelta(hours=8)),),
}


def judged(request: HttpRequest, step: str) -> tuple[Rule, ...]:
    """The interrupting rules that this page's own ticks fire, errors put aside."""
    page = page_of_protocol(step)
    if page is None or not any(question.interrupts for question in page.questions):
        return ()
    ticked = recognised(page, request.POST)
    # Whatever was answered before, and whether or not it can be read now: this alone stops.
    rules = (rule for rule in current().rules.rules if rule.interrupt is True)
    return tuple(rule for rule in rules if holds(rule.when, ticked, {}))


def recognised(page: Page, posted: QueryDict) -> dict[str, Any]:
    """What can be recognised of a page's answers, errors put aside."""
    found = ((q.id, domain.recognised_answer(q, posted.getlist(q.id))) for q in page.questions)
    return {name: value for name, value in found if value is not None}


def stop_at_once(request: HttpRequest, step: str, rules: tuple[Rule, ...]) -> HttpResponse:
    """Keep what was ticked if the database answers, and show whom to call in any case."""
    try:
        draft = draft_of(request)
        walk = drafts.walk_of(draft) if draft and not draft.submission_id else None
        page = walk.page(step) if walk else None
        if draft and page:
            values = recognised(page, request.POST)
            if drafts.keep_recognised(draft=draft, page=page, values=values).interrupting_rules:
                return redirect("intake:emergency")
    except (DatabaseError, Conflict):
        pass  # nobody waits for our database with a cold leg
    return emergency_now(request, rules)


def emergency_now(request: HttpRequest, rules: tuple[Rule, ...]) -> HttpResponse:
    """The emergency page from the rules alone, without draft and database."""
    fired = [as_fired(rule) for rule in rules]
    cards = advice.cards(now(), fired, urgency=fired[0].level, phone=False, at=timezone.now())
    return render(request, "intake/emergency.html", emergency_context(cards))


def as_fired(rule: Rule) -> Fired:
    """A rule as a fired one, for its words alone."""
    words = {name: getattr(rule, name) for name in Fired.__struct_fields__ if name != "inputs"}
    return Fired(**words, inputs=dict.fromkeys(rule.inputs))


@require_http_methods(["GET", "HEAD", "POST"])
def emergency(request: HttpRequest) -> HttpResponse:
    """The stop page: whom to call, 'I picked this by mistake', 'also tell the clinic'."""
    draft = draft_of(request)
    if draft is None:
        return draft_missing(request)
    if draft.submission_id:
        return after_telling(request, draft)
    follow(draft)
    walk = drafts.walk_of(draft)
    if not walk.interrupting_rules:
        return redirect_to(walk.first_open)
    if request.method != "POST":
        return show_emergency(request, walk, TellForm(proxied=walk.proxied), status=200)
    try:
        return renew_cookie(request, leave_stop(request, draft, walk), draft)
    except NotReady as not_ready:
        return redirect_to(not_ready.step)
    except Conflict:  # something happened in another window: read anew
        return redirect("intake:emergency")


def leave_stop(request: HttpRequest, draft: Draft, walk: Walk) -> HttpResponse:
    """The two buttons of the stop page."""
    if request.POST.get("go") == "mistake":
        page = walk.content.stops[-1]["page"] if walk.content.stops else "safety"
        drafts.take_back(draft=draft)
        # who had come as far as the check page came from there, and goes back to it
        change = bool(walk.content.contact and walk.content.wish)
        return redirect_to(page if page in walk.steps else walk.first_open, change=change)
    form = TellForm(data=request.POST, proxied=walk.proxied)
    if not form.is_valid():
        return show_emergency(request, walk, form, status=422)
    if seconds := count_send(request):
        return later(show_emergency(request, walk, form, status=429), seconds)
    sending.tell_clinic(
        draft=draft,
        phone=form.cleaned_data["phone"],
        name=form.cleaned_data["name"],
        request_id=request.request_id,
    )
    return redirect("intake:emergency")


def show_emergency(
    request: HttpRequest, walk: Walk, form: TellForm, *, status: int
) -> HttpResponse:
    fired = [f for f in walk.assessment.fired if f.interrupt is True]
    urgency = walk.assessment.urgency
    cards = advice.cards(walk.words, fired, urgency=urgency, phone=False, at=timezone.now())
    context = emergency_context(cards) | {
        "tell_form": form,
        "can_correct": True,
        "can_tell": True,
        "notice": TOO_MANY if status == 429 else "",
        "draft_notice": draft_notice(walk.words, walk.protocol.approved),
    }
    return render(request, "intake/emergency.html", context, status=status)


def emergency_context(cards: list[advice.Card]) -> dict[str, Any]:
    """What the stop page shows: at most three advice texts, then the rest. All speak one
    language, which may be another one than the page's."""
    texts = [card.whole for card in cards]
    return {
        "advice": texts[: advice.MOST_ADVICE],
        "more": texts[advice.MOST_ADVICE :],
        "spoken": cards[0].language if cards else "",
        "crisis": any(card.level == "crisis" for card in cards),
        "only_crisis": bool(cards) and all(card.level == "crisis" for card in cards),
        "tell_form": None,
        "can_correct": False,
        "can_tell": False,
        "told": False,
        "notice": "",
        "reference": "",
        "draft_notice": draft_notice(now(), current().approved),
    }


def emergency_again(request: HttpRequest, *, status: int, notice: str) -> HttpResponse:
    """Without the database nobody knows which rule it was; whom to call is the same."""
    words = _("Call %(emergency)s now. In a crisis call or text %(crisis)s.") % {
        "emergency": settings.EMERGENCY_NUMBER,
        "crisis": settings.CRISIS_LINE,
    }
    context = emergency_context([]) | {
        "advice": [words],
        "only_crisis": False,
        "tell_form": TellForm(data=request.POST if request.POST.get("go") == "tell" else None),
        "can_correct": True,
        "can_tell": True,
        "notice": notice,
    }
    return render(request, "intake/emergency.html", context, status=status)


emergency.again = emergency_again  # type: ignore[attr-defined]


def after_telling(request: HttpRequest, draft: Draft) -> HttpResponse:
    submission = draft.submission
    assert submission is not None
    if submission.kind != Kind.STOPPED:
        return redirect("intake:sent")
    words = documents.wording(submission.protocol_id, get_language())
    assessment = submission.result
    fired = [f for f in assessment.fired if f.interrupt is True]
    cards = advice.cards(words, fired, urgency=assessment.urgency, phone=True, at=timezone.now())
    context = emergency_context(cards) | {"told": True, "reference": submission.reference}
    return render(request, "intake/emergency.html", context)


def count_send(request: HttpRequest) -> int:
    """Count that a network sends something. Returns 0, or the seconds until it may send again."""
    key = f"send:{limits.peer(request)}"
    return limits.take_all(limits.Limit(key, settings.LIMIT_INTAKE_SENDS, HOUR))


def may_write_to(address: str, what: str) -> bool:
    """May a mailbox or phone that somebody typed be written to once more? Nobody fills another's by
    sending forms in their name."""
    mailbox = codes.address_key(address)
    return all(
        limits.take(f"{what}-mailbox-{most}:{mailbox}", capacity=most, per=per)
        for most, per in MAILS[what]
    )
