"""`manage.py stops`: print on which pages patients give up, without following anybody."""

import csv
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from intake.invitations import following
from intake.models.invitations import Invitation
from intake.questionnaire import walk_counts

HEADINGS = ("from", "to", "protocol", "form", "what", "where", "number")
FEW = f"1 to {walk_counts.FEWEST - 1}"


class Command(BaseCommand):
    help = (
        "Print how many forms were begun, sent, and ended unsent by their last page; emergency "
        "stops that nobody told the clinic of; invitations by what became of them; and the median "
        f"minutes. Numbers below {walk_counts.FEWEST} a day are added up by week. It names no "
        "patient."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=28, help="how far to look back")
        parser.add_argument("--csv", action="store_true", help="print lines of CSV")

    def handle(self, *, days: int, **options: Any) -> None:
        today = timezone.localdate()
        first = today - timedelta(days=days)
        counts = walk_counts.since(first)
        counts += following.counts_of(Invitation.objects.filter(created_at__date__gte=first))
        rows = [
            (*(str(part) for part in period[:6]), str(period.number or FEW))
            for period in walk_counts.in_periods(counts)
        ]
        rows += [
            (str(first), str(today), protocol, kind, "median minutes", "", str(minutes))
            for protocol, kind, _number, minutes in walk_counts.median_minutes(first)
        ]
        if options["csv"]:
            csv.writer(self.stdout).writerows([HEADINGS, *rows])
            return
        for row in (HEADINGS, *rows):
            self.stdout.write("  ".join(text.ljust(11) for text in row).rstrip())
        if not rows:
            self.stdout.write("No form was begun yet.")
