"""Record which member of staff saw which submission, before the page is sent."""

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import transaction

from clinic import audit
from intake import search
from intake.models.submissions import Submission


def record_read(
    *,
    submission: Submission,
    by: User,
    request_id: str,
    action: str = "read",
    besides: Submission | None = None,
    **detail: str,
) -> None:
    """Record that a member of staff looked at the submission, and at one `besides` it.

    `detail` has codes, such as the `page` that shows only a part of the submission.
    """
    with transaction.atomic(savepoint=False):
        audit.record(
            actor=audit.staff(by),
            action=action,
            subject=str(submission.pk),
            purpose="TREAT",
            request_id=request_id,
            besides=[str(besides.pk)] if besides else [],
            detail=detail,
        )


def record_list(
    *, submissions: Iterable[Submission], by: User, request_id: str, term: str = "", page: str = ""
) -> None:
    """Record that a member of staff saw a list: the ids on the list and a blinded search term."""
    with transaction.atomic():
        audit.record(
            actor=audit.staff(by),
            action="search" if term else "list",
            purpose="TREAT",
            request_id=request_id,
            detail={
                "ids": [str(submission.pk) for submission in submissions],
                **({"term": str(search.blinded_term(term))} if term else {}),
                **({"page": page} if page else {}),
            },
        )
