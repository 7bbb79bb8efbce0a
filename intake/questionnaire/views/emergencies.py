"""Stop the form because of an emergency answer, before any other check, and say whom to call."""

from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.requests import Request
from intake import documents
from intake.access.forms import TellForm
from intake.domain import answers as domain
from intake.domain.conditions import holds
from intake.domain.definition import Protocol, QuestionPage, Rule
from intake.domain.triage import Fired
from intake.domain.wording import Wording
from intake.draft_content import EMERGENCY
from intake.errors import Conflict, NotReady
from intake.models.submissions import Draft, Kind
from intake.protocols import current
from intake.questionnaire import answering, drafts, sending
from intake.questionnaire.views.browser import (
    draft_missing,
    draft_notice,
    draft_of,
    follow_page_language,
    page_of_protocol,
    redirect_to,
    renew_cookie,
    words_of,
)
from intake.questionnaire.views.not_served import when_not_served
from intake.questionnaire.views.request_limits import count_send, with_retry_after
from intake.questionnaire.views.returned import (
    KEPT,
    LANGUAGE,
    give_back,
    returned_page,
    switch_language,
)
from intake.questionnaire.walk import Walk
from intake.wording import advice
from intake.wording.closures import unread_words
from intake.wording.intentions import INTENTIONS, NO_NUMBER, WAIT
from intake.wording.languages import if_foreign

STOPPED: Final = "emergency"
"""The level whose rules stop the form."""
TOO_MANY = gettext_lazy(
    "Too many messages came from your network just now. Please call us, or try again later."
)


def ticked_emergencies(request: Request, protocol: Protocol, step: str) -> tuple[Rule, ...]:
    """Return the interrupting rules that fire for the posted answers of this page.

    Other errors on the page do not matter.
    """
    page = page_of_protocol(protocol, step)
    if page is None or not any(question.interrupts for question in page.questions):
        return ()
    ticked = recognised_answers(page, request.POST)
    # The earlier answers are not used, because they are in the database, which may be down.
    rules = (rule for rule in protocol.rules.rules if rule.interrupt is True)
    return tuple(rule for rule in rules if holds(rule.when, ticked, {}))


def recognised_answers(page: QuestionPage, posted: QueryDict) -> dict[str, Any]:
    """Return those posted answers of a page that can be read. Other errors do not matter."""
    found = ((q.id, domain.recognised_answer(q, posted.getlist(q.id))) for q in page.questions)
    return {name: value for name, value in found if value is not None}


def stop_at_once(
    request: Request, protocol: Protocol, step: str, rules: tuple[Rule, ...]
) -> HttpResponse:
    """Show whom to call in any case, and save the posted answers if the database works.

    The answers are not saved if the draft belongs to another protocol.
    """
    try:
        draft = draft_of(request)
        walk = drafts.walk_of(draft) if draft and not draft.submission_id else None
        page = walk.page(step) if walk and walk.protocol.name == protocol.name else None
        if draft and page:
            values = recognised_answers(page, request.POST)
            if answering.keep_recognised(draft=draft, page=page, values=values).interrupting_rules:
                return redirect("intake:emergency")
    except (DatabaseError, Conflict):
        pass  # a patient with an emergency must not wait for the database
    return emergency_now(request, protocol, rules)


def emergency_now(request: Request, protocol: Protocol, rules: tuple[Rule, ...]) -> HttpResponse:
    """Show the emergency page with the advice of these rules, without draft and database."""
    fired, words = [as_fired(rule) for rule in rules], words_of(protocol)
    cards = advice.cards(words, fired, among=fired, phone=False, at=timezone.now(), ask=False)
    context = emergency_context(words, cards) | {
        "draft_notice": draft_notice(words, protocol.approved)
    }
    return render(request, "intake/emergency.html", context)


def as_fired(rule: Rule) -> Fired:
    """Return a rule in the form of a fired rule, only to show its advice, without input values."""
    words = {name: getattr(rule, name) for name in Fired.__struct_fields__ if name != "inputs"}
    return Fired(**words, inputs=dict.fromkeys(rule.inputs))


def show_without_database(request: Request, *, status: int, notice: str) -> HttpResponse:
    """Show whom to call while the database is down. The rule that stopped the form is unknown."""
    words = words_of(current())
    with override(words.language_of(STOPPED)):
        advice_words = _("Call %(emergency)s now. In a crisis call or text %(crisis)s.") % {
            "emergency": settings.EMERGENCY_NUMBER,
            "crisis": settings.CRISIS_LINE,
        }
    typed = request.POST.get("go") == "tell" or LANGUAGE in request.POST
    tell_form = TellForm(data=request.POST if typed else None)
    if LANGUAGE in request.POST:
        tell_form.show_unjudged()
    context = emergency_context(words, []) | {
        "advice": [advice_words],
        "only_crisis": False,
        "tell_form": tell_form,
        "can_correct": True,
        "can_tell": True,
        "notice": notice,
    }
    return render(request, "intake/emergency.html", context, status=status)


@when_not_served(show_without_database)
@require_http_methods(["GET", "HEAD", "POST"])
def emergency(request: Request) -> HttpResponse:
    """Show whom to call, and the buttons 'I picked this by mistake' and 'Also tell the clinic'."""
    draft = draft_of(request)
    if draft is None:
        return draft_missing(request)
    if draft.submission_id:
        return show_told(request, draft)
    follow_page_language(draft)
    walk = drafts.walk_of(draft)
    if not walk.interrupting_rules:
        return redirect_to(walk.protocol, walk.first_open)
    if request.method != "POST":
        return show_tell_form(request, walk)
    try:
        return renew_cookie(request, correct_or_tell(request, draft, walk), draft)
    except NotReady as not_ready:
        return redirect_to(walk.protocol, not_ready.step)
    except Conflict:  # another window has changed the draft, so show the current page
        return redirect("intake:emergency")


