from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.management.base import BaseCommand

from education import links, services
from education.models import Page


class Command(BaseCommand):
    help = (
        "Asks every address that pages lead to whether it is still there, and notes those that are"
        " gone: editors see them beside the page. Needs the way out to other sites."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        pages = Page.objects.whole()
        urls = links.all_addresses(text for row in pages for text in (row.as_written(),))
        with ThreadPoolExecutor(max_workers=4) as several:
            told = dict(zip(urls, several.map(links.is_gone, urls), strict=True))
        services.note_links(told=told)
        gone = [url for url, is_gone in told.items() if is_gone]
        unsure = sum(is_gone is None for is_gone in told.values())
        for url in gone:
            self.stdout.write(f"gone: {url}")
        if options["verbosity"]:
            self.stdout.write(f"{len(urls)} addresses, {len(gone)} gone, {unsure} not to be told.")
