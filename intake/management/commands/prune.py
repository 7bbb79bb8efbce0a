"""`manage.py prune`: delete expired data and print how much. It must run every hour."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from clinic import limits
from clinic.outgoing import outbox
from clinic.people import attempts, cache
from intake.access import codes
from intake.appointments.holds import prune_holds
from intake.invitations.following import forget
from intake.questionnaire.drafts import delete_idle_drafts


class Command(BaseCommand):
    help = (
        "Delete idle drafts, old codes, ended sessions, buckets, invitations, sent messages and "
        "sign-in logs. Run it every hour."
    )

    def handle(self, **options: Any) -> None:
        drafts = delete_idle_drafts(days=settings.DRAFT_DAYS)
        buckets = limits.prune()
        messages, access = outbox.prune(), codes.prune_access()
        holds, invitations = prune_holds(days=7), forget(days=7)
        cache.prune()
        attempts.prune()
        call_command("clearsessions")
        call_command("axes_reset_logs", age=30, verbosity=0)
        self.stdout.write(
            f"{drafts} idle drafts, {access} old codes, {buckets} limit buckets, "
            f"{holds} old holds, {invitations} old invitations and {messages} old messages deleted."
        )
