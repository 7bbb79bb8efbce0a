"""The receipt: the reference, what happens next and by when, and the advice."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clinic import hours
from clinic.opening_hours import ClinicHours
from clinic.requests import Request
from intake import documents
from intake.access.part_2 import is_offered
from intake.appointments.views.visit_words import words_of
from intake.domain.computed import reads
from intake.domain.definition import Protocol
from intake.domain.minutes import minutes
from intake.domain.wording import Wording
from intake.models.submissions import Kind, Submission, Urgency
from intake.questionnaire import all_questions, drafts
from intake.questionnaire.views.browser import (
    draft_notice,
    draft_of,
)
from intake.wording import advice
from intake.wording.closures import red_flag_words
from intake.wording.languages import if_foreign
from intake.wording.periods import filled


@require_safe
def sent(request: Request) -> HttpResponse:
    """Show the receipt of the draft that this browser has sent."""
    draft = draft_of(request)
    if draft is None or draft.submission is None:
        return redirect("intake:start")
    if draft.submission.kind == Kind.STOPPED:
        return redirect("intake:emergency")
    submission = draft.submission
    context = sent_context(submission, left_alone=drafts.left_alone(draft))
    context["part_2_minutes"] = context["all_minutes"] = 0
    if submission.kind == Kind.PART_2:
        context |= part_2_context(submission)
    elif is_offered(submission):
        protocol = documents.protocol_of(submission.protocol_id)
        context["part_2_minutes"] = minutes(protocol, Kind.PART_2)
    elif all_questions.is_offered(submission):
        context["all_minutes"] = minutes(documents.newest(submission.protocol_id))
    return render(request, "intake/sent.html", context)


def part_2_context(submission: Submission) -> dict[str, Any]:
    """Return the part of the context that differs for part 2: the reference is that of part 1."""
    first = submission.follows
    said = {"reference": first.reference} if first else {}
    if submission.result.fired:
        return said
    next_text = _(
        "Your new answers are with your first answers now. "
        "What we told you about your request still counts."
    )
    return said | {"next_text": next_text, "next_language": ""}


def sent_context(submission: Submission, *, left_alone: bool) -> dict[str, Any]:
    """Return the context of the receipt.

    If the device was left alone, the receipt must not reveal a sensitive answer. The only exception
    is the advice for a patient in danger.
    """
    protocol = documents.protocol_of(submission.protocol_id)
    words = documents.wording(submission.protocol_id, get_language())
    assessment = submission.result
    veiled = _private_names(protocol) if left_alone else frozenset()
    red = advice.red_flags(assessment)
    fired = [f for f in assessment.fired if f in red or veiled.isdisjoint(f.inputs)]
    # phone=False leaves the promises out, because this page promises only "What happens next"
    cards = advice.cards(
        words,
        fired,
        among=assessment.fired,
        phone=False,
        at=timezone.now(),
        place=submission.location_id,
    )
    today = [card for card in cards if card.level in ("emergency", "same_day", "crisis")]
    calm = [card for card in cards if card not in today]
    visit, next_steps = booked_words(submission), next_words(submission, words)
    if visit and assessment.urgency in ("soon", "routine"):
        # A patient with a booked visit need not read the period within which the clinic sees
        # patients.
        next_steps["next_text"] = _("We read your answers when the clinic is open.")
    room = max(0, advice.MOST_ADVICE - len(today))
    return {
        "reference": submission.reference,
        "proxied": protocol.uses.is_proxy(submission.answers.get(protocol.uses.who.q)),
        "visit": visit,
        **next_steps,
        "panels": today,
        "advice": calm[:room],
        "more": calm[room:],
        "learn": to_read(protocol, submission, veiled),
        "draft_notice": draft_notice(words, protocol.approved),
    }


def _private_names(protocol: Protocol) -> frozenset[str]:
    """Return the sensitive questions, and the computed values that read one of them."""
    private = documents.sensitive_questions(protocol)
    computed = protocol.rules.computed
    return private | {name for name in computed if not private.isdisjoint(reads(protocol, name))}


def booked_words(submission: Submission) -> dict[str, Any] | None:
    """Return in words the visit that was booked together with sending, or None."""
    if settings.APPOINTMENT_MODE != "slots":
        return None
    row = submission.appointments.filter(status="confirmed").for_reading().first()
    return words_of(row) if row else None


def to_read(
    protocol: Protocol, submission: Submission, veiled: Collection[str] = frozenset()
) -> list[str]:
    """Return the names of the pages to read that fit the answers, most important first, each once.

    First come the pages of the fired rules, those of the most urgent rule first. Then come the
    pages of the chosen options in the order of the questions. Pages that belong to a `veiled`
    question, or to a rule that reads a veiled question, are left out.
    """
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
    """Return what happens next, and the language of this text if the page has another language.

    The text says whether the patient may wait, so it is a safety text. If its translation is not
    signed, the English text is returned.
    """
    spoken = words.language_of(_urgency_code(submission))
    foreign = if_foreign(spoken)
    with override(spoken):
        return {"next_text": next_text(submission, words), "next_language": foreign}


def _urgency_code(submission: Submission) -> str:
    """Return the urgency that the rules found, or the current urgency if it is higher.

    So a patient who was told to seek help today is not told to wait when staff lower the urgency.
    """
    found = Urgency.of(submission.result.urgency)
    return Urgency(max(found, submission.urgency)).code


def next_text(submission: Submission, words: Wording) -> str:
    """Return what happens next and by when, in the clinic's time zone.

    While the clinic is closed, the text does not promise a call.
    """
    now, target, code = timezone.now(), submission.target_at, _urgency_code(submission)
    # a submission here is an emergency because of free text, or because staff raised the urgency
    # after sending; then the text for "same day" fits best
    if code == "emergency":
        code = "same_day"
    calendar = hours.current(submission.location_id)
    if submission.result.urgency == "emergency" and calendar.is_open(now):
        return _("A clinician is told of your answers now. Please do not wait for that.")
    if code in ("same_day", "urgent") and target < now and calendar.is_open(now):
        return _("You should have heard from us by now. If you have not, please call us.")
    if code == "same_day" and (text := _closed_text(submission, words, calendar, now)):
        return text
    level = words.protocol.level(code)
    if days := level.contact_within.days:
        usual = calendar.usual.keepable(submission.submitted_at + timedelta(days=days))
        # a closure or the wait for the patient's answer moved the target past the level's period
        if usual < target:
            return _("We read your answers when we are open, and aim for a visit by %(day)s.") % {
                "day": hours.date_words(target, now)
            }
    by = hours.clock_words(target) if code == "same_day" else hours.day_words(target, now)
    return filled(words.tell(code), level, by=by)


def _closed_text(
    submission: Submission, words: Wording, calendar: ClinicHours, now: datetime
) -> str:
    """Return what happens next with a same-day submission while the clinic is closed.

    Also returns a text if the clinic closes before the target. Otherwise returns ''.
    """
    red = advice.red_flags(submission.result)
    # if staff raised the urgency to an emergency, the patient may not wait
    may_wait = bool(red) and submission.urgency == Urgency.SAME_DAY
    if not calendar.is_open(now):
        opens = {"opening": hours.day_words(calendar.next_opening(now), now)}
        if may_wait and advice.all_may_wait(words, red, calendar, now):
            return _("We open on %(opening)s. A clinician reads your answers then.") % opens
        if calendar.is_delayed(now):
            return red_flag_words(now, submission.location_id)
        text = _(
            "We open on %(opening)s. A clinician reads your answers then. Please do not wait for "
            "that."
        )
        return text % opens
    closing = calendar.closing(now)
    if submission.target_at <= closing:
        return ""
    closes = {"closing": hours.clock_words(closing)}
    if may_wait and advice.all_may_wait(words, red, calendar, closing):
        closes["opening"] = hours.day_words(calendar.next_opening(closing), now)
        text = _(
            "We close at %(closing)s. If you have not heard from us by then, a clinician reads "
            "your answers when we open, %(opening)s."
        )
        return text % closes
    # after closing, the closed text will say the same
    text = _(
        "We close at %(closing)s. If you have not heard from us by then, go to urgent care or an "
        "emergency room today. Do not wait for our call."
    )
    return text % closes
