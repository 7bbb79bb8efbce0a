"""Show and save the last step before the check page: the wish, or the choice of a slot.

Patients choose a slot if APPOINTMENT_MODE is "slots".
"""

from django.conf import settings
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import get_language

from clinic.pagecache import blank
from clinic.requests import Request
from intake import documents
from intake.appointments import open_requests
from intake.draft_content import APPOINTMENT, Content, detail
from intake.errors import AnsweredSince
from intake.models.submissions import Draft, Kind
from intake.questionnaire import answering
from intake.questionnaire.forms.wish import Choices, WishForm
from intake.questionnaire.views import two_windows
from intake.questionnaire.views.browser import reach_words
from intake.questionnaire.views.page_parts import (
    back_url,
    blank_step,
    is_accepted,
    panel_cards,
    progress,
    redirect_onward,
    show_step,
)
from intake.questionnaire.views.returned import (
    KEPT,
    LANGUAGE,
    Returned,
    give_back,
    returned_page,
    revision_of,
    switch_language,
)
from intake.questionnaire.views.times_step import times_step
from intake.questionnaire.views.two_windows import TwoAnswers
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
            walk.before(step),
            reach_words(walk),
            progress(walk, step),
            choices,
        )
        return blank.serve(request, html, revision=draft.revision)
    if request.method != "POST":
        return _show(request, draft, walk, choices, returned)
    posted: QueryDict = request.POST
    if two_windows.CHOOSES in posted:
        answer = _chosen(request, draft, walk, choices)
        if isinstance(answer, HttpResponse):
            return answer
        posted = answer
    if LANGUAGE in request.POST:
        return switch_language(request, draft, walk, step)
    if request.POST.get("go") == "add":
        more = WishForm.with_one_more(request.POST, choices)
        return give_back(request, draft, walk, step, posted=more, why=KEPT)
    form, saves = WishForm(choices=choices, data=posted), posted.get("go") == "save"
    if not is_accepted(form):
        why = KEPT if saves else ""
        back = give_back(request, draft, walk, step, posted=posted, why=why)
        return redirect("intake:save") if saves else back
    if leaves_no_room(walk):
        return give_back(request, draft, walk, step, posted=posted, why=KEPT)
    try:
        saved = answering.save_wish(draft=draft, wish=form.wish(), seen=revision_of(posted))
    except AnsweredSince:
        back = give_back(request, draft, walk, step, posted=posted)
        return redirect("intake:save") if saves else back
    return redirect_onward(request, saved, step)


def _show(
    request: Request, draft: Draft, walk: Walk, choices: Choices, returned: Returned | None
) -> HttpResponse:
    """Show the wish: as given before, or as it came back, or with both of two wishes."""
    initial = WishForm.initial_of(walk.content.wish)
    if returned is None:
        form = WishForm(choices=choices, initial=initial)
        return show_step(request, walk, APPOINTMENT, form, revision=draft.revision)
    posted = returned.posted
    form = WishForm(choices=choices, data=two_windows.without_choices(posted), initial=initial)
    if returned.why == KEPT:
        form.show_unjudged()
    elif is_accepted(form) and (asked := _two_wishes(walk, form, posted)):
        return two_windows.show_choice(request, draft, walk, APPOINTMENT, asked, posted)
    return show_step(request, walk, APPOINTMENT, form, revision=posted.get("revision", ""))


def _two_wishes(walk: Walk, form: WishForm, posted: QueryDict) -> list[TwoAnswers]:
    """Return both values of each part of the wish that another window has changed since."""
    names = {detail(APPOINTMENT, part): part for part in WishForm.STORED}
    mine = Content(wish=form.wish()).given
    since = answering.given_since(walk.content, mine, asked=names, seen=revision_of(posted))
    other = walk.content.given
    return [
        TwoAnswers(
            name,
            str(WishForm.STORED[part]),
            mine=WishForm.part_in_words(part, mine.get(name)),
            other=WishForm.part_in_words(part, other.get(name)),
        )
        for name, part in names.items()
        if name in since
    ]


def _chosen(
    request: Request, draft: Draft, walk: Walk, choices: Choices
) -> QueryDict | HttpResponse:
    """Return what was posted on the step of the wish, with the choices of this request."""
    names = {detail(APPOINTMENT, part): part for part in WishForm.STORED}

    stored = WishForm(choices=choices, initial=WishForm.initial_of(walk.content.wish))

    def take_other(posted: QueryDict, name: str) -> None:
        stored.post_part(posted, names[name])

    return two_windows.chosen(request, draft, walk, APPOINTMENT, names=names, take_other=take_other)


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
    before: str | None,
    reach: str,
    part: str,
    choices: Choices,
) -> str:
    """Return the HTML of the empty wish step."""
    words = documents.wording(content_hash, get_language())
    approved = documents.protocol_of(content_hash).approved
    form = WishForm(choices=choices)
    return blank_step(words, approved, APPOINTMENT, form, part=part, before=before, reach=reach)
