"""Who of the staff can decide on submissions."""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet


def deciders() -> QuerySet:
    """The people who can decide now: their account is active, and one of their roles may."""
    right = Permission.objects.filter(
        codename="decide_submission", content_type__app_label="intake"
    )
    return get_user_model().objects.filter(is_active=True, groups__permissions__in=right)


def without_clinician() -> Q:
    """Submissions that nobody who can decide has taken: somebody who has left holds none."""
    return ~Q(assignee__in=deciders().values("pk"))
