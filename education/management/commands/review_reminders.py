from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from education.services import reminders


class Command(BaseCommand):
    help = (
        "Tell the content editors by e-mail which reviews of pages are overdue, once a month."
        " A timer may run this as often as you like."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        count = reminders.remind_of_reviews(today=timezone.localdate())
        if options["verbosity"]:
            what = f"pages named: {count}" if count else "no review is overdue, or already told"
            self.stdout.write(what)