def correct_or_tell(request: Request, draft: Draft, walk: Walk) -> HttpResponse:
    """Let the patient correct the answer ('I picked this by mistake'), or tell the clinic."""
    if request.POST.get("go") == "mistake":
        page = walk.content.stops[-1]["page"] if walk.content.stops else walk.steps[0]
        answering.retract_emergency(draft=draft)
        # with contact and wish filled in, the patient came from the check page and goes back there
        change = bool(walk.content.contact and walk.content.wish)
        step = page if page in walk.steps else walk.first_open
        return redirect_to(walk.protocol, step, change=change)
    if (intention := request.POST.get("intention", "")) in INTENTIONS:
        answering.keep_intention(draft=draft, intention=intention)
        return redirect(f"{reverse('intake:emergency')}#next")
    if LANGUAGE in request.POST:
        return switch_language(request, draft, walk, EMERGENCY)
    form = TellForm(data=request.POST, proxied=walk.proxied)
    with override(walk.words.language_of(STOPPED)):
        is_valid = form.is_valid()
    if not is_valid:
        return give_back(request, draft, walk, EMERGENCY)
    if seconds := count_send(request):
        return with_retry_after(show_emergency(request, walk, form, status=429), seconds)
    sending.tell_clinic(
        draft=draft,
        phone=form.cleaned_data["phone"],
        name=form.cleaned_data["name"],
        request_id=request.request_id,
    )
    return redirect("intake:emergency")


def show_tell_form(request: Request, walk: Walk) -> HttpResponse:
    """Show the emergency page. The form that tells the clinic may have come back with errors."""
    returned = returned_page(walk, EMERGENCY)
    form = TellForm(data=returned.posted if returned else None, proxied=walk.proxied)
    if returned and returned.why == KEPT:
        form.show_unjudged()
    with override(walk.words.language_of(STOPPED)):
        has_errors = bool(form.errors)
    return show_emergency(request, walk, form, status=422 if has_errors else 200)


def show_emergency(request: Request, walk: Walk, form: TellForm, *, status: int) -> HttpResponse:
    fired = [f for f in walk.assessment.fired if f.interrupt in (True, "ask")]
    among = walk.assessment.fired
    cards = advice.cards(walk.words, fired, among=among, phone=False, at=timezone.now())
    context = emergency_context(walk.words, cards) | {
        "tell_form": form,
        "can_correct": True,
        "can_tell": True,
        "notice": TOO_MANY if status == 429 else "",
        "draft_notice": draft_notice(walk.words, walk.protocol.approved),
    }
    if not context["crisis"]:
        context |= intention_context(walk)
    return render(request, "intake/emergency.html", context, status=status)


def intention_context(walk: Walk) -> dict[str, Any]:
    """Return what the patient may mean to do, what the patient chose, and the reply to the choice.

    The emergency page after thoughts of suicide does not ask this.
    """
    last = walk.content.stops[-1] if walk.content.stops else {}
    said = last.get("intention", "")
    replies = []
    with override(walk.words.language_of(STOPPED)):
        if said:
            replies.append(str(INTENTIONS[said].reply) % {"tel": settings.EMERGENCY_NUMBER})
        if said == WAIT:
            replies.append(str(NO_NUMBER))
    return {"intentions": INTENTIONS, "said": said, "replies": replies}


def emergency_context(words: Wording, cards: list[advice.Card]) -> dict[str, Any]:
    """Return the context of the emergency page.

    `advice` has the first three advice texts, `more` has all further texts. All texts are in one
    language, `told_in`: English until a person has signed the translation. `spoken` is `told_in` if
    the page has another language.
    """
    texts = [card.whole for card in cards]
    told_in = words.language_of(STOPPED)
    with override(told_in):
        unread = unread_words(timezone.now(), ask=False)
    return {
        "advice": texts[: advice.MOST_ADVICE],
        "more": texts[advice.MOST_ADVICE :],
        "told_in": told_in,
        "spoken": if_foreign(told_in),
        "draft": words.is_draft(STOPPED),
        "crisis": any(card.level == "crisis" for card in cards),
        "only_crisis": bool(cards) and all(card.level == "crisis" for card in cards),
        "poison": any(settings.POISON_LINE in text for text in texts),
        "tell_form": None,
        "can_correct": False,
        "can_tell": False,
        "told": False,
        "intentions": {},
        "notice": "",
        "reference": "",
        "unread": unread,
        "draft_notice": draft_notice(words_of(current()), current().approved),
    }


def show_told(request: Request, draft: Draft) -> HttpResponse:
    """Show the emergency page after the patient told the clinic.

    If the draft was sent from the check page, redirects to the receipt instead.
    """
    submission = draft.submission
    assert submission is not None
    if submission.kind != Kind.STOPPED:
        return redirect("intake:sent")
    words = documents.wording(submission.protocol_id, get_language())
    assessment = submission.result
    fired = [f for f in assessment.fired if f.interrupt in (True, "ask")]
    cards = advice.cards(words, fired, among=assessment.fired, phone=True, at=timezone.now())
    context = emergency_context(words, cards) | {
        "told": True,
        "reference": submission.reference,
        "draft_notice": draft_notice(words, words.protocol.approved),
    }
    return render(request, "intake/emergency.html", context)
