from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from clinic import audit
from clinic.outgoing import anchors


class Command(BaseCommand):
    help = (
        "Checks that no event of the audit trail was changed, removed or put in, and prints the "
        "anchor (number and hash of the last event) to keep away from this database. With "
        "AUDIT_ANCHOR_TO it is sent there, too."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--anchor",
            default="0:",
            type=_anchor,
            metavar="NUMBER:HASH",
            help="an anchor printed before; events up to it are taken on trust",
        )

    def handle(self, *, anchor: tuple[int, bytes], **options: object) -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("set local statement_timeout = 0")  # years of events take a while
            seq, digest = audit.head()  # first: what is added meanwhile is verified as well
            faults = audit.verify(*anchor)
        said = f"{seq - anchor[0]} events are whole. Anchor: {seq}:{digest.hex()}"
        if faults:
            said = "\n".join(f"event {bad}: {why}" for bad, why in faults)
        anchors.tell(said=said, is_whole=not faults)
        if faults:
            raise CommandError(said)
        self.stdout.write(said)


def _anchor(text: str) -> tuple[int, bytes]:
    number, _colon, digest = text.partition(":")
    return int(number), bytes.fromhex(digest)
