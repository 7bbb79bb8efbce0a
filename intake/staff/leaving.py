"""Give back the submissions of colleagues who leave, change their role, are away or are idle."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import audit
from clinic.hours import calendar
from clinic.outgoing import outbox
from intake.domain import workflow
from intake.history import build_history
from intake.models.clinic_time import Closure
from intake.models.people import deciders
from intake.models.rota import Leave, OnCall
from intake.models.submissions import StatusChange, Submission, SubmissionQuerySet, Urgency

MOST_AT_ONCE = 100  # people whose work one sweep gives back
GIVEN_BACK = "given_back"
"""The letter which says that work came back while nobody was at a screen."""


def give_back(*, user: User, by: User, request_id: str) -> list[str]:
    """Give back the waiting submissions of `user` to the worklist if `user` cannot decide any more.

    Takes `user` off call, too. Returns a sentence for each kind of thing that was given back: how
    many submissions of each urgency, and how many coming times on call.
    """
    if deciders().filter(pk=user.pk).exists():
        return []
    now = timezone.now()
    with transaction.atomic():
        coming = Q(last_day__gte=timezone.localdate()) | Q(ends_at__gt=now)
        closures = Closure.objects.filter(coming, on_call=user).update(on_call=None)
        times = OnCall.objects.filter(person=user, ends_at__gt=now).delete()[0]
        transaction.on_commit(calendar.forget)
        rows = _release(user, by, audit.staff(by), request_id)
    told = [_count_words(rows)] if rows else []
    if closures:
        words = ngettext(
            "being on call for %(n)s closure: name another person there",
            "being on call for %(n)s closures: name another person there",
            closures,
        )
        told.append(words % {"n": closures})
    if times:
        words = ngettext(
            "%(n)s time on call: name another person then",
            "%(n)s times on call: name another person then",
            times,
        )
        told.append(words % {"n": times})
    return told


# --- leave ----------------------------------------------------------------------------------------


def store_leave(*, leave: Leave, by: User, request_id: str = "") -> list[str]:
    """Store a validated leave. If it has begun, give the person's open work back at once.

    Returns a sentence for each kind of work that was given back, and for the times in which the
    person is named as on call and now does not count.
    """
    is_new, begins_later = leave._state.adding, leave.first_day > timezone.localdate()
    with transaction.atomic():
        if begins_later:
            leave.given_back_at = None
        leave.save()
        _record_leave(leave, by, "create" if is_new else "update", request_id)
        rows = []
        if not begins_later and leave.given_back_at is None:
            rows = _begin(leave, by, audit.staff(by), request_id)
        transaction.on_commit(calendar.forget)
    told = [_count_words(rows)] if rows else []
    start, end = leave.moments
    on_call = OnCall.objects.filter(person=leave.person, starts_at__lt=end, ends_at__gt=start)
    meant = Q(first_day__lte=leave.last_day, last_day__gte=leave.first_day)
    meant |= Q(starts_at__lt=end, ends_at__gt=start)
    count = on_call.count() + Closure.objects.filter(meant, on_call=leave.person).count()
    if count:
        words = ngettext(
            "being on call at %(n)s time of these days: name another person then",
            "being on call at %(n)s times of these days: name another person then",
            count,
        )
        told.append(words % {"n": count})
    return told


def delete_leave(*, leave: Leave, by: User, request_id: str = "") -> None:
    """Delete a leave. Work that was given back stays on the worklist."""
    with transaction.atomic():
        _record_leave(leave, by, "update", request_id, fields=["deleted"])
        leave.delete()
        transaction.on_commit(calendar.forget)


def held_words(user: User) -> str:
    """Say how many waiting submissions a person holds; '' for none."""
    rows = list(_held_by(user).only("urgency"))
    return _count_words(rows) if rows else ""


def begin_leaves(*, limit: int = MOST_AT_ONCE) -> int:
    """Give back the open work of people whose leave has begun. Returns how many leaves began.

    Runs each minute, and may run on several workers at once.
    """
    due = Leave.objects.at(timezone.now()).filter(given_back_at=None)
    return sum(map(_begin_if_due, list(due.values_list("pk", flat=True)[:limit])))


def _begin_if_due(pk: UUID) -> bool:
    with transaction.atomic():
        rows = Leave.objects.select_for_update(of=("self",), skip_locked=True)
        leave = rows.filter(pk=pk, given_back_at=None).select_related("person").first()
        if leave:
            _begin(leave, None, audit.system("leave"))
    return leave is not None


def _begin(leave: Leave, by: User | None, actor: str, request_id: str = "") -> list[Submission]:
    leave.given_back_at = timezone.now()
    leave.save(update_fields=["given_back_at"])
    return _release(leave.person, by, actor, request_id)


def _record_leave(
    leave: Leave, by: User, action: str, request_id: str, *, fields: list[str] | None = None
) -> None:
    audit.record(
        actor=audit.staff(by),
        action=action,
        subject=audit.staff(leave.person),
        request_id=request_id,
        detail={"kind": "leave", **({"fields": fields} if fields else {})},
    )


# --- people who do not sign in --------------------------------------------------------------------


def give_back_idle(*, limit: int = MOST_AT_ONCE) -> int:
    """Give back the open work of people who have not signed in for STAFF_IDLE_DAYS.

    Runs each minute, and may run on several workers at once. Returns how many submissions were
    given back.
    """
    since = timezone.now() - timedelta(days=settings.STAFF_IDLE_DAYS)
    idle = Q(last_login__lt=since) | Q(last_login=None, date_joined__lt=since)
    holders = Submission.objects.waiting().exclude(assignee=None).values("assignee")
    people = User.objects.filter(idle, is_active=True, pk__in=holders).order_by("pk")
    count = 0
    for user in people[:limit]:
        with transaction.atomic():
            count += len(_release(user, None, audit.system("idle"), skip_locked=True))
    return count


# --- the submissions of one person ----------------------------------------------------------------


def _held_by(user: User) -> SubmissionQuerySet:
    return Submission.objects.waiting().filter(assignee=user).order_by("pk")


def _release(
    user: User, by: User | None, actor: str, request_id: str = "", *, skip_locked: bool = False
) -> list[Submission]:
    """Give back the waiting submissions of `user`, in the caller's transaction. Returns them."""
    now = timezone.now()
    mine = _held_by(user).only("status", "assignee", "revision", "urgency")
    rows = list(mine.select_for_update(of=("self",), skip_locked=skip_locked))
    for row in rows:
        # a decided, closed or withdrawn submission keeps its status, because staff still have to do
        # something for the patient, but not to decide
        row.status = workflow.MOVES.get((row.status, "release"), row.status)
        row.assignee, row.revision = None, row.revision + 1
    Submission.objects.bulk_update(rows, ["status", "assignee", "revision"])
    StatusChange.objects.bulk_create(build_history(row, "release", by=by, at=now) for row in rows)
    if rows and by is None:  # nobody is at a screen to read what came back
        outbox.put(kind=GIVEN_BACK, occasion=f"{rows[0].pk}:{rows[0].revision}")
    for row in rows:
        audit.record(
            actor=actor,
            action="assign",
            subject=str(row.pk),
            request_id=request_id,
            detail={"to": None},
        )
    return rows


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
