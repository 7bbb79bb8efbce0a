"""Print how hard each page of education/content is to read, in each language with a formula."""

from typing import Any

from django.core.management import CommandError
from django.core.management.base import BaseCommand

from education import content, grading, markup


class Command(BaseCommand):
    help = (
        "Print the reading grade of each page in education/content: Flesch-Kincaid for English,"
        " Fernández Huerta for Spanish. `manage.py check` refuses a page above the limit."
    )

    requires_system_checks = ()  # these refuse the pages that the command is to show

    def handle(self, **options: Any) -> None:
        names = [page.name for page in content.read_pages(content.FOLDER)]
        found: dict[str, dict[str, str]] = {name: {} for name in names}
        for language in grading.LANGUAGES:
            try:
                pages = content.read_pages(content.FOLDER, language)
            except content.ContentError as error:
                raise CommandError(str(error)) from None
            for page in pages:
                grade = grading.grade(markup.plain(page.markdown), language)
                found.setdefault(page.name, {})[language] = f"{grade:g}"
        self.stdout.write(f"{'page':40} {'  '.join(grading.LANGUAGES)}")
        for name, grades in found.items():
            cells = "  ".join(grades.get(language, "–") for language in grading.LANGUAGES)
            self.stdout.write(f"{name:40} {cells}")
