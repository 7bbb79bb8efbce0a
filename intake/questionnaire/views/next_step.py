"""What happens next with a submission, by when, and by which way."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import override

from clinic import hours
from clinic.opening_hours import ClinicHours
from intake.domain.wording import Wording
from intake.models.appointments import AppointmentRequest, WishedVisit
from intake.models.submissions import Kind, Submission, Urgency
from intake.ways.contact import Reach, reach_of, reply_way
from intake.wording import advice
from intake.wording.closures import red_flag_words
from intake.wording.languages import if_foreign
from intake.wording.periods import filled
from intake.wording.reading import phone_words


class Next(NamedTuple):
    """The one thing that happens next. `is_contact`: the clinic contacts the patient."""

    text: str
    is_contact: bool = False


def next_words(
    submission: Submission,
    words: Wording,
    *,
    request: AppointmentRequest | None = None,
    named: bool = False,
    reach: Reach | None = None,
) -> dict[str, str]:
    """Return what happens next, by which way, and the language if the page has another language.

    The text says whether the patient may wait, so it is a safety text. If its translation is not
    signed, the English text is returned. With `named`, the way has the patient's number or address.
    """
    spoken = words.language_of(_urgency_code(submission))
    foreign = if_foreign(spoken)
    with override(spoken):
        step = _next_step(submission, words)
        way: str = ""
        if step.is_contact:
            way = _way_words(submission, reach or reach_of(submission), request, named=named)
    return {"next_text": step.text, "next_language": foreign, "next_way": way}


def dead_channels(reach: Reach) -> list[str]:
    """Return the channels by which letters do not reach the patient, for the own pages.

    A page that a stranger may open, such as the one that asks for a code, never says this.
    """
    return [point.channel for point in reach.closed if point.dead_at is not None]


def _way_words(
    submission: Submission, reach: Reach, request: AppointmentRequest | None, *, named: bool
) -> str:
    """Say in a sentence by which way the clinic contacts the patient.

    With `named`, the sentence has the number or address.
    """
    wants_call = request is not None and request.visit_type == WishedVisit.CALL_ME
    by_phone = wants_call or submission.urgency >= Urgency.URGENT
    prefer = submission.person.get("prefer", "")
    way = reply_way(reach, prefer=prefer, by_phone=by_phone)
    if way is None:
        return _("We have no way to reach you. Please call us.")
    channel, address = way
    if not named:
        return {
            "phone": _("We reach you by phone."),
            "email": _("We reach you by e-mail."),
            "sms": _("We reach you by text message."),
        }[channel]
    sentence = {
        "phone": _("We reach you by phone at {number}."),
        "email": _("We reach you by e-mail at {address}."),
        "sms": _("We reach you by text message at {number}."),
    }[channel]
    # a number or address keeps its order in a text that runs from right to left
    shown = format_html("<bdi>{}</bdi>", address if channel == "email" else phone_words(address))
    return format_html(sentence, number=shown, address=shown)


def _urgency_code(submission: Submission) -> str:
    """Return the urgency that the rules found, or the current urgency if it is higher.

    So a patient who was told to seek help today is not told to wait when staff lower the urgency.
    """
    found = Urgency.of(submission.result.urgency)
    return Urgency(max(found, submission.urgency)).code


def _next_step(submission: Submission, words: Wording) -> Next:
    """Return what happens next and by when, in the clinic's time zone.

    While the clinic is closed, the text does not promise a call. When the promised time is over,
    the text says so, and promises no time any more.
    """
    now, target, code = timezone.now(), submission.target_at, _urgency_code(submission)
    # a submission here is an emergency because of free text, or because staff raised the urgency
    # after sending; then the text for "same day" fits best
    if code == "emergency":
        code = "same_day"
    calendar = hours.current(submission.location_id)
    if submission.result.urgency == "emergency" and calendar.is_open(now):
        return Next(
            _("We are telling a clinician about your answers now. Do not wait to hear from us.")
        )
    if code == "same_day" and target < now and calendar.is_open(now):
        return Next(_late_text(calendar, now))
    if code == "same_day" and (text := _closed_text(submission, words, calendar, now)):
        return Next(text)
    if submission.kind == Kind.ADDITION and code in ("soon", "routine"):
        return Next(_("We read what you added when the clinic is open."))
    if target < now and code != "same_day":
        return Next(_late_text(calendar, now))
    level = words.protocol.level(code)
    if days := level.contact_within.days:
        usual = calendar.usual.keepable(submission.submitted_at + timedelta(days=days))
        # a closure or the wait for the patient's answer moved the target past the level's period
        if usual < target:
            text = _("We read your answers when we are open, and aim for a visit by %(day)s.")
            return Next(text % {"day": hours.date_words(target, now)}, is_contact=True)
    by = hours.clock_words(target) if code == "same_day" else hours.day_words(target, now)
    return Next(filled(words.tell(code), level, by=by), is_contact=True)


def _late_text(calendar: ClinicHours, now: datetime) -> str:
    if calendar.is_open(now):
        return _("You should have heard from us by now. If you have not, please call us.")
    opening = hours.day_words(calendar.next_opening(now), now)
    text = _(
        "You should have heard from us by now. If you have not, please call us from %(opening)s."
    )
    return text % {"opening": opening}


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
            "We open on %(opening)s. A clinician reads your answers then. Do not wait to hear from "
            "us."
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
