"""System checks of the pages.

The program does not start with a faulty page, or with a protocol that names a missing page.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import Error as DatabaseError
from django.utils.text import capfirst

from education import content, problems
from intake import protocols
from intake.domain.definition import Protocol

FOLDER: Final = Path(__file__).parent / "content"
UNREADABLE: Final = "education.E100"
DANGLING: Final = "education.E101"
NO_GROUP: Final = "education.E102"
UNPUBLISHED: Final = "education.W103"
NUMBERS: Final = {
    kind: f"education.E{number:03}" for number, kind in enumerate(problems.KINDS, start=1)
}
"""Kind of problem → id of its system check."""


@register("pages")
def problems_of_pages(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Report each problem of the page files, and each page without a file that a protocol names."""
    try:
        groups = {group.slug for group in content.read_conditions(FOLDER)}
        pages = content.read_pages(FOLDER)
    except content.ContentError as error:
        return [Error(f"A page cannot be read: {error}", id=UNREADABLE)]
    messages: list[CheckMessage] = [
        Error(
            f"Page “{problem.page}”, {problem.field}: {problem.message}",
            hint=f"{capfirst(problems.KINDS[problem.kind])}.",
            id=NUMBERS[problem.kind],
        )
        for problem in problems.problems(pages)
    ]
    messages += [
        Error(f"Page “{page.name}”: conditions.yaml does not name “{page.condition}”", id=NO_GROUP)
        for page in pages
        if page.condition not in groups
    ]
    messages += _translations(pages)
    names = {page.name for page in pages}
    for protocol in filter(None, map(protocols.named, protocols.available())):
        messages += [
            Error(f"Protocol “{protocol.name}”, {where}: there is no page “{page}”", id=DANGLING)
            for where, page in named_pages(protocol)
            if page not in names
        ]
    return messages


def _translations(pages: tuple[content.Page, ...]) -> Iterator[CheckMessage]:
    """Yield the problems of the translated pages.

    A language without a folder, or one that the site does not offer, is skipped.
    """
    names = {page.name for page in pages}
    offered = {code for code, _ in settings.LANGUAGES}
    for language in content.LANGUAGES:
        if language not in offered or not (FOLDER / language).is_dir():
            continue
        try:
            others = content.read_pages(FOLDER, language)
        except content.ContentError as error:
            yield Error(f"A page cannot be read: {language}/{error}", id=UNREADABLE)
            continue
        found = problems.problems_of_translation(pages, others) + problems.problems(others, names)
        for problem in found:
            yield Error(
                f"Page “{language}/{problem.page}”, {problem.field}: {problem.message}",
                hint=f"{capfirst(problems.KINDS[problem.kind])}.",
                id=NUMBERS[problem.kind],
            )


def named_pages(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Yield (place in the protocol, name of a page) for each page that the protocol names.

    At the head of a protocol, a condition alone stands for its overview, too.
    """
    heads = protocol.questionnaire.learn
    yield from (("learn", page if "/" in page else f"{page}/{content.OVERVIEW}") for page in heads)
    for question in protocol.questions:
        yield from ((question.id, page) for page in question.learn)
        for option in question.options:
            yield from ((f"{question.id}.{option.code}", page) for page in option.learn)
    for rule in protocol.rules.rules:
        yield from ((rule.id, page) for page in rule.learn)


@register("pages", deploy=True)
def unpublished_pages(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Warn of each page that readers cannot see because it is not published.

    Runs only in `check --deploy`. If the database does not answer, the check finds nothing.
    """
    from education.models import Page

    if settings.DEMO:
        return []
    try:
        unseen = Page.objects.filter(shown__isnull=True).select_related("condition")
        names = [page.name for page in unseen]
    except DatabaseError:
        return []
    return [
        Warning(
            f"Page “{name}” is not published, so readers cannot see it.",
            hint="A clinician reviews it in the admin, then an editor publishes it.",
            id=UNPUBLISHED,
        )
        for name in names
    ]
