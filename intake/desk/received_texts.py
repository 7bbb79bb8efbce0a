"""The texts to the clinic's number, at the head of the call list: one entry for each number."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clinic import audit
from clinic.requests import StaffRequest
from intake import search
from intake.domain.text_words import Meaning
from intake.models.received_texts import ReceivedText
from intake.models.submissions import Submission
from intake.ways import contact_points, received_texts
from intake.wording.reading import phone_words

MOST = 200  # texts on the page
MOST_REFERENCES = 3  # requests that are named for a number

ADVICE = {
    Meaning.CANCEL: gettext_lazy(
        "We send this number no more texts. Did the person mean the visit? Ask."
    ),
    Meaning.VISIT: gettext_lazy("May want to cancel a visit. We still send texts."),
    Meaning.WRONG: gettext_lazy(
        "Says that the number is wrong. We send it no more texts. Find out the patient’s number."
    ),
    Meaning.STOP: gettext_lazy("We send this number no more texts."),
}


@dataclass
class NumberTexts:
    """The texts of one number that wait, the oldest first."""

    number: str
    rows: list[ReceivedText] = field(default_factory=list)
    references: list[tuple[str, str]] = field(default_factory=list)

    @property
    def phone(self) -> str:
        return phone_words(self.number)

    @property
    def alarm(self) -> bool:
        return any(row.alarm for row in self.rows)

    @property
    def said(self) -> list[tuple[str, str]]:
        """The time and the words of each text."""
        return [(_time_words(row), _words(row)) for row in self.rows]

    @property
    def advice(self) -> list[Any]:
        """What the texts ask of staff, each once."""
        found = [ADVICE[Meaning(row.meaning)] for row in self.rows if row.meaning in ADVICE]
        return list(dict.fromkeys(found))

    @property
    def may_stop(self) -> bool:
        """Whether staff can stop the texts to this number."""
        return not any(Meaning(row.meaning).revokes for row in self.rows)


def waiting(request: HttpRequest) -> list[NumberTexts]:
    """Return the texts that wait, by number: words of danger first, then the oldest.

    Takes one query, and one more for the requests on which the numbers stand.
    """
    by_key: dict[bytes, NumberTexts] = {}
    for row in ReceivedText.objects.open().order_by("-alarm", "at", "id")[:MOST]:
        number = NumberTexts(row.words["number"])
        by_key.setdefault(bytes(row.key), number).rows.append(row)
    _add_references(request, list(by_key.values()))
    for number in by_key.values():
        number.rows.sort(key=lambda row: row.at)
    return list(by_key.values())


def deal_with(request: StaffRequest) -> None:
    """Settle the posted texts, and with the button `stop` send the number no more texts."""
    posted = [pk for pk in map(_uuid, request.POST.getlist("text")) if pk]
    given: dict[str, Any] = {"by": request.user, "request_id": request.request_id}
    if "stop" in request.POST:
        for row in ReceivedText.objects.filter(pk__in=posted):
            contact_points.revoke(
                channel="sms",
                address=row.words["number"],
                actor=audit.staff(request.user),
                request_id=request.request_id,
            )
    received_texts.settle(texts=posted, **given)
    messages.success(request, _("Noted: the texts of this number are dealt with."))


def _add_references(request: HttpRequest, numbers: list[NumberTexts]) -> None:
    """Name the requests on which each number stands. The person with the phone may be another."""
    page = "frontdesk" if request.user.has_perm("intake.view_frontdesk") else "submission"
    wanted = {token: number for number in numbers for token in search.address_tokens(number.number)}
    if not wanted:
        return
    rows = Submission.objects.filter(search_keys__overlap=list(wanted)).order_by("-submitted_at")
    for pk, reference, keys in rows.values_list("pk", "reference", "search_keys")[:MOST]:
        for number in {id(wanted[key]): wanted[key] for key in keys if key in wanted}.values():
            if len(number.references) < MOST_REFERENCES:
                address = reverse(f"admin:intake_{page}_change", args=[pk])
                number.references.append((reference, address))


def _time_words(row: ReceivedText) -> str:
    local = timezone.localtime(row.at)
    day = "" if local.date() == timezone.localdate() else date_format(local, "D j M, ")
    return day + date_format(local, "TIME_FORMAT")


def _words(row: ReceivedText) -> str:
    parts = [row.words["text"].strip()]
    if row.pictures:
        parts.append(
            ngettext(
                "(%(count)s picture, not kept)", "(%(count)s pictures, not kept)", row.pictures
            )
            % {"count": row.pictures}
        )
    return " ".join(filter(None, parts)) or _("(no words)")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
