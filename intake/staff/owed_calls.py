"""Tell staff how the patient hears of an act: by a letter, or by a call that staff owe.

All staff pages take these sentences from here, so that no page claims a letter that is not sent.
"""

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import F, QuerySet, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake.models.appointments import Appointment, Offer
from intake.models.calls import Call, CallTask
from intake.models.invitations import Invitation
from intake.models.phone_calls import PhoneCall
from intake.models.received_texts import ReceivedText
from intake.models.submissions import Communication, Submission
from intake.staff.reach_words import NO_WAY, reach_words
from intake.staff.tries import calls_without_notes, wrong_number_words
from intake.ways.contact import Reach, reach_of
from intake.ways.forms import again_choices
from intake.wording.moments import moment_words
from intake.wording.reading import phone_words

Reason = CallTask.Reason
VISITS = (Reason.CONFIRMED, Reason.CHANGED, Reason.CANCELLED, Reason.MISSED)
MOST_TRIES = 3  # after these calls the clinic's procedure says what staff do
MOST = 100  # the page header counts no further than this
BUTTONS = {
    "reached": gettext_lazy("Reached"),
    "left_word": gettext_lazy("Left word"),
    "not_reached": gettext_lazy("Not reached"),
    "wrong": gettext_lazy("Wrong number"),
    "told": gettext_lazy("Told already"),
}
"""The outcomes that staff can tick for an owed call, in words."""

BY_PHONE: dict[str, Any] = {
    Reason.NURSE: gettext_lazy("Only a clinician asks. The page of the submission says what."),
    Reason.REFERENCE: gettext_lazy(
        "Another person called, and did not hear the number. Tell it to the patient alone."
    ),
    Reason.LINE: gettext_lazy("Call back now. The page of the submission says where they are."),
}
"""What staff read of a call that is owed after answers were entered by phone."""
UNTIL_REACHED = (Reason.MORE, Reason.NURSE)
"""The reasons that nobody can tick as "told already"."""

LETTERS = {
    "email": gettext_lazy("An e-mail goes out to the patient now."),
    "sms": gettext_lazy("A text message goes out to the patient now."),
}
NOBODY = gettext_lazy("Nobody has told the patient: call.")
UNTOLD = gettext_lazy("Nobody has told the patient, and there is no safe way: do not call.")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def letter_words(reach: Reach) -> str:
    """Say which letter goes to the patient, or return '' when no letter reaches the patient."""
    return str(LETTERS[reach.way[0]]) if reach.way else ""


def say_who_tells_patient(
    request: HttpRequest, submission: Submission, done: object, reason: str
) -> None:
    """Show staff a message: what was `done`, and how the patient hears of it.

    Warns when staff owe a call for `reason`, or when there is no safe way. Otherwise names the
    letter, which is not a success before a provider accepts it, or says that the patient knows.
    """
    owed = submission.call_tasks.open().filter(reason=reason)
    if task := owed.order_by("may_call").last():
        messages.warning(request, f"{done} {NOBODY if task.may_call else UNTOLD}")
    elif letter := letter_words(reach_of(submission)):
        messages.info(request, f"{done} {letter}")
    else:
        messages.success(request, f"{done} {_('No letter goes out: the patient knows.')}")


def owed_calls_of(
    request: HttpRequest,
    submission: Submission | None,
    reach: Reach | None,
    calls: Iterable[Call] | None = None,
    tasks: list[CallTask] | None = None,
) -> dict[str, Any] | None:
    """Return the owed calls to a patient for a staff page, or None when no call is owed.

    `reach` are the ways to the submission's patient, `calls` the calls that staff made, oldest
    first, `tasks` the open tasks, the first due first. Takes one query for each kind of news among
    the calls, and one without `calls` and one without `tasks`.
    """
    if submission is None or reach is None or not request.user.has_perm("intake.view_calltask"):
        return None
    if tasks is None:
        tasks = list(submission.call_tasks.open().order_by("due_at", "id"))
    if not tasks:
        return None
    news = news_by_task(tasks)
    made = calls_without_notes().filter(submission=submission) if calls is None else calls
    made, phone = list(made), reach.phone
    return {
        "reach": reach,
        # a way that is open has failed for this news, so it is no way to tell it
        "reach_words": reach_words(reach) if any(task.may_call for task in tasks) else NO_WAY,
        "tasks": [(task, news.get(task.pk, "")) for task in tasks],
        "phone": phone,
        "phone_words": phone_words(phone) if phone else "",
        "due": due_words(tasks[0]),
        "wrong_number": wrong_number_words(made, submission.person),
        "word": word_to_leave() if reach.may_leave_word else "",
        "again_name": again_name(tasks[0]),
        "again": again_choices(timezone.now(), reach.hours, urgency=submission.urgency)
        if reach.may_call
        else [],
        "tries": max(_tries(task, made) for task in tasks),
        "most_tries": MOST_TRIES,
        "buttons": [
            (reverse(f"admin:intake_calltask_{name}", args=[tasks[0].pk]), name, words)
            for name, words in buttons_of(tasks, reach)
        ]
        if request.user.has_perm("intake.change_calltask")
        else [],
    }


