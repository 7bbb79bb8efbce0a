"""Store which addresses of other sites on our pages are gone."""

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from clinic import audit
from education.models import GoneLink

JOB = "check-links"


def record_gone(*, answers: Mapping[str, bool | None]) -> None:
    """Store which addresses are gone.

    `answers` maps each address on our pages to the result of `link_check.is_gone`. An address with
    True is stored as gone. The row of an address with False is deleted, as is the row of an address
    that no page names any more. For an address with None nothing changes.
    """
    with transaction.atomic():
        unknown = [url for url, gone in answers.items() if gone is None]
        GoneLink.objects.exclude(url__in=unknown).delete()
        now = timezone.now()
        gone = [GoneLink(url=url, at=now) for url, is_gone in answers.items() if is_gone]
        GoneLink.objects.bulk_create(gone)
        audit.record(
            actor=audit.system(JOB),
            action="update",
            detail={"job": JOB, "count": len(gone)},
        )
