"""The tables of the pages. Only the modules of `education/services` write to them.

A page has two texts. Editors work on the text in the columns, sections and sources. Readers see
the text in `shown`, a copy that is made when the page is published. So readers see only texts that
a clinician has reviewed, and a page stays published while an editor changes its text. A
demonstration also shows pages that were never published.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, cast

import msgspec
from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, OuterRef, Q
from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _

from clinic.ids import uuid7
from education import content, image_format


class Topic(models.TextChoices):
    """What a page of a condition is for, in the order of the list."""

    UNDERSTAND = "understand"
    TREAT = "treat"
    LIVE = "live"


class Family(models.TextChoices):
    """Conditions that lists show under one heading."""

    VESSELS = "vessels"


class Condition(models.Model):
    """A subject of pages, such as restless legs. The condition `about` has pages on the clinic."""

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=80)
    # language → title, without English
    titles = models.JSONField(default=dict, blank=True)
    order = models.PositiveSmallIntegerField(default=0)
    family = models.CharField(
        max_length=10, choices=Family.choices, blank=True, default="", db_default=""
    )
    # True if an editor has changed the row: then `load_pages` does not change it any more
    edited = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        ordering = ["order", "slug"]
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")

    def __str__(self) -> str:
        return self.title

    @property
    def label(self) -> str:
        """The title in the current language, or in English if there is no translation."""
        return str(self.titles.get(get_language() or "", self.title))

    @property
    def foreign(self) -> str:
        """The language of `label` if that is not the current language, else ''."""
        translated = get_language() in (None, content.ENGLISH, *self.titles)
        return "" if translated else content.ENGLISH


class Status(models.TextChoices):
    DRAFT = "draft", _("Draft")
    IN_REVIEW = "in_review", _("In review")
    PUBLISHED = "published", _("Published")


class PageQuerySet(models.QuerySet["Page"]):
    def visible(self) -> "PageQuerySet":
        """Return the pages that readers may see: published pages, in a demonstration all pages."""
        return self if settings.DEMO else self.filter(shown__isnull=False)

    def directory(self, language: str | None = "en") -> "list[Page]":
        """Return all visible pages in order, without their texts. Takes one query.

        A page that is not translated into this language is returned in English.
        """
        language = language or "en"
        rows = self.visible().filter(language__in={language, "en"}).select_related("condition")
        rows = rows.only(
            "slug", "language", "order", "topic", "reader_title", "reader_summary", "shown_at",
            "next_review_on", "condition__slug", "condition__title", "condition__titles",
            "condition__order", "condition__family",
        ).order_by("condition__order", "order", "slug")  # fmt: skip
        found = list(rows)
        translated = {page.name for page in found if page.language == language}
        return [p for p in found if p.language == language or p.name not in translated]

    def overdue(self, today: date) -> "PageQuerySet":
        """Return the published pages whose next review has passed, the longest overdue first."""
        rows = self.filter(shown__isnull=False, next_review_on__lt=today)
        return rows.order_by("next_review_on", "pk")

    def with_texts(self) -> "PageQuerySet":
        """Return the pages together with their sections and sources, in one query."""
        parts = {"heading": F("heading"), "body": F("body")}
        sections = Section.objects.filter(page=OuterRef("pk")).order_by("order")
        sources = Source.objects.filter(page=OuterRef("pk")).order_by("order")
        return (
            self.select_related("condition")
            .defer("search")
            .annotate(
                section_rows=ArraySubquery(sections.values(row=JSONObject(**parts))),
                source_rows=ArraySubquery(
                    sources.values(row=JSONObject(text=F("text"), url=F("url")))
                ),
            )
        )


class Page(models.Model):
    """A page about a condition in one language."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    condition = models.ForeignKey(Condition, on_delete=models.PROTECT, related_name="pages")
    slug = models.SlugField()
    language = models.CharField(_("language"), max_length=7, default="en")

    # the text that editors work on; its sections and sources are rows that refer to this row
    title = models.CharField(_("title"), max_length=120)
    summary = models.CharField(_("summary"), max_length=300)
    audience = models.CharField(_("who it is for"), max_length=300)
    order = models.PositiveSmallIntegerField(_("place"), default=0)
    topic = models.CharField(
        _("topic"), max_length=10, choices=Topic.choices, blank=True, default="", db_default=""
    )
    related = ArrayField(models.CharField(max_length=101), default=list, blank=True)
    written = models.DateField(_("written"))
    changed_at = models.DateTimeField()
    # the hash of the text that was last loaded from a file; a text that an editor has changed since
    # has a different hash
    loaded_hash = models.CharField(max_length=64, blank=True, default="")

    status = models.CharField(
        _("state"), max_length=9, choices=Status.choices, default=Status.DRAFT
    )
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True)
    # the hash of the text that a clinician reviewed
    reviewed_hash = models.CharField(max_length=64, blank=True, default="")
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    published_at = models.DateTimeField(null=True)
    next_review_on = models.DateField(_("next review"), null=True, blank=True)

    # the text that readers see, and copies of its parts for lists and the search
    shown = models.JSONField(null=True)
    shown_reviewed_at = models.DateTimeField(null=True)
    shown_at = models.DateTimeField()
    reader_title = models.CharField(max_length=120)
    reader_summary = models.CharField(max_length=300)
    reader_text = models.TextField()
    # written by a trigger, with the stems of the page's language
    search = SearchVectorField(null=True, editable=False)

    objects = PageQuerySet.as_manager()

    class Meta:
        default_permissions = ("view", "change")
        permissions = [
            ("review_page", "Can say that a page is medically right"),
            ("publish_page", "Can publish a reviewed page and take one down"),
        ]
        verbose_name = _("page")
        ordering = ["condition__order", "order", "slug"]
        indexes = [
            # no index for trigrams, because there are only some dozens of texts to compare
            GinIndex(fields=["search"], name="page_search"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["language", "condition", "slug"], name="page_address"),
            models.CheckConstraint(
                name="page_status_known", condition=Q(status__in=[s.value for s in Status])
            ),
            models.CheckConstraint(
                name="page_reviewed_pair",
                condition=Q(reviewed_by__isnull=True, reviewed_at__isnull=True, reviewed_hash="")
                | Q(reviewed_by__isnull=False, reviewed_at__isnull=False) & ~Q(reviewed_hash=""),
            ),
            models.CheckConstraint(
                name="page_published_pair",
                condition=Q(published_by__isnull=True, published_at__isnull=True)
                | Q(published_by__isnull=False, published_at__isnull=False),
            ),
            models.CheckConstraint(
                name="page_published_was_reviewed",
                condition=~Q(status=Status.PUBLISHED)
                | Q(reviewed_by__isnull=False, published_by__isnull=False, shown__isnull=False),
            ),
            models.CheckConstraint(
                name="page_shown_was_published",
                condition=Q(shown__isnull=True, shown_reviewed_at__isnull=True)
                | Q(shown_reviewed_at__isnull=False, published_by__isnull=False)
                & Q(shown__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.condition.slug}/{self.slug}"

    def get_absolute_url(self) -> str:
        return address(self.condition.slug, self.slug)

    @property
    def own_address(self) -> str:
        """The address of the page with the prefix of the page's own language."""
        with override(self.language):
            return self.get_absolute_url()

    @property
    def name(self) -> str:
        """The name that other pages and protocols use: `condition/slug`."""
        return str(self)

    def as_written(self) -> content.Page:
        """Return the text that editors work on. Takes two queries, none after `with_texts`."""
        sections: Iterable[Any] = self.sections.values("heading", "body")
        sources: Iterable[Any] = self.sources.values("text", "url")
        if hasattr(self, "section_rows") and hasattr(self, "source_rows"):  # set by `with_texts`
            sections, sources = self.section_rows, self.source_rows
        return content.Page(
            condition=self.condition.slug,
            slug=self.slug,
            title=self.title,
            summary=self.summary,
            audience=self.audience,
            order=self.order,
            written=self.written,
            related=tuple(self.related),
            sources=tuple(content.Source(**row) for row in sources),
            sections=tuple(content.Section(**row) for row in sections),
            language=self.language,
            topic=cast(content.Topic, self.topic),
        )

    def as_read(self) -> content.Page:
        """Return the text that readers see; for a page never published, the editors' text."""
        if self.shown is None:
            return self.as_written()
        return msgspec.convert(self.shown, content.Page)


class Section(models.Model):
    """A heading and its Markdown. The first section is the introduction and has no heading."""

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="sections")
    order = models.PositiveSmallIntegerField(_("place"))
    heading = models.CharField(_("heading"), max_length=120, blank=True)
    body = models.TextField(_("text"))

    class Meta:
        default_permissions = ()
        ordering = ["order", "pk"]
        verbose_name = _("section")

    def __str__(self) -> str:
        return self.heading


class Source(models.Model):
    """A publication that the page cites. The mark [1] in a text means the source with `order` 1."""

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="sources")
    order = models.PositiveSmallIntegerField(_("number"))
    text = models.CharField(_("source"), max_length=500)
    url = models.URLField(_("address"), max_length=500, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["order", "pk"]
        verbose_name = _("source")

    def __str__(self) -> str:
        return self.text


class PageVersion(models.Model):
    """A text of a page that an editor stored or, if `by` is empty, that came from a file."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="versions")
    document = models.JSONField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return str(self.pk)

    def as_written(self) -> content.Page:
        return msgspec.convert(self.document, content.Page)


class Picture(models.Model):
    """A picture that texts show by its slug. `alt` describes the picture to blind readers."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(unique=True)
    alt = models.CharField(_("what it shows"), max_length=300)
    kind = models.CharField(max_length=4, choices=[(kind, kind) for kind in image_format.KINDS])
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    data = models.BinaryField()
    hash = models.CharField(max_length=64, unique=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["slug"]
        verbose_name = _("picture")
        constraints = [
            models.CheckConstraint(name="picture_has_words", condition=Q(alt__regex=r"\S")),
            models.CheckConstraint(
                name="picture_kind_known", condition=Q(kind__in=list(image_format.KINDS))
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    def get_absolute_url(self) -> str:
        """Return the address of the picture, which contains the file's hash and no language."""
        return f"/pictures/{self.hash}.{self.kind}"


class EarlierWords(models.Model):
    """Words that described a picture until an editor changed them."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    picture = models.ForeignKey(Picture, on_delete=models.CASCADE, related_name="earlier")
    alt = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    until = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["-until", "-pk"]

    def __str__(self) -> str:
        return self.alt


class GoneLink(models.Model):
    """An address of another site that a page names and that was gone at the last link check."""

    url = models.URLField(max_length=500, unique=True)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["url"]

    def __str__(self) -> str:
        return self.url


def address(condition: str, slug: str) -> str:
    """Return the address of a page in the current language."""
    if condition == content.ABOUT:
        return reverse("education:about", kwargs={"slug": slug})
    if slug == content.OVERVIEW:
        return reverse("education:condition", kwargs={"condition": condition})
    return reverse("education:page", kwargs={"condition": condition, "slug": slug})


def last_change(pages: list[Page]) -> datetime | None:
    """Return when the text that readers see last changed in any of these pages."""
    return max((page.shown_at for page in pages), default=None)
