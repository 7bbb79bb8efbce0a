"""The emergency page on the phone: stay on the line, ask where, call 911, record what was done."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from clinic.requests import StaffRequest
from intake.errors import Conflict, NotReady
from intake.models.phone_calls import PhoneCall
from intake.phone import entering
from intake.phone.forms import StopForm
from intake.questionnaire import drafts
from intake.questionnaire.views import emergencies
from intake.questionnaire.views.browser import draft_notice, redirect_to
from intake.questionnaire.walk import Walk
from intake.wording import advice
from intake.wording.reading import phone_words


def emergency(request: StaffRequest, call: PhoneCall, addresses: dict[str, str]) -> HttpResponse:
    """Show what to do and to read aloud, and store what was done. Called inside of the mount."""
    draft = drafts.find_draft_of_call(call)
    if draft is None or draft.submission_id:
        return redirect(addresses["open"])
    walk = drafts.walk_of(draft)
    if not walk.interrupting_rules:
        return redirect_to(walk.protocol, walk.first_open)
    initial = {"phone": phone_words(call.phone), "name": walk.content.contact.get("name", "")}
    if request.method != "POST":
        return _show(request, walk, StopForm(initial=initial))
    try:
        if request.POST.get("go") == "mistake":
            return emergencies.correct_or_tell(request, draft, walk)
        form = StopForm(request.POST)
        if not form.is_valid():
            return _show(request, walk, form, status=422)
        given = {name: form.cleaned_data[name] for name in ("came_of", "place", "phone", "name")}
        by, request_id = request.user, request.request_id
        entering.stop(call=call, draft=draft, by=by, request_id=request_id, **given)
    except NotReady as not_ready:
        return redirect_to(walk.protocol, not_ready.step)
    except Conflict:  # another tab has changed the draft, so the call opens where it stands now
        pass
    return redirect(addresses["open"])


def _show(request: StaffRequest, walk: Walk, form: StopForm, *, status: int = 200) -> HttpResponse:
    fired = [f for f in walk.assessment.fired if f.interrupt in (True, "ask")]
    among = walk.assessment.fired
    cards = advice.cards(walk.words, fired, among=among, phone=False, at=timezone.now())
    context = emergencies.emergency_context(walk.words, cards) | {
        "form": form,
        "proxied": walk.proxied,
        "procedure": settings.CRISIS_PROCEDURE,
        "draft_notice": draft_notice(walk.words, walk.protocol.approved),
    }
    return render(request, "admin/intake/phonecall/stop.html", context, status=status)
