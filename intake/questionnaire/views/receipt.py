"""The receipt: the reference, what happens next and by when, and the advice."""

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clinic.requests import Request
from intake import documents
from intake.access.part_2 import is_offered
from intake.appointments.views.visit_words import words_of
from intake.domain.computed import reads
from intake.domain.definition import Protocol
from intake.models.appointments import AppointmentRequest, Day, WishedVisit
from intake.models.clinic_time import Location
from intake.models.submissions import Kind, Submission
from intake.questionnaire import all_questions, drafts
from intake.questionnaire.usual_minutes import minutes_for
from intake.questionnaire.views.browser import (
    draft_notice,
    draft_of,
)
from intake.questionnaire.views.next_step import next_words
from intake.ways.contact import reach_of, return_way
from intake.wording import advice


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
    context["clinic_address"] = _address(submission)
    if submission.kind == Kind.PART_2:
        context |= part_2_context(submission)
    elif is_offered(submission):
        protocol = documents.protocol_of(submission.protocol_id)
        context["part_2_minutes"] = minutes_for(protocol, Kind.PART_2)
    elif all_questions.is_offered(submission):
        context["all_minutes"] = minutes_for(documents.newest(submission.protocol_id))
    return render(request, "intake/sent.html", context)


def _address(submission: Submission) -> list[str]:
    """Return the lines of the address of the patient's place, or else of the first place."""
    places = Location.objects.filter(is_active=True).exclude(address="").order_by("name")
    rows = dict(places.values_list("pk", "address"))
    first = next(iter(rows.values()), "")
    place = rows.get(submission.location_id, first) if submission.location_id else first
    return [line.strip() for line in place.splitlines() if line.strip()]


def part_2_context(submission: Submission) -> dict[str, Any]:
    """Return the part of the context that differs for part 2: the reference is that of part 1."""
    first = submission.follows
    said = {"reference": first.reference} if first else {}
    if submission.result.fired:
        return said
    next_text = _("We added your answers to your request. What we told you before still counts.")
    return said | {"next_text": next_text, "next_language": "", "next_way": ""}


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
    visit = booked_words(submission)
    requests = AppointmentRequest.objects.select_related("waiting")
    wished = requests.filter(submission=submission).first()
    reach = reach_of(submission)
    next_step = next_words(submission, words, request=wished, named=not left_alone, reach=reach)
    if visit and assessment.urgency in ("soon", "routine"):
        # A patient with a booked visit need not read the period within which the clinic sees
        # patients.
        next_step = {"next_text": _("The next step is the appointment."), "next_way": ""}
    room = max(0, advice.MOST_ADVICE - len(today))
    return {
        "reference": submission.reference,
        "sent_at": submission.submitted_at,
        "origin": settings.SITE_ORIGIN,
        "visit": visit,
        "heading": _heading(protocol, submission, visit),
        "wished": "" if visit or wished is None else wish_words(wished),
        "return_by": return_way(reach),
        **next_step,
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


def _heading(protocol: Protocol, submission: Submission, visit: dict[str, Any] | None) -> str:
    if visit:
        return _("The appointment is booked")
    proxied = protocol.uses.is_proxy(submission.answers.get(protocol.uses.who.q))
    if submission.kind == Kind.APPOINTMENT:
        if proxied:
            return _("We have your request about the patient")
        return _("We have your request")
    return _("We have the answers about the patient") if proxied else _("We have your answers")


def wish_words(request: AppointmentRequest) -> str:
    """Return in one sentence what a patient without a booked visit asked for."""
    if hasattr(request, "waiting"):
        return _("You are on the waiting list for a visit.")
    if request.visit_type == WishedVisit.CALL_ME:
        return _("You asked us to call you to arrange a visit.")
    if settings.APPOINTMENT_MODE == "slots":
        return _("No time is booked yet.")
    days = wished_days(request)
    if not days:
        return {
            WishedVisit.IN_PERSON: _("You asked for a visit at the clinic."),
            WishedVisit.VIDEO: _("You asked for a visit by video."),
            WishedVisit.PHONE: _("You asked for a visit by phone."),
        }[WishedVisit(request.visit_type)]
    return {
        WishedVisit.IN_PERSON: _("You asked for a visit at the clinic: %(days)s."),
        WishedVisit.VIDEO: _("You asked for a visit by video: %(days)s."),
        WishedVisit.PHONE: _("You asked for a visit by phone: %(days)s."),
    }[WishedVisit(request.visit_type)] % {"days": days}


def wished_days(request: AppointmentRequest) -> str:
    """Return in words the days of all wishes; '' if any day is right."""
    wished = [one.get("days", ()) for one in request.wishes]
    if not all(wished):
        return ""
    days = set().union(*wished)
    return ", ".join(str(day.label) for day in Day if day in days)


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
