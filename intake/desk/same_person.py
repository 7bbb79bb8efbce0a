"""Find earlier submissions of a person, and store what staff say about who is the same person.

A submission is suggested by the blind tokens of name and birth date. Two people can share both, so
that a member of staff says whether they are one person. Nothing is merged.
"""

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clinic import audit
from intake import search
from intake.errors import Conflict
from intake.models.same_person import SamePerson
from intake.models.submissions import Submission

MOST = 50  # submissions that the page suggests
CHANGED = gettext_lazy("A colleague was quicker: this is what is stored now.")


@dataclass(frozen=True)
class Alike:
    """A submission with the same name and birth date, and the link that staff confirmed."""

    submission: Submission
    link: SamePerson | None


def is_alike(submission: Submission) -> Q | None:
    """Match the submissions with the same name and birth date; None if either is unknown."""
    keys = search.person_tokens(submission.person)
    return Q(search_keys__contains=keys) if keys else None


def alike(submission: Submission) -> list[Alike]:
    """Return the other submissions that may be of the same person, the newest first. Two queries.

    A confirmed submission stays in the list when its name is corrected.
    """
    links = {other_of(link, submission): link for link in _links(submission)}
    same = is_alike(submission)
    wanted = Q(pk__in=list(links)) | same if same else Q(pk__in=list(links))
    rows = Submission.objects.filter(wanted).exclude(pk=submission.pk).defer("search_keys")
    newest = rows.order_by("-submitted_at", "id")[:MOST]
    return [Alike(row, links.get(row.pk)) for row in newest]


def confirm(*, submission: Submission, other: Submission, by: User, request_id: str) -> None:
    """Store that two submissions are of the same person. Idempotent.

    Raises Conflict if `other` is not among the suggestions any more.
    """
    if other.pk not in {each.submission.pk for each in alike(submission)}:
        raise Conflict(str(CHANGED))
    first, second = sorted((submission.pk, other.pk))
    with transaction.atomic():
        link = SamePerson(first_id=first, second_id=second, by=by, at=timezone.now())
        SamePerson.objects.bulk_create([link], ignore_conflicts=True)
        _record(submission, other, "confirmed", by, request_id)


def undo(*, submission: Submission, other: Submission, by: User, request_id: str) -> None:
    """Take back that two submissions are of the same person.

    Raises Conflict if a colleague took it back before.
    """
    first, second = sorted((submission.pk, other.pk))
    with transaction.atomic():
        rows = SamePerson.objects.standing().filter(first=first, second=second)
        if not rows.update(undone_by=by, undone_at=timezone.now()):
            raise Conflict(str(CHANGED))
        _record(submission, other, "undone", by, request_id)


def other_of(link: SamePerson, submission: Submission) -> UUID:
    """Return the id of the submission that a link names beside this one."""
    return link.second_id if link.first_id == submission.pk else link.first_id


def _links(submission: Submission) -> QuerySet[SamePerson]:
    of_this = Q(first=submission.pk) | Q(second=submission.pk)
    return SamePerson.objects.standing().filter(of_this).select_related("by")


def _record(submission: Submission, other: Submission, to: str, by: User, request_id: str) -> None:
    audit.record(
        actor=audit.staff(by),
        action="update",
        subject=str(submission.pk),
        purpose="TREAT",
        request_id=request_id,
        detail={"kind": "same person", "to": to},
        besides=[str(other.pk)],
    )
