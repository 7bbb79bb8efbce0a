"""Find the staff who can decide on submissions, and the submissions without a clinician.

A submission is without a clinician when nobody is assigned, or when the assignee cannot decide.
"""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission, User
from django.db.models import Q, QuerySet


def deciders() -> QuerySet[User]:
    """Return the staff who can decide: active accounts with a role that has this right."""
    right = Permission.objects.filter(
        codename="decide_submission", content_type__app_label="intake"
    )
    return get_user_model().objects.filter(is_active=True, groups__permissions__in=right)


def without_clinician() -> Q:
    """Match submissions whose assignee cannot decide, and submissions without an assignee.

    For example, the assignee may have left the clinic.
    """
    return ~Q(assignee__in=deciders().values("pk"))
