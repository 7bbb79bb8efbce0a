"""Which addresses of other sites no longer exist."""

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from clinic import audit
from education.models import GoneLink

JOB = "check-links"


def record_gone(*, answers: Mapping[str, bool | None]) -> None:
    """Store which addresses are gone, by what `link_check.is_gone` answered for each.

    Gone (True) is stored, not gone (False) is deleted, and unknown (None) keeps what was stored.
    An address that no page names any more is deleted too.
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
