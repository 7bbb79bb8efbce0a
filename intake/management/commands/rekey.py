"""`manage.py rekey`: give every patient's row the search tokens of this release."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import models

from intake import search
from intake.models.invitations import Invitation
from intake.models.submissions import Submission

BATCH = 500


class Command(BaseCommand):
    help = (
        "Make the search tokens of all submissions and invitations anew. Run it after a release "
        "that changes them, and once more after OLD_SEARCH_KEYS=off. The program may run "
        "meanwhile; the command can be stopped and started again."
    )

    def handle(self, **options: Any) -> None:
        changed = rekey(Submission) + rekey(Invitation)
        self.stdout.write(f"{changed} rows have new search tokens.")


def rekey(model: type[models.Model]) -> int:
    """Give each row of the model the tokens of its person. Returns how many rows changed.

    A row is changed only if its tokens are still those that were read.
    """
    rows: Any = model._default_manager.order_by("pk").only("pk", "person", "search_keys")
    changed, last = 0, None
    while batch := list((rows.filter(pk__gt=last) if last else rows)[:BATCH]):
        for row in batch:
            keys = search.tokens(row.person)
            if keys != row.search_keys:
                unchanged: Any = model._default_manager.filter(pk=row.pk)
                changed += unchanged.filter(search_keys=row.search_keys).update(search_keys=keys)
        last = batch[-1].pk
    return changed
