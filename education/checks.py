"""System checks of the pages.

The program does not start with a faulty page, or with a protocol that names a missing page.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import Error as DatabaseError
from django.utils.text import capfirst

from clinic.languages import first_few
from education import content, problems
from intake import protocols
from intake.domain.definition import Protocol

UNREADABLE: Final = "education.E100"
DANGLING: Final = "education.E101"
NO_GROUP: Final = "education.E102"
UNPUBLISHED: Final = "education.W103"
UNDER_WAY: Final = "education.W104"
MISSING: Final = ("missing_page", "missing_title")
NUMBERS: Final = {
    kind: f"education.E{number:03}" for number, kind in enumerate(problems.KINDS, start=1)
}
"""Kind of problem → id of its system check."""


@register("pages")
def problems_of_pages(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Report each problem of the page files, and each missing page that a protocol names."""
    try:
        groups = {group.slug for group in content.read_conditions(content.FOLDER)}
        pages = content.read_pages(content.FOLDER)
        content.read_synonyms(content.FOLDER, content.ENGLISH)
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
    """Yield the problems of the pages in the other languages on offer.

    In a clinic every problem is an error. In a demonstration a problem is a warning, because
    readers see the English page where no translation is ready. A file that cannot be read is always
    an error. A language that is not on offer is not checked, because readers see no page in it.
    """
    for language, _name in settings.LANGUAGES:
        if language == content.ENGLISH:
            continue
        try:
            found = _problems_in(language, pages)
        except content.ContentError as error:
            text = f"A file in education/content/{language} cannot be read: {error}"
            yield Error(text, id=UNREADABLE)
            continue
        for kind, message in problems.KINDS.items():
            those = [p for p in found if p.kind == kind]
            if not those:
                continue
            named = first_few(
                [p.page if kind in MISSING else f"{p.page}, {p.field}: {p.message}" for p in those]
            )
            text = f"education/content/{language}: {message}, {len(those)} in all: {named}."
            if settings.DEMO:
                hint = "This demonstration shows the English page where no translation is ready."
                yield Warning(text, hint=hint, id=UNDER_WAY)
            else:
                hint = f"Correct the files, or remove {language!r} from CLINIC_LANGUAGES."
                yield Error(text, hint=hint, id=NUMBERS[kind])


def _problems_in(language: str, pages: tuple[content.Page, ...]) -> list[problems.Problem]:
    """Return the problems of the files of one language. Raises ContentError."""
    groups = content.read_conditions(content.FOLDER, [language])
    others = content.read_pages(content.FOLDER, language)
    content.read_synonyms(content.FOLDER, language)
    return [
        *problems.problems_of_translation(pages, others),
        *problems.problems(others, {page.name for page in pages}),
        *(
            problems.Problem("missing_title", group.slug, "conditions.yaml", group.title)
            for group in groups
            if language not in group.titles
        ),
    ]


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
