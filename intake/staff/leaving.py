"""Give back the submissions of colleagues who leave or change their role."""

from collections import Counter

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import audit
from clinic.hours import calendar
from intake.domain import workflow
from intake.history import build_history
from intake.models.clinic_time import Closure
from intake.models.people import deciders
from intake.models.submissions import StatusChange, Submission, Urgency


def give_back(*, user: User, by: User, request_id: str) -> list[str]:
    """Give back the waiting submissions of `user` to the worklist if `user` cannot decide any more.

    Takes `user` off call, too. Returns a sentence for each kind of thing that was given back: how
    many submissions of each urgency, and how many coming closures.
    """
    if deciders().filter(pk=user.pk).exists():
        return []
    now = timezone.now()
    with transaction.atomic():
        coming = Q(last_day__gte=timezone.localdate()) | Q(ends_at__gt=now)
        closures = Closure.objects.filter(coming, on_call=user).update(on_call=None)
        transaction.on_commit(calendar.forget)
        mine = Submission.objects.waiting().filter(assignee=user).order_by("pk")
        mine = mine.only("status", "assignee", "revision", "urgency")
        rows = list(mine.select_for_update(of=("self",)))
        for row in rows:
            # a decided, closed or withdrawn submission keeps its status, because staff still have
            # to do something for the patient, but not to decide
            row.status = workflow.MOVES.get((row.status, "release"), row.status)
            row.assignee, row.revision = None, row.revision + 1
        Submission.objects.bulk_update(rows, ["status", "assignee", "revision"])
        StatusChange.objects.bulk_create(
            build_history(row, "release", by=by, at=now) for row in rows
        )
        for row in rows:
            audit.record(
                actor=audit.staff(by),
                action="assign",
                subject=str(row.pk),
                request_id=request_id,
                detail={"to": None},
            )
    told = [_count_words(rows)] if rows else []
    if closures:
        words = ngettext(
            "being on call for %(n)s closure: name another person there",
            "being on call for %(n)s closures: name another person there",
            closures,
        )
        told.append(words % {"n": closures})
    return told


def _count_words(rows: list[Submission]) -> str:
    """Say how many submissions there are, in all and for each urgency."""
    counts = sorted(Counter(row.urgency for row in rows).items(), reverse=True)
    sentence = ngettext(
        "%(n)s submission of the worklist (%(each)s)",
        "%(n)s submissions of the worklist (%(each)s)",
        len(rows),
    )
    each = (
        _("%(urgency)s: %(n)s") % {"urgency": Urgency(urgency).label, "n": n}
        for urgency, n in counts
    )
    return sentence % {"n": len(rows), "each": ", ".join(each)}
