"""Show and save the contact step."""

from functools import partial

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinic.pagecache import blank
from clinic.requests import Request
from intake import documents
from intake.draft_content import CONTACT, SHOWN, Content, detail
from intake.errors import AnsweredSince
from intake.models.submissions import Draft
from intake.questionnaire import answering
from intake.questionnaire.forms.contact import ContactForm, field_names
from intake.questionnaire.views import two_windows
from intake.questionnaire.views.browser import (
    fields_to_keep,
    reach_words,
)
from intake.questionnaire.views.page_parts import (
    blank_step,
    is_accepted,
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
from intake.questionnaire.views.two_windows import TwoAnswers
from intake.questionnaire.walk import Walk


def contact_step(request: Request, draft: Draft, walk: Walk, step: str) -> HttpResponse:
    """Show the contact form, or save who the patient is and how to reach the patient."""
    returned = returned_page(walk, step)
    known = walk.content.contact or walk.content.panel or walk.content.typed.get(CONTACT)
    if request.method != "POST" and not (known or returned or request.GET):
        html = blank_contact(
            walk.protocol.content_hash,
            walk.kind,
            walk.content.answers.get(walk.uses.who.q),
            walk.before(step),
            reach_words(walk),
            progress(walk, step),
        )
        return blank.serve(request, html, revision=draft.revision)
    if request.method != "POST":
        return _show(request, draft, walk, returned)
    if request.POST.get("website"):  # a hidden box, which only bots fill in
        answering.mark_suspicious(draft=draft, why="trap")
    posted: QueryDict = request.POST
    if two_windows.CHOOSES in posted:
        answer = _chosen(request, draft, walk)
        if isinstance(answer, HttpResponse):
            return answer
        posted = answer
    form, saves = contact_form(walk, posted), posted.get("go") == "save"
    if LANGUAGE in request.POST:
        form.full_clean()
        return switch_language(request, draft, walk, step, typed=form.typed())
    is_valid = is_accepted(form)
    give_back_typed = partial(
        give_back, request, draft, walk, step, posted=posted, typed=form.typed()
    )
    if not is_valid:
        back = give_back_typed(why=KEPT if saves else "")
        return redirect("intake:save") if saves else back
    try:
        saved = answering.save_contact(
            draft=draft,
            contact=form.contact(),
            answers=form.answers(),
            kept=form.stored_blank,
            asked=form.given_names.values(),
            seen=revision_of(posted),
        )
    except AnsweredSince:
        back = give_back_typed()
        return redirect("intake:save") if saves else back
    return redirect_onward(request, saved, step)


def _show(request: Request, draft: Draft, walk: Walk, returned: Returned | None) -> HttpResponse:
    """Show the contact form: as given before, or as it came back, or with both of two details."""
    if returned is None:
        form = contact_form(walk, None)
        return show_step(request, walk, CONTACT, form, revision=draft.revision)
    form = contact_form(walk, two_windows.without_choices(returned.posted))
    if returned.why == KEPT:
        form.show_unjudged()
    elif is_accepted(form) and (asked := _two_details(walk, form, returned.posted)):
        return two_windows.show_choice(request, draft, walk, CONTACT, asked, returned.posted)
    return show_step(request, walk, CONTACT, form, revision=returned.posted.get("revision", ""))


def _two_details(walk: Walk, form: ContactForm, posted: QueryDict) -> list[TwoAnswers]:
    """Return both details for each field that another window has changed since."""
    mine = Content(contact=form.contact(), answers=form.answers()).given
    other = walk.content.given
    asked = [name for field, name in form.given_names.items() if field not in form.left_blank]
    since = answering.given_since(walk.content, mine, asked=asked, seen=revision_of(posted))
    veiled = [detail(CONTACT, name) for name in walk.content.veiled_contact]
    return [
        TwoAnswers(
            name,
            str(form.fields[field].label),
            mine=form.words_of(field, mine.get(name)),
            other=_("Answered") if name in veiled else form.words_of(field, other.get(name)),
            language=getattr(form.fields[field], "language", ""),
        )
        for field, name in form.given_names.items()
        if name in since
    ]


def _chosen(request: Request, draft: Draft, walk: Walk) -> QueryDict | HttpResponse:
    """Return what was posted on the contact step, with the choices of this request."""
    form = contact_form(walk, None)
    fields = {name: field for field, name in form.given_names.items()}
    veiled = [detail(CONTACT, name) for name in walk.content.veiled_contact]

    def take_other(posted: QueryDict, name: str) -> None:
        field, value = fields[name], walk.content.given.get(name)
        for control in form.controls_of_field(field):
            posted.pop(control, None)
        if name in veiled:  # a blank field that was not shown keeps its stored value
            shown = posted.get(SHOWN, "").split()
            posted[SHOWN] = " ".join(other for other in shown if other != field)
        elif value is not None:
            for control, text in form.controls_of({field: value}, [field])[field].items():
                posted[control] = text

    return two_windows.chosen(request, draft, walk, CONTACT, names=fields, take_other=take_other)


def contact_form(walk: Walk, posted: QueryDict | None) -> ContactForm:
    """Return the contact form with what was posted, or with what the draft has."""
    stored, fields = walk.content.typed.get(CONTACT) or walk.content.contact, field_names(walk.uses)
    given = {fields.get(name, name): value for name, value in stored.items()}
    veiled = [fields.get(name, name) for name in walk.content.veiled_contact]
    shown = {name: value for name, value in given.items() if name not in veiled}
    form = ContactForm(
        walk.words,
        known=walk.content.answers,
        kind=walk.kind,
        data=posted,
        initial=ContactForm.initial_of(walk.uses, shown, walk.content.answers),
    )
    form.keep(ContactForm.controls_of(given, fields_to_keep(form.data, veiled)))
    return form


@blank.remembered(most=128)
def blank_contact(
    content_hash: str,
    kind: str,
    who: str | None,
    before: str | None,
    reach: str,
    part: str,
) -> str:
    """Return the HTML of the empty contact step."""
    words = documents.wording(content_hash, get_language())
    form = ContactForm(words, known={words.protocol.uses.who.q: who}, kind=kind)
    approved = documents.protocol_of(content_hash).approved
    return blank_step(words, approved, CONTACT, form, part=part, before=before, reach=reach)
