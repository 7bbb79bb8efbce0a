from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from clinic import audit
from clinic.audit import chain
from clinic.outgoing import anchors


class Command(BaseCommand):
    help = (
        "Check that no event of the audit trail was changed, removed or inserted, and print the "
        "anchor (number and hash of the last event) to keep away from this database. If "
        "AUDIT_ANCHOR_TO is set, the result is mailed there as well."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--anchor",
            default="0:",
            type=_anchor,
            metavar="NUMBER:HASH",
            help="an anchor printed before; events up to it are not checked again",
        )

    def handle(self, *, anchor: tuple[int, bytes], **options: object) -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                # no time limit, because checking years of events takes long
                cursor.execute("set local statement_timeout = 0")
            # The head is read before the check, so that the check covers all events up to the head.
            seq, digest = audit.head()
            faults = audit.verify(*anchor)
        summary = f"{seq - anchor[0]} events are whole. Anchor: {seq}:{digest.hex()}"
        if faults:
            summary = "\n".join(f"event {bad}: {why}" for bad, why in faults)
        # a fault after an anchor can be a mistyped anchor, so only a whole check is noted
        if not faults or not anchor[0]:
            actor = audit.system("audit_verify")
            chain.note(actor=actor, first=anchor[0] + 1, last=seq, faults=faults)
        anchors.send_result(summary=summary, is_whole=not faults)
        if faults:
            raise CommandError(summary)
        self.stdout.write(summary)


def _anchor(text: str) -> tuple[int, bytes]:
    number, _colon, digest = text.partition(":")
    return int(number), bytes.fromhex(digest)
