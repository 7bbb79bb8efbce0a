"""Load pages from files into the database."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from clinic import audit
from clinic.pagecache import rendered
from education import content
from education.models import Condition, Page, Picture, Section, Source, Status
from education.services import editing

JOB = "load-pages"


@dataclass
class Loaded:
    """The names of the pages that the loader created, updated and left unchanged."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)


def load_pages(*, conditions: Iterable[content.Condition], pages: Iterable[content.Page]) -> Loaded:
    """Create and update pages and conditions from files. A second run changes nothing.

    A page that a person has changed, sent to review or published is not updated from its file. The
    names of these pages are in the result.
    """
    loaded = Loaded()
    with transaction.atomic():
        groups = _load_conditions(conditions)
        stored = {
            (page.language, page.name): page
            for page in Page.objects.with_texts().select_for_update(of=("self",)).order_by("pk")
        }
        touched = []
        for text in pages:
            page = stored.get((text.language, text.name))
            if page is not None and not page.topic and text.topic:
                # the topic is no part of a text, so a page that a person has changed gets one, too
                page.topic = text.topic
                page.save(update_fields=["topic"])
                touched.append(str(page.pk))
            name = text.name if text.language == "en" else f"{text.language}/{text.name}"
            if page is None:
                page = Page(
                    condition=groups[text.condition], slug=text.slug, language=text.language
                )
                loaded.created.append(name)
            elif page.as_written().content_hash == text.content_hash:
                continue
            elif page.loaded_hash != page.as_written().content_hash or _is_edited(page):
                loaded.left_alone.append(name)
                continue
            else:
                loaded.updated.append(name)
            page.loaded_hash = text.content_hash
            editing.store_text(page, text, by=None, at=timezone.now())
            touched.append(str(page.pk))
        if touched := sorted(set(touched)):
            audit.record(
                actor=audit.system(JOB),
                action="update",
                detail={"job": JOB, "count": len(touched), "ids": touched},
            )
        rendered.renew_on_commit(made_of=_hash_of_readers_rows())
    return loaded


def _load_conditions(conditions: Iterable[content.Condition]) -> dict[str, Condition]:
    """Store the conditions, except those that an editor has changed. Return all rows by slug."""
    stored = {}
    for order, group in enumerate(conditions):
        values = {
            "title": group.title, "titles": group.titles, "order": order, "family": group.family
        }  # fmt: skip
        row, is_new = Condition.objects.get_or_create(slug=group.slug, defaults=values)
        if not is_new and not row.edited:
            Condition.objects.filter(pk=row.pk).update(**values)
        stored[group.slug] = row
    return stored


def _hash_of_readers_rows() -> str:
    """Return a hash of all rows that readers' pages are rendered from."""
    pictures = Picture.objects.values_list("slug", "alt", "hash").order_by("slug")
    tables = (Condition, Page, Section, Source)
    rows = [list(pictures), *(list(t.objects.order_by("pk").values_list()) for t in tables)]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def _is_edited(page: Page) -> bool:
    """Whether a person has sent this page to review or published it."""
    return page.status != Status.DRAFT or page.shown is not None
