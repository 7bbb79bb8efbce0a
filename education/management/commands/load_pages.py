"""Load the pages of education/content into the database. A second run changes nothing."""

from typing import Any

from django.core.management import CommandError
from django.core.management.base import BaseCommand

from education import checks, content
from education.services import loading


class Command(BaseCommand):
    help = (
        "Create and update the pages about conditions from education/content. A page that an editor"
        " changed, sent to review or published is left alone and named."
    )

    def handle(self, *, verbosity: int, **options: Any) -> None:
        try:
            loaded = loading.load_pages(
                conditions=content.read_conditions(checks.FOLDER),
                pages=[
                    page
                    for language in ("en", *content.LANGUAGES)
                    for page in content.read_pages(checks.FOLDER, language)
                ],
            )
        except content.ContentError as error:
            raise CommandError(str(error)) from None
        if not verbosity:
            return
        self.stdout.write(f"{len(loaded.created)} pages created, {len(loaded.updated)} updated.")
        for name in loaded.left_alone:
            self.stdout.write(f"Left alone, since the page was changed after loading: {name}")
