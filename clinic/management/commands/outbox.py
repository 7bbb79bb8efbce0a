"""`manage.py outbox`: show the queue of messages, try failed messages again, explain one message.

Shows no address and no text of a message.
"""

from argparse import ArgumentParser
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from clinic import audit
from clinic.models import Message
from clinic.outgoing import explaining, oversight


class Command(BaseCommand):
    help = "Show which messages wait or have failed, and why. Try failed messages again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--retry", nargs="*", metavar="ID", help="make these failed messages due now"
        )
        parser.add_argument(
            "--failed", action="store_true", help="with --retry: all failed messages"
        )
        parser.add_argument("--explain", metavar="ID", help="say all about one message")

    def handle(
        self, *, retry: list[str] | None, failed: bool, explain: str | None, **options: object
    ) -> None:
        if explain:
            lines = explaining.explanation(_message(explain))
        elif retry is not None or failed:
            lines = iter([self._retry(retry or [], failed=failed)])
        else:
            lines = explaining.overview()
        self.stdout.write("\n".join(lines))

    def _retry(self, ids: list[str], *, failed: bool) -> str:
        rows = Message.objects.filter(state=Message.State.FAILED).order_by("pk")
        if failed == bool(ids):
            raise CommandError("Name the messages after --retry, or write --retry --failed.")
        messages = [_message(each) for each in ids] or list(rows)
        count = 0
        for message in messages:
            try:
                oversight.try_again(message=message, actor=audit.system("outbox"))
            except oversight.Settled:
                self.stderr.write(f"{message.pk} has not failed.")
            else:
                count += 1
        return f"{count} of {len(messages)} messages are due now."


def _message(given: str) -> Message:
    try:
        return Message.objects.get(pk=UUID(given))
    except ValueError:
        raise CommandError(
            f"{given!r} is not the id of a message. Take it from the list."
        ) from None
    except Message.DoesNotExist:
        raise CommandError(f"There is no message {given}. It may be deleted by now.") from None
