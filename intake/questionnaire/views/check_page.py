"""The check page: show all answers to the patient, and send them."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from clinic.requests import Request
from intake.appointments import free_times
from intake.appointments.slot_gone import SlotGone
from intake.draft_content import APPOINTMENT, CHECK, CONTACT
from intake.errors import Conflict, Gone, NotReady, Refused
from intake.models.submissions import Draft, Urgency
from intake.questionnaire import held_time, sending
from intake.questionnaire.forms.send import SendForm
from intake.questionnaire.forms.wish import WishForm
from intake.questionnaire.views.browser import (
    draft_missing,
    draft_notice,
    page_url,
    phone_call_of,
    reach_words,
    redirect_to,
    with_draft,
)
from intake.questionnaire.views.not_served import when_not_served
from intake.questionnaire.views.page_parts import STEP_TITLES, is_accepted, red_flag_cards
from intake.questionnaire.views.request_limits import count_send, may_write_to, with_retry_after
from intake.questionnaire.views.returned import give_back, returned_page
from intake.questionnaire.views.times_step import lost_time
from intake.questionnaire.walk import Walk
from intake.ways.contact import way_to
from intake.wording import moments, reading
from intake.wording.languages import if_foreign
from intake.wording.moments import clock_words

OPEN_PARTS: Final = 4
"""A form with more sections of questions than this is folded on the check page."""


def show_try_again(request: Request, *, status: int, notice: str) -> HttpResponse:
    """Ask the patient to try again, with the consent that the patient has ticked."""
    context = {"notice": notice, "consent": request.POST.get("consent")}
    return render(request, "intake/try_again.html", context, status=status)


@when_not_served(show_try_again)
@require_http_methods(["GET", "HEAD", "POST"])
@with_draft
def check(request: Request, *, draft: Draft, walk: Walk) -> HttpResponse:
    """Show every answer with a link to change it. A POST sends the draft, or saves it for later."""
    if walk.interrupting_rules:
        return redirect("intake:emergency")
    if walk.first_open:
        return redirect_to(walk.protocol, walk.first_open)
    if request.method != "POST":
        returned = returned_page(walk, CHECK)
        if returned:
            form = SendForm(walk, returned.posted) if asks_consent(walk) else None
            status = 409 if returned.notice else 422
            return show_check(request, walk, form=form, notice=returned.notice, status=status)
        return show_check(request, walk, notice=held_notice(draft, walk))
    if request.POST.get("go") == "save":
        return redirect("intake:save")
    form = SendForm(walk, request.POST) if asks_consent(walk) else None
    if form and not is_accepted(form):
        return _give_back(request, draft, walk)
    if seconds := count_send(request):
        notice = _("Too many requests came from your network. Your answers are kept.")
        return with_retry_after(
            show_check(request, walk, form=form, notice=notice, status=429), seconds
        )
    try:
        sending.submit(
            draft=draft,
            consent=form.consent_given() if form else None,
            confirm=lambda: may_confirm(walk),
            request_id=request.request_id,
            call=phone_call_of(request),
        )
    except NotReady as not_ready:
        return redirect_to(walk.protocol, not_ready.step)
    except Gone:
        return draft_missing(request)
    except SlotGone:
        return lost_time(request, draft, walk)
    except (Conflict, Refused) as problem:
        return _give_back(request, draft, walk, str(problem))
    return redirect("intake:sent")


def _give_back(request: Request, draft: Draft, walk: Walk, notice: str = "") -> HttpResponse:
    """Bring the check page back with what stands in the way of sending, by a redirect."""
    with suppress(Conflict):  # sent or deleted meanwhile, which the check page says by itself
        return give_back(request, draft, walk, CHECK, notice=notice)
    return redirect("intake:check")


@require_safe
@with_draft
def copy(request: Request, *, draft: Draft, walk: Walk) -> HttpResponse:
    """Show all answers on one page to print or keep, as long as they are not sent.

    The veil hides here what it hides on the check page. After sending no page shows the answers.
    """
    if walk.interrupting_rules:
        return redirect("intake:emergency")
    if walk.first_open:
        return redirect_to(walk.protocol, walk.first_open)
    context = check_context(walk) | {"at": moments.until_words(timezone.localtime())}
    return render(request, "intake/copy.html", context)


def may_confirm(walk: Walk) -> bool:
    """Count a letter of confirmation to the patient's address. Returns whether it may be sent."""
    way = way_to(walk.content.contact)
    return way is not None and may_write_to(way[1], "confirm")


