"""The place in the worklist from which staff opened a submission: its tab, filters and page.

Links to a submission carry the place as a signed token (`?list=…`). The token holds codes of tabs
and filters, a page number and the ticket of a search; it names no patient.
"""

from copy import copy
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.contrib.admin.views.main import PAGE_VAR
from django.core import signing
from django.db.models import Q
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from clinic.lists import MOST_COUNTED, TICKET_VAR
from clinic.requests import signed_in_user
from intake.desk.tabs import FILTERS
from intake.models.people import without_clinician
from intake.models.submissions import ORDER, Submission, SubmissionQuerySet

PLACE_VAR = "list"
NAMES = (*(str(each.parameter_name) for each in FILTERS), TICKET_VAR, PAGE_VAR)
_LONGEST_VALUE, _LONGEST_TOKEN = 60, 1000


@dataclass(frozen=True)
class Place:
    """A page of the worklist: the query string of its address, '' for the plain list."""

    query: str = ""

    @property
    def address(self) -> str:
        """The address of the list, for the link back."""
        path = reverse("admin:intake_submission_changelist")
        return f"{path}?{self.query}" if self.query else path

    @property
    def parameters(self) -> QueryDict:
        """The tab, filters and page by their names in the address. The caller may change them."""
        return QueryDict(self.query, mutable=True)

    @property
    def filters(self) -> str:
        """The query string without the page and the search, to be kept under a name."""
        query = self.parameters
        for name in (PAGE_VAR, TICKET_VAR):
            query.pop(name, None)
        return query.urlencode()

    @property
    def page(self) -> int:
        """The number of the page, beginning with 1."""
        asked = self.parameters.get(PAGE_VAR, "")
        return int(asked) if asked.isdecimal() and 0 < int(asked) < MOST_COUNTED else 1

    @property
    def is_search(self) -> bool:
        return TICKET_VAR in self.parameters

    @property
    def token(self) -> str:
        return _signer().sign_object(self.query) if self.query else ""

    def rows(self, request: HttpRequest) -> SubmissionQuerySet:
        """Return all submissions of the list, in its order, without their sealed columns.

        A search has another order, so the list of a search counts as its tab and filters.
        """
        query = self.parameters
        query.pop(TICKET_VAR, None)
        asked: Any = copy(request)
        asked.GET = query
        given = dict(query.lists())
        rows = Submission.objects.order_by(*ORDER).only("reference", "urgency")
        for each in FILTERS:
            if each is FILTERS[0] or each.parameter_name in given:
                found = each(asked, given, Submission, cast(Any, None))
                rows = cast(SubmissionQuerySet, found.queryset(asked, rows))
        return rows


@dataclass(frozen=True)
class Position:
    """Where a submission stands in a list, and its neighbours there."""

    number: int
    count: int
    before: UUID | None
    after: UUID | None

    @property
    def words(self) -> str:
        capped = self.count >= MOST_COUNTED
        pattern = _("%(n)s of %(count)s or more") if capped else _("%(n)s of %(count)s")
        return pattern % {"n": self.number, "count": self.count}


def _signer() -> signing.Signer:
    return signing.Signer(salt="intake.desk.list_place")


def listed_place(request: HttpRequest) -> Place:
    """Return the place that a request for the list asks for."""
    return _kept(request.GET)


def token_of(request: HttpRequest) -> str:
    """Return the token of the list that a request asks for; '' for the plain list."""
    return listed_place(request).token


def place_of(token: str) -> Place:
    """Return the place that a token names; the plain list for a token that is not ours."""
    try:
        query = _signer().unsign_object(token[:_LONGEST_TOKEN])
    except signing.BadSignature:
        return Place()
    return _kept(QueryDict(str(query)))


def asked_place(request: HttpRequest) -> Place:
    """Return the place from which staff opened the page, as its address or its form names it."""
    return place_of(request.POST.get(PLACE_VAR, "") or request.GET.get(PLACE_VAR, ""))


def with_place(address: str, place: Place) -> str:
    """Return the address of a submission's page, with the place added."""
    return f"{address}?{PLACE_VAR}={place.token}" if place.query else address


def position(submission: Submission, place: Place, request: HttpRequest) -> Position | None:
    """Return where a submission stands in a list. One query.

    None if the submission is not among the rows that the list counts, or no longer on it.
    """
    keys = list(place.rows(request).values_list("pk", flat=True)[:MOST_COUNTED])
    if submission.pk not in keys:
        return None
    at = keys.index(submission.pk)
    before = keys[at - 1] if at else None
    return Position(at + 1, len(keys), before, next(iter(keys[at + 1 : at + 2]), None))


def next_of(submission: Submission, place: Place, request: HttpRequest) -> Submission | None:
    """Return the submission of a list to work on after `submission`, with the patient's name.

    That is the next one that waits for the clinic and that no colleague has taken, else the first
    such one of the list, else of the plain list. Pass the submission as it was listed, before a
    decision changes its urgency. Three queries at most.
    """
    behind = _behind(submission)
    for each in dict.fromkeys((place, Place())):
        free = each.rows(request).waiting().exclude(pk=submission.pk)
        free = free.filter(Q(assignee=signed_in_user(request)) | without_clinician())
        free = free.only("reference", "urgency", "person")
        found: Submission | None = free.filter(behind).first() or free.first()
        if found:
            return found
    return None


def _behind(submission: Submission) -> Q:
    """Match the submissions that stand behind a submission in the order of the worklist."""
    rank, target = submission.urgency, submission.target_at
    behind = Q(urgency__lt=rank) | Q(target_at__gt=target)
    behind |= Q(target_at=target, id__gt=submission.pk)
    behind &= Q(alarm=submission.alarm, urgency__lte=rank)
    return behind | Q(alarm=False) if submission.alarm else behind


def _kept(query: QueryDict) -> Place:
    """Return the place that a query string names; parts that the list does not know fall away."""
    kept = QueryDict(mutable=True)
    for name in NAMES:
        value = query.get(name, "")
        if value and len(value) <= _LONGEST_VALUE:
            kept[name] = value
    return Place(kept.urlencode())
