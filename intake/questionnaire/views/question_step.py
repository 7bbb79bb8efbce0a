"""Show and save a page of questions of the protocol."""

from collections.abc import Collection, Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy

from clinic.pagecache import blank
from clinic.requests import Request
from intake import documents
from intake.domain import answers as domain
from intake.domain.asked_back import asked_back, with_answers
from intake.domain.definition import QuestionPage
from intake.domain.triage import interrupting_rules
from intake.forms.base import PageForm
from intake.models.submissions import Draft
from intake.questionnaire import drafts
from intake.questionnaire.views import asking, emergencies
from intake.questionnaire.views.browser import (
    draft_notice,
    fields_to_keep,
    page_url,
    reach_words,
)
from intake.questionnaire.views.page_parts import (
    back_url,
    page_name,
    panel_cards,
    progress,
    redirect_onward,
    unexpected_fields,
)
from intake.questionnaire.walk import Walk
from intake.wording.languages import if_foreign

CHANGED = gettext_lazy("What you wrote has changed. Please answer this once more.")


def question_step(request: Request, draft: Draft, walk: Walk, step: str) -> HttpResponse:
    """Show or save a page of questions.

    An emergency answer is saved and stops the form even if other answers of the page are wrong.
    """
    page = walk.page(step)
    assert page is not None  # pages.page() has checked that the step is on the route
    if request.method != "POST":
        return show_page(request, walk, page)
    about = asking.about_of(page)
    if about is not None and request.POST.get(asking.FIELD) != asking.token(walk, about):
        return show_page(request, walk, page, notice=CHANGED, status=409)
    if request.POST.get("go") == "save":
        drafts.keep_recognised(
            draft=draft, page=page, values=emergencies.recognised_answers(page, request.POST)
        )
        return redirect("intake:save")
    kept = fields_to_keep(request, walk.content.veiled)
    result = domain.clean_page(page, dict(request.POST.lists()), kept=kept)
    problem = unexpected_fields(request.POST, {question.id for question in page.questions})
    asks = [] if result.errors or problem else questions_back(walk, page, result.values, kept)
    if result.errors or problem or asks:
        preview = {**walk.known, **emergencies.recognised_answers(page, request.POST)}
        if interrupting_rules(walk.protocol, preview, si_screen=walk.si_screen):
            drafts.keep_recognised(
                draft=draft, page=page, values=emergencies.recognised_answers(page, request.POST)
            )
            return redirect("intake:emergency")
        form = PageForm(
            page,
            walk.words,
            proxied=walk.proxied,
            kept=kept,
            typed=request.POST,
            errors=result.errors,
            questions_back=asks,
            problem=problem,
        )
        if form.errors:
            context = page_context(request, walk, page, form)
            return render(request, template_of(page), context, status=422)
    after = drafts.save_page(draft=draft, page=page, values=result.values, kept=kept)
    return redirect_onward(request, after, step)


def questions_back(
    walk: Walk, page: QuestionPage, values: Mapping[str, Any], kept: Collection[str]
) -> list[tuple[str, str]]:
    """Return what the page asks back before it accepts these answers, by question.

    The page does not ask about answers that were accepted before.
    """
    before, here = walk.content.answers, {question.id for question in page.questions}
    if walk.done(page.id) and all(before.get(id) == values.get(id) for id in here - set(kept)):
        return []
    answers = {id: value for id, value in before.items() if id not in here or id in kept}
    answers |= values
    hidden = {*kept, *walk.content.veiled} - values.keys()
    asked = asked_back(walk.protocol, page, answers, hidden=hidden)
    texts = walk.words.protocol
    return [
        (id, with_answers(text, answers))
        for id, rule in asked
        if (text := texts.rule(rule.id).ask_back)
    ]


def show_page(
    request: Request,
    walk: Walk,
    page: QuestionPage,
    *,
    notice: Promise | str = "",
    status: int = 200,
) -> HttpResponse:
    """Show a page of questions, blank or with what the patient typed or answered before."""
    given = walk.content.typed.get(page.id) or domain.to_json(walk.content.answers)
    answers = {q.id: given[q.id] for q in page.questions if q.id in given}
    panels = panel_cards(walk)
    if answers or panels or request.GET or asking.about_of(page):
        kept = [q for q in answers if q in walk.content.veiled]
        shown = {q: value for q, value in answers.items() if q not in kept}
        form = PageForm(page, walk.words, proxied=walk.proxied, answers=shown, kept=kept)
        context = page_context(request, walk, page, form) | {"notice": notice}
        return render(request, template_of(page), context, status=status)
    html = blank_page(
        walk.protocol.content_hash,
        page.id,
        tuple(question.id for question in page.questions),
        walk.proxied,
        walk.before(page.id),
        walk.kind,
        reach_words(walk),
        page_name(page, walk.pages),
    )
    return blank.serve(request, html)


def template_of(page: QuestionPage) -> str:
    return "intake/asked.html" if asking.about_of(page) else "intake/page.html"


def page_context(
    request: Request, walk: Walk, page: QuestionPage, form: PageForm
) -> dict[str, Any]:
    """Return the context of a page of questions."""
    about = asking.about_of(page)
    return {
        "form": form,
        "page": page,
        "page_name": page_name(page, walk.pages),
        "title_language": if_foreign(walk.words.language_of_section(page.section)),
        "progress": progress(walk.words, page.section, walk.kind),
        "back_url": back_url(request, walk, page.id),
        "panels": panel_cards(walk),
        "change": bool(request.GET.get("change")),
        "notice": "",
        "reach": reach_words(walk),
        "draft_notice": draft_notice(walk.words, walk.protocol.approved),
        **({"asked": asking.context(about, walk)} if about is not None else {}),
    }


@blank.remembered(most=512)
def blank_page(
    content_hash: str,
    page_id: str,
    questions: tuple[str, ...],
    proxied: bool,
    before: str | None,
    kind: str,
    reach: str,
    name: str,
) -> str:
    """Return the HTML of a page of questions without answers."""
    words = documents.wording(content_hash, get_language())
    protocol = words.protocol
    whole = protocol.page(page_id)
    page = QuestionPage(
        id=whole.id,
        section=whole.section,
        title=whole.title,
        questions=tuple(q for q in whole.questions if q.id in questions),
    )
    context = {
        "form": PageForm(page, words, proxied=proxied),
        "page": page,
        "page_name": name,
        "title_language": if_foreign(words.language_of_section(page.section)),
        "progress": progress(words, page.section, kind),
        "back_url": page_url(protocol, before) if before else "",
        "panels": [],
        "change": False,
        "notice": "",
        "reach": reach,
        "draft_notice": draft_notice(words, documents.protocol_of(content_hash).approved),
    }
    here = page_url(protocol, page_id)
    return blank.make("intake/page.html", context, path=here)
