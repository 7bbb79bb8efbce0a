"""Find the staff who can decide on submissions, and the submissions assigned to none of them."""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission, User
from django.db.models import Q, QuerySet


def deciders() -> QuerySet[User]:
    """Return the staff who can decide: active accounts with a role that may."""
    right = Permission.objects.filter(
        codename="decide_submission", content_type__app_label="intake"
    )
    return get_user_model().objects.filter(is_active=True, groups__permissions__in=right)


def without_clinician() -> Q:
    """Match submissions that are not assigned to a person who can decide.

    A submission assigned to a person who has left matches, too.
    """
    return ~Q(assignee__in=deciders().values("pk"))
