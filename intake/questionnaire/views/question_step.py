"""Show and save a page of questions of the protocol."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_lazy

from clinic.pagecache import blank
from clinic.requests import Request
from intake import documents
from intake.domain import answers as domain
from intake.domain.asked_back import asked_back, with_answers
from intake.domain.definition import QuestionPage
from intake.domain.triage import interrupting_rules
from intake.errors import AnsweredSince
from intake.forms.base import PageForm
from intake.models.submissions import Draft
from intake.questionnaire import answering
from intake.questionnaire.views import asking, emergencies, two_windows
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
from intake.questionnaire.views.returned import (
    CHANGED,
    KEPT,
    LANGUAGE,
    Returned,
    give_back,
    returned_page,
    revision_of,
    switch_language,
    typed_of,
)
from intake.questionnaire.walk import Walk
from intake.wording.languages import if_foreign

WORDS_CHANGED = gettext_lazy("What you wrote has changed. Please answer this once more.")


@dataclass(frozen=True)
class Judged:
    """What was posted on a page: the form that shows it, with the errors, and the valid answers."""

    form: PageForm
    values: Mapping[str, Any]
    kept: Collection[str]


def question_step(request: Request, draft: Draft, walk: Walk, step: str) -> HttpResponse:
    """Show or save a page of questions.

    An emergency answer is saved and stops the form even if other answers of the page are wrong, or
    if the page is left for another language.
    """
    page = walk.page(step)
    assert page is not None  # pages.page() has checked that the step is on the route
    if request.method != "POST":
        return show_page(request, draft, walk, page)
    if is_outdated(walk, page, request.POST):
        return give_back(request, draft, walk, step, posted=QueryDict(), why=CHANGED)
    posted: QueryDict = request.POST
    if two_windows.CHOOSES in posted:
        answer = two_windows.chosen_answers(request, draft, walk, page)
        if isinstance(answer, HttpResponse):
            return answer
        posted = answer
    elif LANGUAGE in posted:
        stop = stop_by_emergency(draft, walk, page, posted)
        return stop or switch_language(request, draft, walk, step)
    elif posted.get("go") == "save":
        return save_for_later(draft, walk, page, posted)
    judged = judge(walk, page, posted)
    if judged.form.errors:
        stop = stop_by_emergency(draft, walk, page, posted)
        return stop or give_back(request, draft, walk, step, posted=posted)
    try:
        after = answering.save_page(
            draft=draft,
            page=page,
            values=judged.values,
            kept=judged.kept,
            seen=revision_of(posted),
        )
    except AnsweredSince:
        return give_back(request, draft, walk, step, posted=posted)
    return redirect_onward(request, after, step)


def save_for_later(draft: Draft, walk: Walk, page: QuestionPage, posted: QueryDict) -> HttpResponse:
    """Save the answers that can be read and the page as it was typed, and ask for an address."""
    after = answering.keep_recognised(
        draft=draft,
        page=page,
        values=emergencies.recognised_answers(page, posted),
        posted=typed_of(posted),
        seen=revision_of(posted),
        why=KEPT,
    )
    return redirect("intake:emergency" if after.interrupting_rules else "intake:save")


def is_outdated(walk: Walk, page: QuestionPage, posted: QueryDict) -> bool:
    """Whether a page about words of danger was posted that showed other words than those of now."""
    about = asking.about_of(page)
    return about is not None and posted.get(asking.FIELD) != asking.token(walk, about)


def judge(walk: Walk, page: QuestionPage, posted: QueryDict) -> Judged:
    """Read what was posted on a page, and find its errors and what the page asks back."""
    kept = fields_to_keep(posted, walk.content.veiled)
    result = domain.clean_page(page, dict(posted.lists()), kept=kept)
    problem = unexpected_fields(posted, {question.id for question in page.questions})
    asks = [] if result.errors or problem else questions_back(walk, page, result.values, kept)
    form = PageForm(
        page,
        walk.words,
        proxied=walk.proxied,
        kept=kept,
        typed=posted,
        errors=result.errors,
        questions_back=asks,
        problem=problem,
    )
    return Judged(form, result.values, kept)


def stop_by_emergency(
    draft: Draft, walk: Walk, page: QuestionPage, posted: QueryDict
) -> HttpResponse | None:
    """Save the answers and stop the form, if they are an emergency. The rest of the page stays."""
    values = emergencies.recognised_answers(page, posted)
    if not interrupting_rules(walk.protocol, {**walk.known, **values}, si_screen=walk.si_screen):
        return None
    answering.keep_recognised(draft=draft, page=page, values=values)
    return redirect("intake:emergency")


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


def show_page(request: Request, draft: Draft, walk: Walk, page: QuestionPage) -> HttpResponse:
    """Show a page of questions: blank, as answered before, or as it came back to the patient."""
    returned = returned_page(walk, page.id)
    if returned and returned.why != CHANGED and not is_outdated(walk, page, returned.posted):
        return show_returned(request, draft, walk, page, returned)
    given = walk.content.typed.get(page.id) or domain.to_json(walk.content.answers)
    answers = {q.id: given[q.id] for q in page.questions if q.id in given}
    panels = panel_cards(walk)
    if answers or panels or request.GET or asking.about_of(page):
        kept = [q for q in answers if q in walk.content.veiled]
        shown = {q: value for q, value in answers.items() if q not in kept}
        form = PageForm(page, walk.words, proxied=walk.proxied, answers=shown, kept=kept)
        context = page_context(request, walk, page, form, revision=draft.revision)
        if returned:
            context["notice"] = WORDS_CHANGED
        return render(request, template_of(page), context, status=409 if returned else 200)
    html = blank_page(
        walk.protocol.content_hash,
        page.id,
        tuple(question.id for question in page.questions),
        walk.proxied,
        walk.before(page.id),
        reach_words(walk),
        page_name(page, walk.pages),
        progress(walk, page.id),
    )
    return blank.serve(request, html, revision=draft.revision)


def show_returned(
    request: Request, draft: Draft, walk: Walk, page: QuestionPage, returned: Returned
) -> HttpResponse:
    """Show a page with what was posted on it: with its errors, or with both of two answers."""
    posted = returned.posted
    if returned.why == KEPT:
        kept = fields_to_keep(posted, walk.content.veiled)
        form = PageForm(page, walk.words, proxied=walk.proxied, kept=kept, typed=posted)
    else:
        judged = judge(walk, page, two_windows.without_choices(posted))
        form = judged.form
        since = answering.given_since(
            walk.content,
            judged.values,
            asked=[q.id for q in page.questions if q.id not in judged.kept],
            seen=revision_of(posted),
        )
        if since and not form.errors:
            asked = two_windows.of_questions(walk, page, since, judged.values)
            return two_windows.show_choice(request, draft, walk, page.id, asked, posted)
    # the page does not show what another window has answered since, so it names its old revision
    context = page_context(request, walk, page, form, revision=posted.get("revision", ""))
    return render(request, template_of(page), context, status=422 if form.errors else 200)


def template_of(page: QuestionPage) -> str:
    return "intake/asked.html" if asking.about_of(page) else "intake/page.html"


def page_context(
    request: Request, walk: Walk, page: QuestionPage, form: PageForm, *, revision: int | str
) -> dict[str, Any]:
    """Return the context of a page of questions."""
    about = asking.about_of(page)
    return {
        "form": form,
        "page": page,
        "page_name": page_name(page, walk.pages),
        "title_language": if_foreign(walk.words.language_of_section(page.section)),
        "progress": progress(walk, page.id),
        "back_url": back_url(request, walk, page.id),
        "panels": panel_cards(walk),
        "change": bool(request.GET.get("change")),
        "notice": "",
        "revision": revision,
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
    reach: str,
    name: str,
    part: str,
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
        "progress": part,
        "back_url": page_url(protocol, before) if before else "",
        "panels": [],
        "change": False,
        "notice": "",
        "revision": blank.REVISION,
        "reach": reach,
        "draft_notice": draft_notice(words, documents.protocol_of(content_hash).approved),
    }
    here = page_url(protocol, page_id)
    return blank.make("intake/page.html", context, path=here)
