"""Show a step again with what the patient typed, without session, draft and database."""

from django.conf import settings
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import render

from clinic.requests import Request
from intake.domain.definition import QuestionPage
from intake.draft_content import APPOINTMENT, CONTACT
from intake.forms.base import PageForm
from intake.models.submissions import Kind
from intake.questionnaire.forms.contact import ContactForm
from intake.questionnaire.forms.wish import Choices, WishForm
from intake.questionnaire.views import asking, emergencies
from intake.questionnaire.views.browser import (
    draft_notice,
    page_of_protocol,
    protocol_of,
    words_of,
)
from intake.questionnaire.views.page_parts import STEP_TITLES
from intake.wording.languages import if_foreign


def show_typed_step(
    request: Request, *, status: int, notice: str, step: str, protocol: str = ""
) -> HttpResponse:
    """Show the step again with what the patient typed, because the request could not be served.

    `protocol` is the name in the address. Uses no database. If the posted answers contain an
    emergency, the emergency page is shown instead.
    """
    if request.method != "POST":
        return render(request, f"errors/{status}.html", status=status)
    judge = protocol_of(protocol)
    rules = emergencies.ticked_emergencies(request, judge, step)
    if rules:
        return emergencies.emergency_now(request, judge, rules)
    page = page_of_protocol(judge, step)
    words, kind, asked = words_of(judge), Kind.INTAKE, {}
    if page is not None:
        shown = tuple(q for q in page.questions if q.show_if is None or q.id in request.POST)
        form: Form = PageForm(
            QuestionPage(id=page.id, section=page.section, title=page.title, questions=shown),
            words,
            typed=request.POST,
        )
        template, title, section = "page", page.title, page.section
        if about := asking.about_of(page):
            template, asked = "asked", asking.context(about)
    elif step == CONTACT:
        who = judge.uses.who
        kind = Kind.APPOINTMENT if who.q in request.POST else Kind.INTAKE
        # the posted form has a field `proxy_name` only if another person fills it in
        known = {who.q: who.proxy[0]} if "proxy_name" in request.POST else {}
        form = ContactForm(words, known=known, kind=kind, data=request.POST)
        template, title, section = CONTACT, STEP_TITLES[CONTACT](), CONTACT
    elif step == APPOINTMENT and settings.APPOINTMENT_MODE == "slots":
        return render(
            request, "intake/try_again.html", {"notice": notice, "consent": ""}, status=status
        )
    elif step == APPOINTMENT:
        form = WishForm(choices=Choices.typed(request.POST), data=request.POST)
        template, title, section = APPOINTMENT, STEP_TITLES[APPOINTMENT](), APPOINTMENT
    else:
        return render(request, "errors/404.html", status=404)
    context = {
        "form": form,
        "protocol": judge.name,
        "title_language": if_foreign(words.language_of_section(section)) if page else "",
        "page": {"id": step, "title": title},
        "progress": "",  # only the draft knows how far the patient has come
        "back_url": "",
        "panels": [],
        "change": False,
        "notice": notice,
        "revision": request.POST.get("revision", ""),
        "reach": "",
        "draft_notice": draft_notice(words, judge.approved),
        "age_page": "",
        "asked": asked,
    }
    response = render(request, f"intake/{template}.html", context, status=status)
    if status == 503:
        response["Retry-After"] = "30"
    return response
