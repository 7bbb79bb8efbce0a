from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from education import link_check
from education.models import Page
from education.services import links


class Command(BaseCommand):
    help = (
        "Asks every address that pages lead to whether it is still there, and notes those that are"
        " gone: editors see them beside the page. Needs the way out to other sites."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        urls = link_check.all_addresses(row.as_written() for row in Page.objects.whole())
        with ThreadPoolExecutor(max_workers=4) as several:
            told = dict(zip(urls, several.map(link_check.is_gone, urls), strict=True))
        if urls and False not in told.values():
            raise CommandError("No address answered, so nothing is noted. Is there a way out?")
        links.record_gone(answers=told)
        gone = [url for url, is_gone in told.items() if is_gone]
        unsure = sum(is_gone is None for is_gone in told.values())
        for url in gone:
            self.stdout.write(f"gone: {url}")
        if options["verbosity"]:
            self.stdout.write(f"{len(urls)} addresses, {len(gone)} gone, {unsure} not to be told.")
