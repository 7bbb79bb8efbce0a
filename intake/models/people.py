"""Find the staff who can decide on submissions, and the submissions without a clinician.

A submission is without a clinician when nobody is assigned, or when the assignee cannot decide.
"""

from datetime import date

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission, User
from django.db.models import OuterRef, Q, QuerySet, Subquery

from intake.models.rota import Leave


def deciders() -> QuerySet[User]:
    """Return the staff who can decide: active accounts with a role that has this right."""
    right = Permission.objects.filter(
        codename="decide_submission", content_type__app_label="intake"
    )
    return get_user_model().objects.filter(is_active=True, groups__permissions__in=right)


def with_leave(rows: QuerySet[User], today: date) -> QuerySet[User]:
    """Add the days of the leave that each person has now or next: `leave_from`, `leave_until`."""
    leaves = Leave.objects.filter(person=OuterRef("pk"), last_day__gte=today).order_by("first_day")
    return rows.annotate(
        leave_from=Subquery(leaves.values("first_day")[:1]),
        leave_until=Subquery(leaves.values("last_day")[:1]),
    )


def without_clinician() -> Q:
    """Match submissions whose assignee cannot decide, and submissions without an assignee.

    For example, the assignee may have left the clinic.
    """
    return ~Q(assignee__in=deciders().values("pk"))
