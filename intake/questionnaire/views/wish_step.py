"""Show and save the last step before the check page: the wish, or the choice of a slot.

Patients choose a slot if APPOINTMENT_MODE is "slots".
"""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language

from clinic.pagecache import blank
from clinic.requests import Request
from intake import documents
from intake.appointments import open_requests
from intake.draft_content import APPOINTMENT
from intake.models.submissions import Draft, Kind
from intake.questionnaire import answering
from intake.questionnaire.forms.wish import Choices, WishForm
from intake.questionnaire.views.browser import reach_words
from intake.questionnaire.views.page_parts import (
    back_url,
    blank_step,
    is_accepted,
    panel_cards,
    redirect_onward,
    show_step,
)
from intake.questionnaire.views.returned import (
    KEPT,
    LANGUAGE,
    give_back,
    posted_or_returned,
    returned_page,
    switch_language,
)
from intake.questionnaire.views.times_step import times_step
from intake.questionnaire.walk import Walk


def wish_step(request: Request, draft: Draft, walk: Walk, step: str) -> HttpResponse:
    """Show or save the wish. If patients choose slots, show the free slots instead.

    A patient whose open requests leave no room for another one reads so before the questions.
    """
    if request.method != "POST" and leaves_no_room(walk):
        context = {"panels": panel_cards(walk), "back_url": back_url(request, walk, step)}
        return render(request, "intake/full.html", context)
    if settings.APPOINTMENT_MODE == "slots":
        return times_step(request, draft, walk)
    choices = choices_of(draft)
    returned = returned_page(walk, step)
    known = walk.content.wish or walk.content.panel or returned
    if request.method != "POST" and not (known or request.GET):
        html = blank_wish(
            walk.protocol.content_hash,
            walk.kind,
            walk.before(step),
            reach_words(walk),
            choices,
        )
        return blank.serve(request, html)
    form = WishForm(
        choices=choices,
        data=posted_or_returned(request, returned),
        initial=WishForm.initial_of(walk.content.wish),
    )
    if request.method != "POST":
        if returned is None or returned.why == KEPT:
            form.show_unjudged()
        else:
            is_accepted(form)
        return show_step(request, walk, step, form)
    if LANGUAGE in request.POST:
        return switch_language(request, draft, walk, step)
    if request.POST.get("go") == "add":
        more = WishForm.with_one_more(request.POST, choices)
        return give_back(request, draft, walk, step, posted=more, why=KEPT)
    if not is_accepted(form):
        saves = request.POST.get("go") == "save"
        back = give_back(request, draft, walk, step, why=KEPT if saves else "")
        return redirect("intake:save") if saves else back
    if leaves_no_room(walk):
        return give_back(request, draft, walk, step, why=KEPT)
    return redirect_onward(request, answering.save_wish(draft=draft, wish=form.wish()), step)


def leaves_no_room(walk: Walk) -> bool:
    """Whether the patient asks for a visit and has as many open requests as the clinic allows."""
    person = dict(walk.content.contact)
    return walk.kind == Kind.APPOINTMENT and open_requests.has_as_many_as_allowed(person=person)


def choices_of(draft: Draft) -> Choices:
    """Return the locations and clinicians to choose from.

    If the clinic has not stored any location yet, the locations are those in the settings.
    """
    people = tuple((pk, name) for pk, name in draft.clinicians)
    return Choices(tuple(draft.places or settings.CLINIC_PLACES), people)


@blank.remembered(most=128)
def blank_wish(
    content_hash: str,
    kind: str,
    before: str | None,
    reach: str,
    choices: Choices,
) -> str:
    """Return the HTML of the empty wish step."""
    words = documents.wording(content_hash, get_language())
    approved = documents.protocol_of(content_hash).approved
    form = WishForm(choices=choices)
    return blank_step(words, approved, kind, APPOINTMENT, form, before=before, reach=reach)
