"""Render all public pages into the store, so that readers need not wait and need no database."""

from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from clinic.pagecache import rendered
from clinic.pagecache.store import StoreError


class Command(BaseCommand):
    help = "Render every public page anew into PAGE_STORE. Run it hourly, as the web server's user."

    def handle(self, *, verbosity: int, **options: Any) -> None:
        if settings.PAGE_STORE == "off":
            self.stdout.write("PAGE_STORE=off: there is no store.")
            return
        try:
            pages = rendered.renew()
        except StoreError as error:
            raise CommandError(f"PAGE_STORE cannot be written: {error.__cause__}") from None
        if not pages:
            raise CommandError("Nothing was rendered. Does the database answer (/readyz)?")
        if verbosity:
            self.stdout.write(f"{pages} pages rendered.")
