"""Load the pages of education/content into the database. A second run changes nothing."""

from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from education import content, problems
from education.services import loading


class Command(BaseCommand):
    help = (
        "Create and update the pages about conditions from education/content. A page that an editor"
        " changed, sent to review or published is left alone and named, and so is a translation"
        " that does not fit its English page."
    )

    def handle(self, *, verbosity: int, **options: Any) -> None:
        try:
            english = content.read_pages(content.FOLDER)
            translations = self._translations()
            conditions = content.read_conditions(content.FOLDER, translations)
        except content.ContentError as error:
            raise CommandError(str(error)) from None
        pages = list(english)
        for language, others in translations.items():
            fit = problems.fitting(english, others)
            pages += fit
            for name in sorted({page.name for page in others} - {page.name for page in fit}):
                self.stderr.write(
                    f"Left out, since it does not fit its English page: {language}/{name}"
                )
        loaded = loading.load_pages(conditions=conditions, pages=pages)
        if not verbosity:
            return
        self.stdout.write(f"{len(loaded.created)} pages created, {len(loaded.updated)} updated.")
        for name in loaded.left_alone:
            self.stdout.write(f"Left alone, since the page was changed after loading: {name}")

    def _translations(self) -> dict[str, tuple[content.Page, ...]]:
        """Return the pages of each language that has a folder.

        A language that the site does not offer yet is loaded, too, so that its pages can be
        reviewed. If a file of such a language cannot be read, only this language is left out.
        """
        found = {}
        for language in content.languages(content.FOLDER):
            try:
                content.read_conditions(content.FOLDER, [language])
                found[language] = content.read_pages(content.FOLDER, language)
            except content.ContentError as error:
                if language in dict(settings.LANGUAGES):
                    raise
                self.stderr.write(f"Left out, since a file cannot be read: {language}, {error}")
        return found
