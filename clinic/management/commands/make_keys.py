from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from clinic.secrets import sealing


class Command(BaseCommand):
    help = (
        "Write a new key file that only its owner can read: the ring of field keys, or with "
        "--index the key of the blind indexes. An existing file is never overwritten."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--index", action="store_true", help="make an index key instead")

    def handle(self, *, path: Path, index: bool, **options: object) -> None:
        text = sealing.new_index_key() if index else sealing.new_field_keys()
        try:
            sealing.write_key_file(path, text)
        except FileExistsError:
            raise CommandError(
                f"{path} exists and is left alone: values may be sealed with it."
            ) from None
        except OSError as error:
            raise CommandError(f"Cannot write {path}: {error.strerror}.") from None
        name = "INDEX_KEY_FILE" if index else "FIELD_KEYS_FILE"
        self.stdout.write(
            f"Wrote {path}. Set {name}={path} and keep a copy away from the database's backup: "
            "what is sealed is lost without it."
        )
