"""Serve the steps of the walk: check that a step may be shown, and call the view of this step."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.views.decorators.http import require_http_methods

from clinic.requests import Request
from intake.draft_content import APPOINTMENT, CONTACT
from intake.errors import Blocked, Conflict
from intake.models.submissions import Draft
from intake.protocols import current, named
from intake.questionnaire.views import emergencies, young
from intake.questionnaire.views.browser import (
    page_of_protocol,
    protocol_of,
    redirect_to,
    typed_words,
    with_draft,
)
from intake.questionnaire.views.contact_step import contact_step
from intake.questionnaire.views.not_served import when_not_served
from intake.questionnaire.views.question_step import question_step
from intake.questionnaire.views.returned import LANGUAGE
from intake.questionnaire.views.typed_step import show_typed_step
from intake.questionnaire.views.wish_step import wish_step
from intake.questionnaire.walk import Walk


@when_not_served(show_typed_step)
def page(request: Request, step: str, protocol: str = "") -> HttpResponse:
    """Show or save one step. Emergency answers are looked for before the database is used.

    The protocol that the address names says which answers are an emergency. Old addresses name no
    protocol; for them, the protocol that is served first says this. A button that changes the
    language posts the page, too, so that an emergency is heard and nothing typed is lost.
    """
    language = request.POST.get(LANGUAGE, "")
    if language in dict(settings.LANGUAGES):
        with translation.override(language):
            return _answer(request, step, protocol)
    return _answer(request, step, protocol)


def _answer(request: Request, step: str, protocol: str) -> HttpResponse:
    """Judge a posted page for emergencies, then show or save it."""
    if request.method == "POST":
        judge = protocol_of(protocol)
        rules = emergencies.ticked_emergencies(request, judge, step)
        if rules:
            return emergencies.stop_at_once(request, judge, step, rules)
    return _page(request, step=step, protocol=protocol)


@require_http_methods(["GET", "HEAD", "POST"])
@with_draft
def _page(request: Request, *, draft: Draft, walk: Walk, step: str, protocol: str) -> HttpResponse:
    """Call the step's view if all earlier steps are done; otherwise redirect to the right page."""
    if walk.protocol.name != (protocol or current().name):
        return not_of_this_draft(request, walk, protocol, step)
    known = step in walk.steps or page_of_protocol(protocol_of(walk.protocol.name), step)
    if not known:
        return render(request, "errors/404.html", status=404)
    if not protocol and request.method != "POST":
        return redirect_to(walk.protocol, step, change=bool(request.GET.get("change")))
    if walk.interrupting_rules:
        # While the form is stopped, only the emergency answer can be changed: after the button 'I
        # picked this by mistake', or by a POST from a page that is still open in the browser.
        if not walk.stops_by(step) or not (walk.may_correct or request.method == "POST"):
            return redirect("intake:emergency")
    elif not walk.reachable(step):
        if request.method == "POST":
            return render(request, "intake/elsewhere.html", status=409)
        return redirect_to(walk.protocol, walk.first_open)
    handle = {CONTACT: contact_step, APPOINTMENT: wish_step}.get(step, question_step)
    try:
        return handle(request, draft, walk, step)
    except Blocked as blocked:
        return young.stop_minor(request, draft, blocked.assessment, walk.words)
    except Conflict as conflict:
        return show_typed_step(
            request, status=409, notice=str(conflict), step=step, protocol=protocol
        )


def not_of_this_draft(request: Request, walk: Walk, protocol: str, step: str) -> HttpResponse:
    """Answer a request for a page of another protocol than that of the draft. Saves nothing.

    A GET is redirected to a page of the draft. After a POST, the posted words are shown, so that
    the patient can copy them.
    """
    if protocol and named(protocol) is None:
        return render(request, "errors/404.html", status=404)
    if request.method != "POST":
        return redirect_to(walk.protocol, step if walk.reachable(step) else walk.first_open)
    typed = typed_words(protocol_of(protocol), step, request.POST)
    return render(request, "intake/other_questions.html", {"typed": typed}, status=409)
