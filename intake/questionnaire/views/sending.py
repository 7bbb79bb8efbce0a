"""Check your answers, send them, the receipt."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from clinic import hours
from intake import documents
from intake.appointments import free_times
from intake.appointments.slot_gone import SlotGone
from intake.appointments.views.visit_words import words_of
from intake.domain.definition import Protocol
from intake.domain.translation import SAFETY_LEVELS, Wording
from intake.draft_content import APPOINTMENT, CONTACT
from intake.errors import Conflict, Gone, NotReady, Refused
from intake.models.submissions import Draft, Kind, Submission, Urgency
from intake.questionnaire import drafts, held_time, sending
from intake.questionnaire.forms.wish import WishForm
from intake.questionnaire.views.browser import (
    draft_missing,
    draft_notice,
    draft_of,
    later,
    reach_words,
    redirect_to,
    with_draft,
)
from intake.questionnaire.views.emergencies import count_send, may_write_to
from intake.questionnaire.views.pages import STEP_TITLES, before_sending
from intake.questionnaire.views.wish import lost_time
from intake.questionnaire.walk import Walk
from intake.ways.contact import way_to
from intake.wording import advice, reading
from intake.wording.moments import clock_words


@require_http_methods(["GET", "HEAD", "POST"])
@with_draft
def check(request: HttpRequest, *, draft: Draft, walk: Walk) -> HttpResponse:
    """Every answer with its change link; POST sends."""
    if walk.interrupting_rules:
        return redirect("intake:emergency")
    if walk.first_open:
        return redirect_to(walk.first_open)
    if request.method != "POST":
        return show_check(request, walk, notice=held_words(draft, walk))
    if seconds := count_send(request):
        notice = _("Too many requests came from your network. Your answers are kept.")
        return later(show_check(request, walk, notice=notice, status=429), seconds)
    try:
        sending.submit(
            draft=draft, confirm=lambda: may_confirm(walk), request_id=request.request_id
        )
    except NotReady as not_ready:
        return redirect_to(not_ready.step)
    except Gone:
        return draft_missing(request)
    except SlotGone:
        return lost_time(request, draft, walk)
    except (Conflict, Refused) as problem:
        return show_check(request, walk, notice=str(problem), status=409)
    return redirect("intake:sent")


def may_confirm(walk: Walk) -> bool:
    """Whether the address given is written to; the receipt on the screen is there in any case."""
    way = way_to(walk.content.contact)
    return way is not None and may_write_to(way[1], "confirm")


def check_again(request: HttpRequest, *, status: int, notice: str) -> HttpResponse:
    """Nothing is typed on the check page; the answers are in the draft."""
    return render(request, "intake/try_again.html", {"notice": notice}, status=status)


check.again = check_again  # type: ignore[attr-defined]


def show_check(
    request: HttpRequest, walk: Walk, *, notice: str = "", status: int = 200
) -> HttpResponse:
    sections = check_sections(walk)
    context = {
        "sections": sections,
        "panels": before_sending(walk),
        "notice": notice,
        "reach": reach_words(walk),
        "veiled": any(r["answered"] and not r["values"] for s in sections for r in s["rows"]),
        "back_url": reverse("intake:page", kwargs={"step": walk.steps[-1]}),
        "draft_notice": draft_notice(walk.words, walk.protocol.approved),
    }
    return render(request, "intake/check.html", context, status=status)


def check_sections(walk: Walk) -> list[dict[str, Any]]:
    """Sections of rows: label, values, where to change them. What is veiled has no values, and is
    answered all the same."""
    parts = reading.parts(walk.protocol, walk.pages, walk.content.answers, proxied=walk.proxied)
    sections = [
        {
            "title": part.title,
            "rows": [
                {
                    "label": r.label,
                    "values": () if r.question in walk.content.veiled else r.values,
                    "answered": r.answered,
                    "url": change(r.page),
                }
                for r in part.rows
            ],
        }
        for part in parts
    ]
    contact = reading.contact_rows(
        walk.words.protocol, walk.content.contact, veiled=walk.content.veiled_contact
    )
    own = {CONTACT: contact, APPOINTMENT: wish_rows(walk)}
    for step, rows in ((step, own[step]) for step in walk.steps if step in own):
        sections.append(
            {
                "title": STEP_TITLES[step](),
                "rows": [
                    {"label": label, "values": values, "answered": True, "url": change(step)}
                    for label, values in rows
                ],
            }
        )
    return sections


def wish_rows(walk: Walk) -> list[tuple[str, list[str]]]:
    """The wish read back. A time chosen before other answers made it too late stands no more."""
    chosen = walk.content.wish.get("chosen")
    urgency = int(Urgency.of(walk.assessment.urgency))
    if chosen and not free_times.time_still_allowed(
        urgency, datetime.fromisoformat(chosen["start"])
    ):
        told = _("We call you: with your answers, this should not wait for the time you chose.")
        return [(_("Your appointment"), [told])]
    return WishForm.in_words(walk.content.wish)


def held_words(draft: Draft, walk: Walk) -> str:
    """Until when the chosen time is held; '' where none is."""
    row = held_time.chosen_row(draft, walk.content.wish)
    if row is None or row.status != "held":
        return ""
    if row.held_until <= timezone.now():
        return _("We could not hold your time any longer. If nobody took it, sending books it.")
    until = clock_words(row.held_until.astimezone(row.zone))
    return _("We hold your time until %(until)s. It is booked when you send.") % {"until": until}


def change(step: str) -> str:
    """The address that changes a step and comes back to the check page."""
    return reverse("intake:page", kwargs={"step": step}) + "?change=1"


@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """The receipt: reference, what happens next and by when, advice."""
    draft = draft_of(request)
    if draft is None or draft.submission is None:
        return redirect("intake:start")
    if draft.submission.kind == Kind.STOPPED:
        return redirect("intake:emergency")
    context = sent_context(draft.submission, left_alone=drafts.left_alone(draft))
    return render(request, "intake/sent.html", context)


def sent_context(submission: Submission, *, left_alone: bool) -> dict[str, Any]:
    """What the receipt says. On a device that was left alone, nothing that would tell a sensitive
    answer, unless it tells a patient in danger what to do."""
    protocol = documents.protocol_of(submission.protocol_id)
    words = documents.wording(submission.protocol_id, get_language())
    assessment = submission.result
    veiled = documents.sensitive_questions(protocol) if left_alone else frozenset()
    red = advice.red_flags(assessment)
    fired = [f for f in assessment.fired if f in red or veiled.isdisjoint(f.inputs)]
    # 'What happens next' is the one promise of this page, so the cards have none
    cards = advice.cards(words, fired, urgency=assessment.urgency, phone=False, at=timezone.now())
    today = [card for card in cards if card.level in ("same_day", "crisis")]
    calm = [card for card in cards if card not in today]
    visit, next_steps = booked_words(submission), next_words(submission, words)
    if visit and assessment.urgency in ("soon", "routine"):
        # the weeks in which a visit is aimed at say nothing to somebody who has one
        next_steps["next_text"] = _("We read your answers when the clinic is open.")
    room = max(0, advice.MOST - len(today))
    return {
        "reference": submission.reference,
        "visit": visit,
        **next_steps,
        "panels": today,
        "advice": calm[:room],
        "more": calm[room:],
        "learn": to_read(protocol, submission, veiled),
        "draft_notice": draft_notice(words, protocol.approved),
    }


def booked_words(submission: Submission) -> dict[str, Any] | None:
    """The visit that sending booked, in words, where patients choose their times."""
    if settings.APPOINTMENT_MODE != "slots":
        return None
    row = submission.appointments.filter(status="confirmed").for_reading().first()
    return words_of(row) if row else None


def to_read(
    protocol: Protocol, submission: Submission, veiled: Collection[str] = frozenset()
) -> list[str]:
    """The pages that fit, in order of importance: those of the rules that fired, most urgent first,
    then those of the chosen options in the order they were asked. Each once, by its name. None that
    rests on a `veiled` question."""
    result, answers = submission.result, submission.answers
    rules = [r for r in (*result.fired, *result.flags) if not set(veiled) & set(r.inputs)]
    named = [page for rule in rules for page in rule.learn]
    for question in protocol.questions:
        if question.id in veiled:
            continue
        chosen = answers.get(question.id)
        codes = chosen if isinstance(chosen, list) else [chosen]
        named += [page for o in question.options if o.code in codes for page in o.learn]
    return list(dict.fromkeys(named))


def next_words(submission: Submission, words: Wording) -> dict[str, str]:
    """What happens next, and its language where that is not the page's: to wait or not to wait is a
    matter of danger, told in words that somebody signed."""
    urgency, language = submission.result.urgency, get_language() or "en"
    spoken = words.says_in(urgency) if urgency in SAFETY_LEVELS else language
    with override(spoken):
        foreign = spoken if spoken != language else ""
        return {"next_text": next_text(submission), "next_language": foreign}


def next_text(submission: Submission) -> str:
    """What happens next and by when, in the clinic's time; no call that nobody can make."""
    now, target = timezone.now(), submission.target_at
    match submission.result.urgency:
        case "same_day" | "urgent" if target < now and hours.is_open(now):
            return _("You should have heard from us by now. If you have not, please call us.")
        case "same_day":
            if not hours.is_open(now):
                return _(
                    "A clinician reads your answers when we open. Please do not wait for that."
                )
            closing = hours.current().closing(now)
            if target <= closing:
                return _(
                    "A clinician reads your answers today, by %(by)s. If you have not heard from "
                    "us by then, call us. If you cannot reach us, go to urgent care or an "
                    "emergency room."
                ) % {"by": hours.clock_words(target)}
            # what the level says for a closed clinic holds from then on
            return _(
                "We close at %(closing)s. If you have not heard from us by then, go to urgent "
                "care or an emergency room today. Do not wait for our call."
            ) % {"closing": hours.clock_words(closing)}
        case "urgent":
            by = hours.day_words(target)
            return _("A nurse reads your answers and contacts you by %(by)s.") % {"by": by}
        case "soon":
            return _("We read your answers and aim to see you within 6 weeks.")
        case _:
            return _("We read your answers and aim to see you within 12 weeks.")
