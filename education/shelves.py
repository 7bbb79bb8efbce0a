"""Arrange pages for the list and for the navigation: by condition or family, then by topic."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.utils.translation import gettext_lazy as _

from education.models import Family, Page, Topic

TOPICS = {Topic.UNDERSTAND: _("Understand"), Topic.TREAT: _("Treat"), Topic.LIVE: _("Live with it")}
FAMILIES = {Family.VESSELS: _("Veins, clots and arteries")}
"""What readers see of a topic and of a family."""


@dataclass(frozen=True)
class Shelf:
    """Pages under a heading of a group. `foreign` is the language of the heading if it differs.

    Without a heading the pages stand directly below the heading of the group.
    """

    heading: str
    foreign: str
    pages: tuple[Page, ...]


@dataclass(frozen=True)
class Group:
    """The pages of one condition, or of the conditions of one family."""

    slug: str
    heading: str
    foreign: str
    shelves: tuple[Shelf, ...]

    @property
    def pages(self) -> list[Page]:
        return [page for shelf in self.shelves for page in shelf.pages]


def arrange(pages: Iterable[Page]) -> list[Group]:
    """Return the pages in groups. `pages` are in the order of `PageQuerySet.directory`."""
    by_group: dict[str, list[Page]] = {}
    for page in pages:
        condition = page.condition
        by_group.setdefault(condition.family or condition.slug, []).append(page)
    return [_group(slug, rows) for slug, rows in by_group.items()]


def around(page: Page, pages: Iterable[Page]) -> Group | None:
    """Return the group to which a page belongs; None if readers see no page of this group."""
    slug = page.condition.family or page.condition.slug
    return next((group for group in arrange(pages) if group.slug == slug), None)


def of_condition(pages: Sequence[Page]) -> Group:
    """Return the pages of one condition as a group. There is at least one page."""
    condition = pages[0].condition
    return Group(condition.slug, condition.label, condition.foreign, tuple(_by_topic(pages)))


def _group(slug: str, pages: Sequence[Page]) -> Group:
    family = pages[0].condition.family
    if not family:
        return of_condition(pages)
    return Group(slug, str(FAMILIES[Family(family)]), "", tuple(_by_condition(pages)))


def _by_topic(pages: Sequence[Page]) -> Iterator[Shelf]:
    for topic in ("", *Topic.values):
        rows = tuple(page for page in pages if page.topic == topic)
        if rows:
            yield Shelf(str(TOPICS[Topic(topic)]) if topic else "", "", rows)


def _by_condition(pages: Sequence[Page]) -> Iterator[Shelf]:
    """Yield the conditions that have several pages, and before them all single pages."""
    conditions = [tuple(rows) for _slug, rows in groupby(pages, lambda page: page.condition)]
    single = tuple(rows[0] for rows in conditions if len(rows) == 1)
    if single:
        yield Shelf("", "", single)
    for rows in conditions:
        if len(rows) > 1:
            yield Shelf(rows[0].condition.label, rows[0].condition.foreign, rows)
