"""`manage.py urgency_fit`: print how often clinicians found the urgency of each rule right."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from intake.desk import urgency_fit
from intake.models.submissions import Fit

HEADINGS = ("protocol", "rule", "judged", "too low", "at most", "too high", "at most", "untold")


class Command(BaseCommand):
    help = (
        "Print for each rule how often clinicians said at closing that the urgency was too low or "
        "too high, with the upper 95 % bound of that share, and how often the rule stopped a form "
        "whose patient did not tell the clinic. It names no patient."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=365, help="how far to look back")

    def handle(self, *, days: int, **options: Any) -> None:
        rules = urgency_fit.of_rules(since=timezone.now() - timedelta(days=days))
        for row in (HEADINGS, *map(_row, rules)):
            self.stdout.write("  ".join(text.ljust(8) for text in row).rstrip())
        if not rules:
            self.stdout.write("No clinician has judged an urgency yet, and no form was stopped.")


def _row(rule: urgency_fit.RuleFit) -> tuple[str, ...]:
    low, high = (
        (str(number), f"{bound:.1%}" if rule.judged else "–")
        for number, bound in map(rule.share, (Fit.TOO_LOW, Fit.TOO_HIGH))
    )
    return rule.protocol, rule.rule, str(rule.judged), *low, *high, str(rule.untold)
