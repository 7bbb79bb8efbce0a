from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from education import link_check
from education.models import Page
from education.services import links


class Command(BaseCommand):
    help = (
        "Check whether the addresses of other sites in the pages still answer, and store which are"
        " gone: editors see them beside the page. Needs access to the internet."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        urls = link_check.all_addresses(row.as_written() for row in Page.objects.with_texts())
        with ThreadPoolExecutor(max_workers=4) as several:
            answers = dict(zip(urls, several.map(link_check.is_gone, urls), strict=True))
        if urls and False not in answers.values():
            raise CommandError("No address answered, so nothing is stored. Is there a network?")
        links.record_gone(answers=answers)
        gone = [url for url, is_gone in answers.items() if is_gone]
        unsure = sum(is_gone is None for is_gone in answers.values())
        for url in gone:
            self.stdout.write(f"gone: {url}")
        if options["verbosity"]:
            self.stdout.write(f"{len(urls)} addresses, {len(gone)} gone, {unsure} unclear.")