def asks_consent(walk: Walk) -> bool:
    """Whether the patient must tick the consent to send. An addition needs no new consent."""
    return CONTACT in walk.steps and "consent" not in walk.content.contact


def show_check(
    request: Request,
    walk: Walk,
    *,
    form: SendForm | None = None,
    notice: str = "",
    status: int = 200,
) -> HttpResponse:
    context = check_context(walk, notice, form)
    return render(request, "intake/check.html", context, status=status)


def check_context(walk: Walk, notice: str = "", form: SendForm | None = None) -> dict[str, Any]:
    """Return the context of the check page."""
    sections = check_sections(walk)
    if form is None and asks_consent(walk):
        form = SendForm(walk)
    return {
        "form": form,
        "sections": sections,
        "proxied": walk.proxied,
        "panels": red_flag_cards(walk),
        "notice": notice,
        "reach": reach_words(walk),
        "veiled": any(r["answered"] and not r["values"] for s in sections for r in s["rows"]),
        "back_url": page_url(walk.protocol, walk.steps[-1]),
        "draft_notice": draft_notice(walk.words, walk.protocol.approved),
    }


def check_sections(walk: Walk) -> list[dict[str, Any]]:
    """Return the sections of the check page, each with rows of label, values and change link.

    A row whose answer the veil hides has no values and is marked as answered. On a long check page,
    each section is folded to one line that says what was left out. Contact and wish stay open.
    """
    parts = reading.answers_by_part(
        walk.protocol, walk.pages, walk.content.answers, proxied=walk.proxied
    )
    sections = [
        {
            "title": part.title,
            "language": if_foreign(walk.words.language_of_section(part.section)),
            "rows": [_row(walk, row) for row in part.rows],
            "folded": len(parts) > OPEN_PARTS and _count(part.rows),
        }
        for part in parts
    ]
    contact = reading.contact_rows(
        walk.words.protocol, walk.content.contact, veiled=walk.content.veiled_contact, own=True
    )
    own = {CONTACT: contact, APPOINTMENT: wish_rows(walk)}
    for step, rows in ((step, own[step]) for step in walk.steps if step in own):
        sections.append(
            {
                "title": STEP_TITLES[step](),
                "language": "",
                "rows": [
                    {
                        "label": label,
                        "values": values,
                        "language": "",
                        "values_language": "",
                        "answered": True,
                        "url": change_url(walk, step),
                    }
                    for label, values in rows
                ],
            }
        )
    return sections


def _count(rows: Sequence[reading.AnswerRow]) -> str:
    """Return in words how many questions of a section are not answered."""
    missing = sum(not row.answered for row in rows)
    if not missing:
        return _("Complete")
    return ngettext("%(n)s left out", "%(n)s left out", missing) % {"n": missing}


def _row(walk: Walk, row: reading.AnswerRow) -> dict[str, Any]:
    """Return the row of one question. Typed words are not in the language of the question."""
    language = if_foreign(walk.words.language_of_question(row.question))
    has_options = bool(walk.protocol.question(row.question).options)
    return {
        "label": row.label,
        "values": () if row.question in walk.content.veiled else row.values,
        "language": language,
        "values_language": language if has_options else "",
        "answered": row.answered,
        "url": change_url(walk, row.page),
    }


def wish_rows(walk: Walk) -> list[tuple[str, list[str]]]:
    """Return the wish in words. If the chosen time is too late for the urgency, say only that."""
    chosen = walk.content.wish.get("chosen")
    urgency = int(Urgency.of(walk.assessment.urgency))
    if chosen and not free_times.time_still_allowed(
        urgency, datetime.fromisoformat(chosen["start"])
    ):
        # no time can be chosen with an urgency of the same day or above
        too_late = _(
            "Your answers show that you should not wait that long, so we do not book this time."
        )
        return [(_("The appointment"), [too_late])]
    return WishForm.in_words(walk.content.wish)


def held_notice(draft: Draft, walk: Walk) -> str:
    """Return a sentence that says until when the chosen slot is held; '' if no slot is held."""
    row = held_time.chosen_appointment(draft, walk.content.wish)
    if row is None or row.status != "held" or row.held_until is None:
        return ""
    if row.held_until <= timezone.now():
        return _("We no longer hold your time. If it is still free when you send, we book it.")
    until = clock_words(row.held_until.astimezone(row.zone))
    return _("We hold your time until %(until)s. It is booked when you send.") % {"until": until}


def change_url(walk: Walk, step: str) -> str:
    """Return the address of a step from which Continue goes back to the check page."""
    return page_url(walk.protocol, step) + "?change=1"
