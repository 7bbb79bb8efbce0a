"""Store which addresses of other sites are gone."""

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from clinic import audit
from education.models import GoneLink

JOB = "check-links"


def record_gone(*, answers: Mapping[str, bool | None]) -> None:
    """Store which addresses are gone. `answers` maps each address to `link_check.is_gone` of it.

    An address that is gone (True) is stored, and one that is not (False) is deleted. An unknown one
    (None) stays as it was. An address that no page names any more is deleted too.
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
