"""Arrange pages for the list and for the navigation: by condition or family, then by topic."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from education.models import Condition, Family, Page, Topic

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

TOPICS: dict[str, "StrPromise"] = {
    Topic.UNDERSTAND: _("Understanding"),
    Topic.TREAT: _("Treatment"),
    Topic.LIVE: _("Living with it"),
}
FAMILIES: dict[str, "StrPromise"] = {Family.VESSELS: _("Veins, clots and arteries")}
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
    """Return the pages in groups. `pages` are in the order of `PageQuerySet.directory`.

    Each page is in one group, also a page with a topic or family that only a later release knows.
    """
    groups: dict[str, list[Page]] = {}
    for page in pages:
        groups.setdefault(_group_of(page.condition), []).append(page)
    return [_group(slug, rows) for slug, rows in groups.items()]


def around(page: Page, pages: Iterable[Page]) -> Group | None:
    """Return the group to which a page belongs; None if readers see no page of this group."""
    slug = _group_of(page.condition)
    return next((group for group in arrange(pages) if group.slug == slug), None)


def of_condition(pages: Sequence[Page]) -> Group:
    """Return the pages of one condition as a group. There is at least one page."""
    condition = pages[0].condition
    return Group(condition.slug, condition.label, condition.foreign, tuple(_by_topic(pages)))


def _group_of(condition: Condition) -> str:
    return f"family-{condition.family}" if condition.family in FAMILIES else condition.slug


def _group(slug: str, pages: Sequence[Page]) -> Group:
    family = FAMILIES.get(pages[0].condition.family)
    if family is None:
        return of_condition(pages)
    return Group(slug, str(family), "", tuple(_by_condition(pages)))


def _by_topic(pages: Sequence[Page]) -> Iterator[Shelf]:
    """Yield first the pages without a topic, then the pages of each topic."""
    for topic in ("", *TOPICS):
        rows = tuple(p for p in pages if (p.topic if p.topic in TOPICS else "") == topic)
        if rows:
            yield Shelf(str(TOPICS[topic]) if topic else "", "", rows)


def _by_condition(pages: Sequence[Page]) -> Iterator[Shelf]:
    """Yield first all pages that are the only one of their condition, then the other conditions."""
    conditions: dict[str, list[Page]] = {}
    for page in pages:
        conditions.setdefault(page.condition.slug, []).append(page)
    single = tuple(rows[0] for rows in conditions.values() if len(rows) == 1)
    if single:
        yield Shelf("", "", single)
    for rows in conditions.values():
        if len(rows) > 1:
            yield Shelf(rows[0].condition.label, rows[0].condition.foreign, tuple(rows))