def news_by_task(tasks: Iterable[CallTask]) -> dict[UUID, str]:
    """Map the id of each owed call to the news for the patient. Calls without news are left out.

    Staff read the news next to the reason of the call. Takes at most one query for each kind of
    news, however many calls there are.
    """
    tasks = list(tasks)
    about = {task.pk: task.occasion.partition(":")[0] for task in tasks}
    visits = _found(
        Appointment.objects.select_related("clinician", "location"),
        [about[task.pk] for task in tasks if task.reason in VISITS],
    )
    lost = _found(
        Offer.objects.select_related("appointment__clinician", "appointment__location"),
        [about[task.pk] for task in tasks if task.reason == Reason.LOST],
    )
    letters = _found(
        Communication.objects.all(),
        [about[task.pk] for task in tasks if task.reason == Reason.MESSAGE],
    )
    questions = _questions([about[task.pk] for task in tasks if task.reason == Reason.MORE])
    offers = _open_offers([task.submission_id for task in tasks if task.reason == Reason.OFFER])
    news = {}
    for task in tasks:
        row = {**visits, **lost, **letters, **questions}.get(about[task.pk])
        if said := BY_PHONE.get(task.reason):
            news[task.pk] = str(said)
        elif task.reason == Reason.OFFER:
            news[task.pk] = _offered_words(offers.get(task.submission_id, []))
        elif isinstance(row, Appointment):
            news[task.pk] = _visit_words(row)
        elif isinstance(row, Offer):
            news[task.pk] = _visit_words(row.appointment)
        elif isinstance(row, Communication):
            news[task.pk] = row.words.get("english") or row.words["text"]
    return news


def tries_of(tasks: Iterable[CallTask]) -> dict[UUID, int]:
    """Map the id of each task to the calls since then that did not reach the patient. One query."""
    tasks = list(tasks)
    rows = calls_without_notes().filter(submission__in={task.submission_id for task in tasks})
    made = list(rows)
    return {task.pk: _tries(task, made) for task in tasks}


def _tries(task: CallTask, calls: Iterable[Call]) -> int:
    """Count the calls since the task that did not reach the patient."""
    return sum(
        call.submission_id == task.submission_id
        and call.at >= task.created_at
        and call.outcome not in Call.SPOKE
        for call in calls
    )


def word_to_leave() -> str:
    """Return the only words that staff may leave: the clinic's short name and number."""
    return _("This is %(clinic)s. Please call us at %(phone)s.") % {
        "clinic": settings.CLINIC_SHORT_NAME,
        "phone": settings.CLINIC_PHONE,
    }


def again_name(task: CallTask) -> str:
    """Return the name of the field that says when to call again about a task."""
    return f"again-{task.pk}"


def _found(rows: QuerySet[Any], ids: list[str]) -> dict[str, Any]:
    """Map ids to rows. Leaves out ids that are not UUIDs, and ids without a row."""
    known = [pk for pk in ids if _UUID.fullmatch(pk)]
    return {str(row.pk): row for row in rows.filter(pk__in=known)} if known else {}


