"""Show and save the contact step."""

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import get_language

from clinic.pagecache import blank
from clinic.requests import Request
from intake import documents
from intake.draft_content import CONTACT
from intake.models.submissions import Draft
from intake.questionnaire import answering
from intake.questionnaire.forms.contact import ContactForm, field_names
from intake.questionnaire.views.browser import (
    fields_to_keep,
    reach_words,
)
from intake.questionnaire.views.page_parts import (
    blank_step,
    is_accepted,
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
        )
        return blank.serve(request, html)
    form = contact_form(walk, posted_or_returned(request, returned))
    if request.method != "POST":
        if returned and returned.why == KEPT:
            form.show_unjudged()
        else:
            is_accepted(form)
        return show_step(request, walk, step, form)
    if request.POST.get("website"):  # a hidden box, which only bots fill in
        answering.mark_suspicious(draft=draft, why="trap")
    if LANGUAGE in request.POST:
        return switch_language(request, draft, walk, step)
    if not is_accepted(form):
        if request.POST.get("go") == "save":
            answering.keep_typed(draft=draft, step=CONTACT, typed=form.typed())
            return redirect("intake:save")
        return give_back(request, draft, walk, step, typed=form.typed())
    saved = answering.save_contact(
        draft=draft, contact=form.contact(), answers=form.answers(), kept=form.stored_blank
    )
    return redirect_onward(request, saved, step)


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
) -> str:
    """Return the HTML of the empty contact step."""
    words = documents.wording(content_hash, get_language())
    form = ContactForm(words, known={words.protocol.uses.who.q: who}, kind=kind)
    approved = documents.protocol_of(content_hash).approved
    return blank_step(words, approved, kind, CONTACT, form, before=before, reach=reach)
