from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from clinic import audit
from clinic.people import resealing


class Command(BaseCommand):
    help = (
        "Seal every value anew with the first key of FIELD_KEYS_FILE, while the program runs. When"
        " no value is left, the old key can be taken out of the ring. Stopped, it goes on from"
        " there. Run it as the owner of the tables: the program may not change decisions."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing, count what is left"
        )

    def handle(self, *, check: bool, **options: object) -> None:
        with connection.cursor() as cursor:
            # no time limit, because the queries read every row
            cursor.execute("set statement_timeout = 0")
        if not check:
            done = resealing.reseal_all()
            with transaction.atomic():
                audit.record(actor=audit.system("reseal"), action="config", detail={"count": done})
            self.stdout.write(f"{done} values are sealed anew.")
        if left := resealing.count_old():
            raise CommandError(
                f"{left} values are sealed with an older key. Keep it in the ring, see that every"
                " server has the new file, and run reseal again."
            )
        self.stdout.write("Nothing is sealed with an older key: it can be taken out of the ring.")