def _questions(decisions: list[str]) -> dict[str, Communication]:
    """Map the ids of decisions to the messages that ask the patient for more information."""
    known = [UUID(pk) for pk in decisions if _UUID.fullmatch(pk)]
    if not known:
        return {}
    asking = Communication.objects.filter(
        by__isnull=False, submission__decisions__in=known, submission__decisions__at=F("at")
    )
    rows = asking.annotate(decision=F("submission__decisions"))
    return {str(vars(row)["decision"]): row for row in rows}


def _open_offers(submissions: list[UUID]) -> dict[UUID, list[Offer]]:
    if not submissions:
        return {}
    rows = Offer.objects.open(timezone.now()).filter(request__submission__in=submissions)
    found: dict[UUID, list[Offer]] = {}
    for row in rows.select_related(
        "request", "appointment__clinician", "appointment__location"
    ).order_by("appointment__during"):
        found.setdefault(row.request.submission_id, []).append(row)
    return found


def _visit_words(row: Appointment) -> str:
    words = moment_words(row.starts, row.location.time_zone)
    return _("%(moment)s, %(clinician)s, %(location)s") % {
        "moment": words,
        "clinician": row.clinician,
        "location": row.location,
    }


def _offered_words(offers: list[Offer]) -> str:
    if not offers:
        return _("The offer has ended.")
    until = min(offer.expires_at for offer in offers)
    return _("%(times)s. Held until %(until)s") % {
        "times": "; ".join(_visit_words(offer.appointment) for offer in offers),
        "until": date_format(timezone.localtime(until), "DATETIME_FORMAT"),
    }


def buttons_of(tasks: Iterable[CallTask], reach: Reach) -> list[tuple[str, Any]]:
    """Return the buttons for these calls to one patient: name and label.

    Staff cannot tick "left word" when no message may be left, and no outcome of a call when no call
    is allowed, except that the patient called. A call that asks the patient something is owed until
    it reaches the patient, so staff cannot tick "told already" for it.
    """
    hidden = set()
    if not any(task.reason not in UNTIL_REACHED for task in tasks):
        hidden.add("told")
    if not reach.may_leave_word:
        hidden.add("left_word")
    if not reach.may_call:
        hidden.add("not_reached")
    return [(name, words) for name, words in BUTTONS.items() if name not in hidden]


def due_words(task: CallTask) -> str:
    """Return the time by which staff must call, in words, and marked when it is overdue."""
    local = timezone.localtime(task.due_at)
    time = date_format(local, "TIME_FORMAT")
    day = "" if local.date() == timezone.localdate() else date_format(local, "D j M, ")
    words = f"{day}{time}" if day else _("today, %(time)s") % {"time": time}
    late = task.due_at <= timezone.now()
    return format_html('<strong class="overdue">{}</strong>', words) if late else words


def calls_of_header(request: HttpRequest) -> list[QuerySet[Any, Any]]:
    """Return what the page header counts as calls to make, as (kind, alarm), each up to MOST rows.

    Texts to our number, calls to invited persons without a submission, and callers who could not
    talk freely count, too. The kind is "text", "invited" or "call".
    """
    if not request.user.has_perm("intake.view_calltask"):
        return []
    texts = ReceivedText.objects.open().order_by("-alarm")
    owed = [texts.annotate(mark=Value("text")), _marked(CallTask.objects.to_make(), "call")]
    if request.user.has_perm("intake.view_invitation"):
        owed.append(_marked(Invitation.objects.to_call(), "invited"))
    if request.user.has_perm("intake.enter_by_phone"):
        owed.append(_marked(PhoneCall.objects.to_call_back(), "call"))
    return [rows[:MOST] for rows in owed]


def calls_to_make(found: list[tuple[str, bool]]) -> dict[str, Any]:
    """Return the number of owed calls for the page header, counted up to MOST, from `found`.

    `invited_to_call` counts the invited persons alone. `danger_text` says whether one of the texts
    has words of danger.
    """
    count = len(found)
    return {
        "calls_to_make": str(count) if count < MOST else f"{MOST - 1}+",
        "invited_to_call": sum(kind == "invited" for kind, _alarm in found),
        "danger_text": any(alarm for _kind, alarm in found),
    }


def _marked(rows: QuerySet[Any], kind: str) -> QuerySet[Any, Any]:
    marked: QuerySet[Any, Any] = rows.order_by().annotate(alarm=Value(False), mark=Value(kind))
    return marked
