"""Parts that the views of the steps share.

They check the posted fields, redirect to the next step, show advice cards and progress, and serve
blank pages.
"""

from collections.abc import Sequence
from typing import Any

from django.forms import Form
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.pagecache import blank
from clinic.requests import Request
from intake.domain.definition import QuestionPage
from intake.domain.triage import Fired
from intake.domain.wording import Wording
from intake.draft_content import APPOINTMENT, CONTACT
from intake.forms.base import WalkForm
from intake.models.submissions import Kind
from intake.questionnaire.views.browser import (
    draft_notice,
    page_url,
    reach_words,
    redirect_to,
)
from intake.questionnaire.walk import Walk
from intake.wording import advice

OWN_FIELDS = {
    *("csrfmiddlewaretoken", "go", "change", "website", "shown", "asked", "asked_about"),
    "revision",
}
STEP_TITLES = {
    CONTACT: lambda: _("How to reach you"),
    APPOINTMENT: lambda: _("The appointment"),
}


def unexpected_fields(posted: QueryDict, expected: set[str]) -> str:
    """Return an error message if the POST has fields that are not `expected`, else ''."""
    if set(posted) - expected - OWN_FIELDS:
        return _(
            "Something in this page did not come from our form, so nothing was saved. "
            "Check your answers and press Continue again."
        )
    return ""


def is_accepted(form: WalkForm) -> bool:
    """Whether what was posted has only fields of this form, and the form is valid."""
    if not form.is_bound:
        return False
    form.full_clean()
    if problem := unexpected_fields(form.data, form.control_names()):
        form.add_error(None, problem)
    return form.is_valid()


def redirect_onward(request: Request, walk: Walk, step: str) -> HttpResponse:
    """Redirect to the page that follows after Continue or Save for later was pressed on a step."""
    if walk.interrupting_rules:
        return redirect("intake:emergency")
    if walk.content.unsure.get("step") == step:
        return redirect("intake:sure")
    if request.POST.get("go") == "save":
        return redirect("intake:save")
    if request.POST.get("change") or request.GET.get("change"):
        return redirect_to(walk.protocol, walk.first_open, change=True)
    following = walk.after(step) if step in walk.steps else walk.first_open
    if following and walk.reachable(following):
        return redirect_to(walk.protocol, following)
    return redirect_to(walk.protocol, walk.first_open)


def show_step(
    request: Request, walk: Walk, step: str, form: Form, *, revision: int | str
) -> HttpResponse:
    """Show the contact step or the wish step. A form with errors has status 422."""
    age_page = walk.protocol.page_of(walk.uses.age).id
    context = step_context(
        walk.words, walk.protocol.approved, step, form, part=progress(walk, step)
    ) | {
        "back_url": back_url(request, walk, step),
        "panels": panel_cards(walk),
        "change": bool(request.GET.get("change")),
        "reach": reach_words(walk),
        "age_page": age_page if form.has_error("birth_date", "age") else "",
        "revision": revision,
    }
    status = 422 if form.errors else 200
    return render(request, f"intake/{step}.html", context, status=status)


def step_context(
    words: Wording, approved: bool, step: str, form: Form, *, part: str
) -> dict[str, Any]:
    """Return the context of the contact step or wish step, except what depends on the draft.

    `part` is the progress line.
    """
    return {
        "form": form,
        "protocol": words.protocol.name,
        "page": {"id": step, "title": STEP_TITLES[step]()},
        "title_language": "",
        "progress": part,
        "back_url": "",
        "panels": [],
        "change": False,
        "notice": "",
        "revision": "",
        "reach": "",
        "draft_notice": draft_notice(words, approved),
        "age_page": "",
    }


def back_url(request: Request, walk: Walk, step: str) -> str:
    """Return where Back leads: a step back, or to the check page if the patient came from there."""
    if request.GET.get("change"):
        return reverse("intake:check")
    before = walk.before(step)
    return page_url(walk.protocol, before) if before else ""


def panel_cards(walk: Walk) -> list[advice.Card]:
    """Return the advice cards of the rules that fired because of the last page's answers."""
    if not walk.content.panel:
        return []
    fired = [f for f in walk.assessment.fired if f.id in walk.content.panel]
    return _cards(walk, fired, phone=bool(walk.content.contact))


def red_flag_cards(walk: Walk) -> list[advice.Card]:
    """Return the advice cards of all red flags, which the patient reads before sending."""
    return _cards(walk, advice.red_flags(walk.assessment), phone=True)


def _cards(walk: Walk, fired: list[Fired], *, phone: bool) -> list[advice.Card]:
    among = walk.assessment.fired
    return advice.cards(walk.words, fired, among=among, phone=phone, at=timezone.now())


def progress(walk: Walk, step: str) -> str:
    """Return the progress line, such as '3 of 12'; '' on a short walk."""
    if walk.kind != Kind.INTAKE:
        return ""
    number, every = walk.part_of(step)
    return _("%(n)s of %(all)s") % {"n": number, "all": every}


def page_name(page: QuestionPage, pages: Sequence[QuestionPage]) -> str:
    """Return the page's title in the browser, such as 'Restless legs, 2 of 5'.

    `pages` is the patient's route. Its pages of one section are counted, so that no two pages in a
    row have the same title. A screen reader says the title first.
    """
    section = [each.id for each in pages if each.section == page.section]
    if len(section) < 2:
        return page.title
    words = {"title": page.title, "n": section.index(page.id) + 1, "all": len(section)}
    return _("%(title)s, %(n)s of %(all)s") % words


def blank_step(
    words: Wording,
    approved: bool,
    step: str,
    form: Form,
    *,
    part: str,
    before: str | None,
    reach: str,
) -> str:
    """Return the HTML of the empty contact step or wish step."""
    context = step_context(words, approved, step, form, part=part)
    context |= {"reach": reach, "revision": blank.REVISION}
    if before:
        context["back_url"] = page_url(words.protocol, before)
    here = page_url(words.protocol, step)
    return blank.make(f"intake/{step}.html", context, path=here)
