"""The steps of the walk: the questionnaire's pages and the contact. The wish is in wish.py."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.pagecache import blank
from intake import documents
from intake.domain import answers as domain
from intake.domain.definition import Page, Protocol
from intake.domain.translation import Wording
from intake.domain.triage import Fired, interrupting_rules
from intake.draft_content import APPOINTMENT, CONTACT
from intake.errors import Blocked, Conflict
from intake.forms.base import PageForm
from intake.models.submissions import Draft, Kind
from intake.protocols import current
from intake.questionnaire import drafts
from intake.questionnaire.forms.contact import ContactForm
from intake.questionnaire.forms.wish import Choices, WishForm
from intake.questionnaire.views import emergencies, young
from intake.questionnaire.views.browser import (
    draft_notice,
    kept_blank,
    now,
    page_of_protocol,
    reach_words,
    redirect_to,
    with_draft,
)
from intake.questionnaire.walk import Walk
from intake.wording import advice

OWN_FIELDS = {"csrfmiddlewaretoken", "go", "change", "website", "shown"}


def page(request: HttpRequest, step: str) -> HttpResponse:
    """One step of the walk. An emergency is judged before session and database are touched."""
    if request.method == "POST":
        rules = emergencies.judged(request, step)
        if rules:
            return emergencies.stop_at_once(request, step, rules)
    return _page(request, step=step)


@require_http_methods(["GET", "HEAD", "POST"])
@with_draft
def _page(request: HttpRequest, *, draft: Draft, walk: Walk, step: str) -> HttpResponse:
    known = step in walk.steps or page_of_protocol(step) is not None
    if not known:
        return render(request, "errors/404.html", status=404)
    if walk.interrupting_rules:
        # Only what stopped the form can be mended: after 'by mistake', or from a page still open.
        if not walk.stops_by(step) or not (walk.may_correct or request.method == "POST"):
            return redirect("intake:emergency")
    elif not walk.reachable(step):
        if request.method == "POST":
            return render(request, "intake/elsewhere.html", status=409)
        return redirect_to(walk.first_open)
    from intake.questionnaire.views.wish import wish_step  # it uses the parts of this module

    handle = {CONTACT: contact_step, APPOINTMENT: wish_step}.get(step, question_step)
    try:
        return handle(request, draft, walk, step)
    except Blocked as blocked:
        return young.stop(request, draft, blocked.assessment, walk.words)
    except Conflict as conflict:
        return again(request, status=409, notice=str(conflict), step=step)


def question_step(request: HttpRequest, draft: Draft, walk: Walk, step: str) -> HttpResponse:
    """A page of the questionnaire."""
    page = walk.page(step)
    assert page is not None  # reachable() said so
    if request.method != "POST":
        return show_page(request, walk, page)
    if request.POST.get("go") == "save":
        drafts.keep_recognised(
            draft=draft, page=page, values=emergencies.recognised(page, request.POST)
        )
        return redirect("intake:save")
    kept = kept_blank(request, walk.content.veiled)
    result = domain.clean_page(page, dict(request.POST.lists()), kept=kept)
    problem = unexpected_fields(request.POST, {question.id for question in page.questions})
    if result.errors or problem:
        preview = {**walk.known, **emergencies.recognised(page, request.POST)}
        if interrupting_rules(walk.protocol, preview, si_screen=walk.si_screen):
            drafts.keep_recognised(
                draft=draft, page=page, values=emergencies.recognised(page, request.POST)
            )
            return redirect("intake:emergency")
        form = PageForm(
            page,
            proxied=walk.proxied,
            kept=kept,
            typed=request.POST,
            errors=result.errors,
            problem=problem,
        )
        context = page_context(request, walk, page, form)
        return render(request, "intake/page.html", context, status=422)
    after = drafts.save_page(draft=draft, page=page, values=result.values, kept=kept)
    return onward(request, after, step)


def unexpected_fields(posted: QueryDict, expected: set[str]) -> str:
    """A sentence when the POST holds fields that this page does not have."""
    if set(posted) - expected - OWN_FIELDS:
        return _(
            "Something in this page did not come from our form, so nothing was saved. "
            "Check your answers and press Continue again."
        )
    return ""


def onward(request: HttpRequest, walk: Walk, step: str) -> HttpResponse:
    """Where Continue leads: out to the emergency page, to the question whether the age is right,
    back to the check page, or on."""
    if walk.interrupting_rules:
        return redirect("intake:emergency")
    if walk.content.unsure.get("step") == step:
        return redirect("intake:sure")
    if request.POST.get("go") == "save":
        return redirect("intake:save")
    if request.POST.get("change") or request.GET.get("change"):
        return redirect_to(walk.first_open, change=True)
    following = walk.after(step) if step in walk.steps else walk.first_open
    if following and walk.reachable(following):
        return redirect_to(following)
    return redirect_to(walk.first_open)


def show_page(request: HttpRequest, walk: Walk, page: Page) -> HttpResponse:
    """A page, blank or with what was typed or answered before."""
    told = walk.content.typed.get(page.id) or domain.to_json(walk.content.answers)
    answers = {q.id: told[q.id] for q in page.questions if q.id in told}
    panels = panels_of(walk)
    if answers or panels or request.GET:
        kept = [q for q in answers if q in walk.content.veiled]
        shown = {q: value for q, value in answers.items() if q not in kept}
        form = PageForm(page, proxied=walk.proxied, answers=shown, kept=kept)
        return render(request, "intake/page.html", page_context(request, walk, page, form))
    html = blank_page(
        walk.protocol.content_hash,
        page.id,
        tuple(question.id for question in page.questions),
        walk.proxied,
        walk.before(page.id),
        walk.kind,
        reach_words(walk),
        get_language(),
    )
    return blank.serve(request, html)


@lru_cache(maxsize=512)
def blank_page(
    content_hash: str,
    page_id: str,
    questions: tuple[str, ...],
    proxied: bool,
    before: str | None,
    kind: str,
    reach: str,
    language: str | None,
) -> str:
    """The HTML of a page without answers."""
    words = documents.wording(content_hash, language)
    protocol = words.protocol
    whole = protocol.page(page_id)
    page = Page(
        id=whole.id,
        section=whole.section,
        title=whole.title,
        questions=tuple(q for q in whole.questions if q.id in questions),
    )
    context = {
        "form": PageForm(page, proxied=proxied),
        "page": page,
        "progress": progress(protocol, page.section, kind),
        "back_url": reverse("intake:page", kwargs={"step": before}) if before else "",
        "panels": [],
        "change": False,
        "notice": "",
        "reach": reach,
        "draft_notice": draft_notice(words, documents.protocol_of(content_hash).approved),
    }
    here = reverse("intake:page", kwargs={"step": page_id})
    return blank.make("intake/page.html", context, path=here)


def page_context(request: HttpRequest, walk: Walk, page: Page, form: PageForm) -> dict[str, Any]:
    return {
        "form": form,
        "page": page,
        "progress": progress(walk.words.protocol, page.section, walk.kind),
        "back_url": back_url(request, walk, page.id),
        "panels": panels_of(walk),
        "change": bool(request.GET.get("change")),
        "notice": "",
        "reach": reach_words(walk),
        "draft_notice": draft_notice(walk.words, walk.protocol.approved),
    }


def back_url(request: HttpRequest, walk: Walk, step: str) -> str:
    """To the step before, or to the check page for who came from there."""
    if request.GET.get("change"):
        return reverse("intake:check")
    before = walk.before(step)
    return reverse("intake:page", kwargs={"step": before}) if before else ""


def panels_of(walk: Walk) -> list[advice.Card]:
    """The cards that the last Continue brought up."""
    if not walk.content.panel:
        return []
    fired = [f for f in walk.assessment.fired if f.id in walk.content.panel]
    return _cards(walk, fired, phone=bool(walk.content.contact))


def before_sending(walk: Walk) -> list[advice.Card]:
    """The cards of all red flags: who gives up now has read them."""
    return _cards(walk, advice.red_flags(walk.assessment), phone=True)


def _cards(walk: Walk, fired: list[Fired], *, phone: bool) -> list[advice.Card]:
    urgency = walk.assessment.urgency
    return advice.cards(walk.words, fired, urgency=urgency, phone=phone, at=timezone.now())


def progress(protocol: Protocol, section: str, kind: str = Kind.INTAKE) -> str:
    """'Part 3 of 12: Restless legs', told by sections, so that the number holds; '' on the short
    walk without the questionnaire."""
    if kind != Kind.INTAKE:
        return ""
    sections = [s.id for s in protocol.questionnaire.sections]
    titles = {s.id: s.title for s in protocol.questionnaire.sections}
    if section == APPOINTMENT:
        number, title = len(sections) + 1, _("Your appointment")
    else:
        number, title = sections.index(section) + 1, titles[section]
    return _("Part %(n)s of %(all)s: %(title)s") % {
        "n": number,
        "all": len(sections) + 1,
        "title": title,
    }


def contact_step(request: HttpRequest, draft: Draft, walk: Walk, step: str) -> HttpResponse:
    """Who the patient is and how to reach them."""
    known = walk.content.contact or walk.content.panel or walk.content.typed.get(CONTACT)
    if request.method != "POST" and not (known or request.GET):
        return blank.serve(request, blank_of(walk, step))
    told = walk.content.typed.get(CONTACT) or walk.content.contact
    veiled = walk.content.veiled_contact
    shown = {name: said for name, said in told.items() if name not in veiled}
    initial = ContactForm.initial_of(shown, walk.content.answers)
    form = ContactForm(
        walk.words.protocol,
        known=walk.content.answers,
        kind=walk.kind,
        data=request.POST if request.method == "POST" else None,
        initial=initial,
    )
    form.keep(ContactForm.controls_of(told, kept_blank(request, veiled)))
    if request.POST.get("website"):  # a box that no person sees
        drafts.mark_suspicious(draft=draft, why="trap")
    if not acceptable(request, form):
        if request.POST.get("go") == "save":
            drafts.keep_typed(draft=draft, step=CONTACT, typed=form.typed())
            return redirect("intake:save")
        return show_step(request, walk, step, form)
    saved = drafts.save_contact(
        draft=draft, contact=form.contact(), answers=form.answers(), kept=form.left_blank
    )
    return onward(request, saved, step)


def acceptable(request: HttpRequest, form: Any) -> bool:
    """Whether the form was sent, and nothing but the form, with nothing wrong in it."""
    if request.method != "POST":
        return False
    form.full_clean()
    if problem := unexpected_fields(request.POST, form.control_names()):
        form.add_error(None, problem)
    return form.is_valid()


def show_step(
    request: HttpRequest, walk: Walk, step: str, form: Any, *, notice: str = "", status: int = 0
) -> HttpResponse:
    context = step_context(walk.words, walk.protocol.approved, walk.kind, step, form) | {
        "back_url": back_url(request, walk, step),
        "panels": panels_of(walk),
        "change": bool(request.GET.get("change")),
        "reach": reach_words(walk),
        "age_page": "about" if form.has_error("birth_date", "age") else "",
        "notice": notice,
    }
    status = status or (422 if form.is_bound else 200)
    return render(request, f"intake/{step}.html", context, status=status)


def step_context(words: Wording, approved: bool, kind: str, step: str, form: Any) -> dict[str, Any]:
    return {
        "form": form,
        "page": {"id": step, "title": STEP_TITLES[step]()},
        "progress": progress(words.protocol, step, kind),
        "back_url": "",
        "panels": [],
        "change": False,
        "notice": "",
        "reach": "",
        "draft_notice": draft_notice(words, approved),
        "age_page": "",
    }


def blank_of(walk: Walk, step: str, choices: Choices = Choices()) -> str:  # noqa: B008  frozen
    """The step before anything is filled in; `choices` for the wish."""
    return blank_step(
        walk.protocol.content_hash,
        step,
        walk.kind,
        walk.content.answers.get("who"),
        walk.before(step),
        reach_words(walk),
        get_language(),
        choices,
    )


@lru_cache(maxsize=128)
def blank_step(
    content_hash: str,
    step: str,
    kind: str,
    who: str | None,
    before: str | None,
    reach: str,
    language: str | None,
    choices: Choices,
) -> str:
    """The HTML of the contact or the wish before anything is filled in."""
    words = documents.wording(content_hash, language)
    form: Any = WishForm(choices=choices)
    if step == CONTACT:
        form = ContactForm(words.protocol, known={"who": who}, kind=kind)
    approved = documents.protocol_of(content_hash).approved
    context = step_context(words, approved, kind, step, form) | {"reach": reach}
    if before:
        context["back_url"] = reverse("intake:page", kwargs={"step": before})
    here = reverse("intake:page", kwargs={"step": step})
    return blank.make(f"intake/{step}.html", context, path=here)


STEP_TITLES = {
    CONTACT: lambda: _("How to reach you"),
    APPOINTMENT: lambda: _("Your appointment"),
}


def again(request: HttpRequest, *, status: int, notice: str, step: str) -> HttpResponse:
    """The page with what was typed, when the request could not be served. No database."""
    if request.method != "POST":
        return render(request, f"errors/{status}.html", status=status)
    rules = emergencies.judged(request, step)
    if rules:
        return emergencies.emergency_now(request, rules)
    page = page_of_protocol(step)
    words, kind = now(), Kind.INTAKE
    protocol = words.protocol
    if page is not None:
        shown = tuple(q for q in page.questions if q.show_if is None or q.id in request.POST)
        form: Any = PageForm(
            Page(id=page.id, section=page.section, title=page.title, questions=shown),
            typed=request.POST,
        )
        template, title, section = "page", page.title, page.section
    elif step == CONTACT:
        kind = Kind.APPOINTMENT if "who" in request.POST else Kind.INTAKE
        form = ContactForm(protocol, known=_typed_who(request), kind=kind, data=request.POST)
        template, title, section = CONTACT, STEP_TITLES[CONTACT](), CONTACT
    elif step == APPOINTMENT and settings.APPOINTMENT_MODE == "slots":
        return render(request, "intake/try_again.html", {"notice": notice}, status=status)
    elif step == APPOINTMENT:
        form = WishForm(choices=Choices.typed(request.POST), data=request.POST)
        template, title, section = APPOINTMENT, STEP_TITLES[APPOINTMENT](), APPOINTMENT
    else:
        return render(request, "errors/404.html", status=404)
    context = {
        "form": form,
        "page": {"id": step, "title": title},
        "progress": progress(protocol, section, kind),
        "back_url": "",
        "panels": [],
        "change": False,
        "notice": notice,
        "reach": "",
        "draft_notice": draft_notice(words, current().approved),
        "age_page": "",
    }
    response = render(request, f"intake/{template}.html", context, status=status)
    if status == 503:
        response["Retry-After"] = "30"
    return response


def _typed_who(request: HttpRequest) -> Mapping[str, str]:
    return {"who": "caregiver"} if "proxy_name" in request.POST else {}


page.again = again  # type: ignore[attr-defined]
