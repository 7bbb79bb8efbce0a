"""Count what stands above the worklist: tabs, filters, what is overdue. One statement for all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import (
    BooleanField,
    ExpressionWrapper,
    IntegerField,
    JSONField,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.expressions import Combinable
from django.http import HttpRequest
from django.utils import timezone

from clinic.lists import MOST_COUNTED, FixedFilter, term_of
from clinic.requests import signed_in_user
from intake import documents
from intake.desk.tabs import ALL, FILTERS, TABS, tab_of
from intake.domain import workflow
from intake.models.submissions import IS_ANSWER_DUE, IS_WAITING, SavedFilter, Submission
from intake.protocols import served
from intake.staff.filters import ProtocolFilter

MOST_SHOWN = 99  # the largest count that a tab shows
MOST_SAVED = 20
_IS_UNDECIDED = Q(status__in=workflow.IN_TRIAGE) | Q(status="waiting", back_at=None)


@dataclass(frozen=True)
class Standing:
    """The state of the work, as the head of the worklist shows it.

    `facets` maps the parameter of each filter to the number of rows of each of its options.
    `count` is the number of rows on the list. Both are None where the rows are too many to count.
    """

    tab: str
    tabs: Mapping[str, int]
    suspects: int
    overdue: int
    next_due: datetime | None
    saved: list[dict[str, Any]]
    facets: Mapping[str, Mapping[str, int]] | None
    count: int | None


class _Count(Subquery):
    """The number of rows of a query, which has its own limit."""

    template = "(select count(*) from (%(subquery)s) counted)"
    output_field = IntegerField()


class _Rows(Subquery):
    """The rows of a query as a list of JSON objects."""

    template = "(select coalesce(jsonb_agg(found), '[]') from (%(subquery)s) found)"
    output_field = JSONField()


class _Sums(Subquery):
    """The number of rows of a query, and for each of its columns how often the column is true."""

    template = "(select jsonb_build_array(%(counts)s) from (%(subquery)s) counted)"
    output_field = JSONField()


def standing_of(request: HttpRequest) -> Standing:
    """Return the state of the work for a request of the worklist. One statement for a request.

    The result is kept on the request. It names no patient.
    """
    kept: Any = request
    if not hasattr(kept, "standing"):
        kept.standing = _ask(request)
    standing: Standing = kept.standing
    return standing


def _ask(request: HttpRequest) -> Standing:
    by, now, tab = signed_in_user(request), timezone.now(), tab_of(request)
    rows = Submission.objects.order_by()
    asked: dict[str, Combinable] = {
        f"tab_{code}": _Count(each.narrow(rows, by).values("pk")[: MOST_SHOWN + 1])
        for code, each in TABS.items()
        if code != ALL
    }
    asked["suspects"] = _Count(rows.filter(suspect=True).values("pk")[: MOST_SHOWN + 1])
    undecided = rows.filter(IS_WAITING, _IS_UNDECIDED)
    late = [
        undecided.filter(target_at__lt=now),
        rows.filter(IS_ANSWER_DUE, reply_due_at__lt=now),
    ]
    first, second = (each.values("pk")[: MOST_SHOWN + 1] for each in late)
    asked["overdue"] = _Count(first.union(second))
    coming = undecided.filter(target_at__gte=now).order_by("target_at")
    asked["next_target"] = Subquery(coming.values("target_at")[:1])
    replies = rows.filter(IS_ANSWER_DUE, reply_due_at__gte=now).order_by("reply_due_at")
    asked["next_reply"] = Subquery(replies.values("reply_due_at")[:1])
    mine = SavedFilter.objects.filter(Q(owner=by) | Q(is_shared=True))
    asked["saved"] = _Rows(mine.values("name", "slug", "is_shared", "owner_id")[:MOST_SAVED])
    asked["protocols"] = _Rows(documents.that_asked().values("name", "content_hash"))
    options = _options(request)
    if tab == ALL:
        if not term_of(request):
            asked["count"] = _Count(rows.filter(options[0][2]).values("pk")[:MOST_COUNTED])
    elif request.GET.get("protocol", "") in ("", *_codes(ProtocolFilter)):
        asked["sums"] = _sums(TABS[tab].narrow(rows, by), options)
    found: Any = get_user_model().objects.values(**asked).get(pk=by.pk)
    stored = [(each["name"], each["content_hash"]) for each in found["protocols"]]
    kept: Any = request
    kept.protocols = documents.asking(stored)
    facets, count = _facets(options, found.get("sums"))
    return Standing(
        tab=tab,
        tabs={code: found[f"tab_{code}"] for code in TABS if code != ALL},
        suspects=found["suspects"],
        overdue=found["overdue"],
        next_due=min(filter(None, (found["next_target"], found["next_reply"])), default=None),
        saved=found["saved"],
        facets=facets,
        count=found.get("count", count),
    )


# --- facets ---------------------------------------------------------------------------------------
Option = tuple[str, str, Q]  # the parameter of a filter, the code of an option, its condition


def _options(request: HttpRequest) -> list[Option]:
    """Return the options of all filters beside the tabs.

    The condition of an option contains the choices of the other filters, because a click on the
    option keeps them. The first option, without a name, has the choices of all filters.
    """
    conditions = {
        str(each.parameter_name): {code: each.condition(request, code) for code in _codes(each)}
        for each in FILTERS[1:]
    }
    chosen = {name: codes.get(request.GET.get(name, "")) for name, codes in conditions.items()}

    def others(name: str) -> Q:
        return reduce(and_, (q for other, q in chosen.items() if q and other != name), Q())

    return [("", "", others(""))] + [
        (name, code, others(name) & condition)
        for name, codes in conditions.items()
        for code, condition in codes.items()
    ]


def _codes(each: type[FixedFilter]) -> list[str]:
    if each is ProtocolFilter:
        return [protocol.name for protocol in served()]
    return [str(code) for code, _label in each.options]


def _sums(rows: QuerySet[Submission], options: list[Option]) -> _Sums:
    """Count the rows of each option among the first rows of a tab."""
    columns = {
        f"f{at}": ExpressionWrapper(condition or Q(pk__isnull=False), output_field=BooleanField())
        for at, (_name, _code, condition) in enumerate(options)
    }
    counts = ["count(*)", *(f"count(*) filter (where counted.{name})" for name in columns)]
    return _Sums(rows.values(**columns)[:MOST_COUNTED], counts=", ".join(counts))


def _facets(
    options: list[Option], sums: list[int] | None
) -> tuple[dict[str, dict[str, int]] | None, int | None]:
    """Return the counts of the options by filter, and the number of rows on the list."""
    if sums is None or sums[0] >= MOST_COUNTED:
        return None, None
    facets: dict[str, dict[str, int]] = {}
    for (name, code, _condition), count in zip(options, sums[1:], strict=True):
        facets.setdefault(name, {})[code] = count
    return facets, facets.pop("")[""]
