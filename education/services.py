"""Everything that happens to a page. Each is one transaction with its audit event in it.

What is refused is an exception whose message is for a person.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit, outbox, rendered
from clinic.models import Event
from education import content, markup, pictures
from education.models import (
    Condition,
    EarlierWords,
    GoneLink,
    Page,
    PageVersion,
    Picture,
    Section,
    Source,
    Status,
)

LOADER = "load-pages"
REMINDER = "review-reminders"
LINKS = "check-links"
REVIEWS_DUE = "reviews due"
"""The kind of the message that names overdue reviews."""
REMINDED_FOR = timedelta(days=14)  # what could not be sent by then is told next month


class Refused(Exception):
    """It may not be done, or not by this person."""


class NotAllowed(Refused):
    """This person's role does not allow it."""

    def __init__(self) -> None:
        super().__init__(_("Your role does not allow this."))


class Changed(Refused):
    """Somebody else changed the page meanwhile."""

    def __init__(self) -> None:
        super().__init__(_("Somebody changed this page meanwhile. Please look at it again."))


# --- from files ---------------------------------------------------------------------------------


@dataclass
class Loaded:
    """What loading did, by the pages' names."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)


def load_pages(*, conditions: Iterable[content.Condition], pages: Iterable[content.Page]) -> Loaded:
    """Bring pages of files into the database; running it again does nothing.

    A page that an editor changed, sent to review or published differs from its file by intent: it
    is left alone and named.
    """
    loaded = Loaded()
    with transaction.atomic():
        groups = {}
        for order, group in enumerate(conditions):
            told = {"title": group.title, "titles": group.titles, "order": order}
            row, is_new = Condition.objects.get_or_create(slug=group.slug, defaults=told)
            if not is_new and not row.edited:
                Condition.objects.filter(pk=row.pk).update(**told)
            groups[group.slug] = row
        stored = {
            (page.language, page.name): page
            for page in Page.objects.whole().select_for_update(of=("self",)).order_by("pk")
        }
        touched = []
        for text in pages:
            page = stored.get((text.language, text.name))
            name = text.name if text.language == "en" else f"{text.language}/{text.name}"
            if page is None:
                page = Page(
                    condition=groups[text.condition], slug=text.slug, language=text.language
                )
                loaded.created.append(name)
            elif page.as_written().content_hash == text.content_hash:
                continue
            elif page.loaded_hash != page.as_written().content_hash or _is_somebodys(page):
                loaded.left_alone.append(name)
                continue
            else:
                loaded.updated.append(name)
            page.loaded_hash = text.content_hash
            _write(page, text, by=None, at=timezone.now())
            touched.append(str(page.pk))
        if touched:
            audit.record(
                actor=audit.system(LOADER),
                action="update",
                detail={"job": LOADER, "count": len(touched), "ids": touched},
            )
        rendered.renew_on_commit(made_of=_readers_rows())
    return loaded


def _readers_rows() -> str:
    """A hash of every row that pages for readers are made of, as they are now."""
    pictures = Picture.objects.values_list("slug", "alt", "hash").order_by("slug")
    tables = (Condition, Page, Section, Source)
    rows = [list(pictures), *(list(t.objects.order_by("pk").values_list()) for t in tables)]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def _is_somebodys(page: Page) -> bool:
    """Does a person stand behind this very text?"""
    return page.status != Status.DRAFT or page.shown is not None


# --- by people ----------------------------------------------------------------------------------


def add_page(*, condition: Condition, text: content.Page, by: Any, request_id: str = "") -> Page:
    """A new page of a condition, as a draft. Raises Refused, also if its address is taken."""
    _require(by, "change")
    page = Page(condition=condition, slug=text.slug, language=text.language)
    with transaction.atomic():
        try:
            with transaction.atomic():
                _write(page, text, by=by, at=timezone.now())
        except IntegrityError:
            raise Refused(_("There is a page at this address already.")) from None
        _record(page, by, "create", request_id)
    return page


def save_condition(
    *,
    slug: str,
    title: str,
    titles: dict[str, str],
    order: int,
    is_new: bool,
    by: Any,
    request_id: str = "",
) -> Condition:
    """Name a condition and put it in its place; from then on files do not change it. `titles` are
    those in other languages, by code. Raises Refused, also if a new one's address is taken."""
    _require(by, "change")
    with transaction.atomic():
        told = {"title": title, "titles": titles, "order": order, "edited": True}
        if is_new:
            row, was_free = Condition.objects.get_or_create(slug=slug, defaults=told)
            if not was_free:
                raise Refused(_("There is a condition at this address already."))
        else:
            row = Condition.objects.select_for_update().get(slug=slug)
            for name, value in told.items():
                setattr(row, name, value)
            row.save()
        audit.record(
            actor=audit.staff(by),
            action="create" if is_new else "update",
            subject=slug,
            request_id=request_id,
            detail={"page": "condition"},
        )
        rendered.renew_on_commit()
    return row


def write(*, page: Page, text: content.Page, by: Any, read: str, request_id: str = "") -> None:
    """Store a new text of a page. It is a draft again; readers keep what was published.

    `read` is the hash of the text that was changed. Raises Changed if that is not the text here,
    and Refused.
    """
    _require(by, "change")
    with transaction.atomic():
        page = _locked(page)
        if page.as_written().content_hash != read:
            raise Changed
        if text.content_hash == read:
            return
        was = page.status
        page.status = Status.DRAFT
        page.reviewed_by = page.reviewed_at = None
        page.reviewed_hash = ""
        _write(page, text, by=by, at=timezone.now())
        _record(page, by, "update", request_id, **{"from": was, "to": page.status})


def ask_for_review(*, page: Page, by: Any, read: str, request_id: str = "") -> None:
    """The text is ready for a clinician. Raises Refused or Changed."""
    _require(by, "change")
    with transaction.atomic():
        page = _locked(page, read)
        if page.status != Status.DRAFT:
            raise Refused(_("Only a draft is sent to review."))
        _move(page, Status.IN_REVIEW, by, request_id)


def review(*, page: Page, by: Any, read: str, next_on: date | None, request_id: str = "") -> None:
    """A clinician who wrote none of it says that exactly this text is right.

    Raises Refused or Changed.
    """
    _require(by, "review")
    with transaction.atomic():
        page = _locked(page, read)
        if page.status == Status.PUBLISHED:
            raise Refused(_("This page is published. Change it, or publish it again."))
        if by.pk in _writers(page):
            raise Refused(_("Somebody who did not write this text has to review it."))
        now = timezone.now()
        if next_on is not None and next_on <= timezone.localdate(now):
            raise Refused(_("The next review lies in the future."))
        page.reviewed_by, page.reviewed_at, page.reviewed_hash = by, now, read
        page.next_review_on = next_on
        _move(page, Status.IN_REVIEW, by, request_id, kind="review")


def publish(*, page: Page, by: Any, read: str, request_id: str = "") -> None:
    """Readers see this text from now on. Raises Refused or Changed."""
    _require(by, "publish")
    with transaction.atomic():
        page = _locked(page, read)
        if page.status == Status.PUBLISHED:
            raise Refused(_("This text is published."))
        if page.reviewed_hash != read:
            raise Refused(_("A clinician has to review exactly this text first."))
        now = timezone.now()
        page.published_by, page.published_at = by, now
        page.shown, page.shown_reviewed_at = _plain_data(page.as_written()), page.reviewed_at
        _show(page, at=now)
        _move(page, Status.PUBLISHED, by, request_id)


def send_back(*, page: Page, by: Any, read: str, request_id: str = "") -> None:
    """What was sent to review is a draft again. Raises Refused or Changed."""
    if not (may(by, "change") or may(by, "review")):
        _require(by, "review")
    with transaction.atomic():
        page = _locked(page, read)
        if page.status != Status.IN_REVIEW:
            raise Refused(_("Only what is in review is sent back."))
        page.reviewed_by = page.reviewed_at = None
        page.reviewed_hash = ""
        _move(page, Status.DRAFT, by, request_id)


def take_down(*, page: Page, by: Any, read: str, request_id: str = "") -> None:
    """Readers see the page no longer. Raises Refused or Changed."""
    _require(by, "publish")
    with transaction.atomic():
        page = _locked(page, read)
        if page.shown is None:
            raise Refused(_("This page is not published."))
        page.shown = page.shown_reviewed_at = None
        _show(page, at=timezone.now())
        _move(page, Status.DRAFT, by, request_id, kind="take_down")


def add_picture(*, slug: str, alt: str, data: bytes, by: Any, request_id: str = "") -> Picture:
    """A picture that texts can show from now on. Its bytes stay as they are. Raises Refused."""
    _require(by, "change")
    try:
        found = pictures.read(data)
    except pictures.HiddenData:
        raise Refused(
            _(
                "This picture holds hidden data, such as where it was taken. Save a copy without"
                " them (“export”, or “remove properties”) and take that."
            )
        ) from None
    except pictures.NoPicture:
        raise Refused(
            _("Take a PNG, JPEG or WebP picture of up to %(n)s kB, up to %(p)s pixels a side.")
            % {"n": pictures.MOST_BYTES // 1000, "p": pictures.MOST_PIXELS}
        ) from None
    picture = Picture(slug=slug, alt=alt.strip(), data=data, by=by, at=timezone.now())
    picture.kind, picture.width, picture.height = found
    picture.hash = hashlib.sha256(data).hexdigest()
    if not picture.alt:
        raise Refused(_("Say in words what the picture shows."))
    with transaction.atomic():
        try:
            with transaction.atomic():
                picture.save(force_insert=True)
        except IntegrityError:
            raise Refused(_("There is a picture with this name, or with this content.")) from None
        audit.record(
            actor=audit.staff(by),
            action="create",
            subject=str(picture.pk),
            request_id=request_id,
            detail={"page": "picture"},
        )
        rendered.renew_on_commit()
    return picture


def describe_picture(*, picture: Picture, alt: str, by: Any, request_id: str = "") -> None:
    """Other words for what a picture shows, at once on every page that shows it; those of before
    are kept. Raises Refused."""
    _require(by, "change")
    alt = alt.strip()
    if not alt:
        raise Refused(_("Say in words what the picture shows."))
    with transaction.atomic():
        row = Picture.objects.defer("data").select_for_update().get(pk=picture.pk)
        if row.alt == alt:
            return
        now = timezone.now()
        EarlierWords.objects.create(picture=row, alt=row.alt, by=by, until=now)
        row.alt = alt
        row.save(update_fields=["alt"])
        shown = [page.pk for page in pages_with(picture=row)]
        # who has such a page asks whether it changed since
        Page.objects.filter(pk__in=shown).update(shown_at=now)
        audit.record(
            actor=audit.staff(by),
            action="update",
            subject=str(row.pk),
            request_id=request_id,
            detail={"page": "picture", "ids": [str(pk) for pk in shown]},
        )
        rendered.renew_on_commit()


def pages_with(*, picture: Picture) -> list[Page]:
    """The pages on which readers see a picture."""
    return [
        page
        for page in Page.objects.whole()
        if any(
            markup.picture_name(url) == picture.slug
            for section in page.as_read().sections
            if f"picture:{picture.slug}" in section.body  # reading Markdown takes time
            for url in markup.facts(section.body).pictures
        )
    ]


def may(by: Any, what: str) -> bool:
    """Whether a person may change, review or publish pages."""
    return bool(by.has_perm(f"education.{what}_page"))


def wrote(by: Any, page: Page) -> bool:
    """Whether a person wrote at the text since it was last published, and so cannot review it."""
    return by.pk in _writers(page)


def moves(page: Page, by: Any) -> set[str]:
    """What this person can do now with a page whose text is `whole`: for the buttons.

    Of `ask_for_review`, `review`, `publish`, `send_back` and `take_down`.
    """
    changes, reviews, publishes = (may(by, what) for what in ("change", "review", "publish"))
    in_review = page.status == Status.IN_REVIEW
    reviewed = page.reviewed_hash == page.as_written().content_hash
    can = {
        "ask_for_review": changes and page.status == Status.DRAFT,
        "review": reviews and page.status != Status.PUBLISHED and not wrote(by, page),
        "publish": publishes and in_review and reviewed,
        "send_back": (changes or reviews) and in_review,
        "take_down": publishes and page.shown is not None,
    }
    return {name for name, allowed in can.items() if allowed}


# --- by the calendar ------------------------------------------------------------------------------


def remind_of_reviews(*, today: date) -> int:
    """Tell the editors which reviews are overdue: one message a month, none if nothing is.

    Returns how many pages are overdue if a message was put, else 0.
    """
    month = f"{today:%Y-%m}"
    with transaction.atomic():
        count = Page.objects.overdue(today).count()
        # the outbox forgets what is over; the trail does not
        told = Event.objects.filter(
            actor=audit.system(REMINDER), subject=month, action="create"
        ).exists()
        if told or not count:
            return 0
        outbox.put(kind=REVIEWS_DUE, occasion=month, expires=REMINDED_FOR)
        audit.record(
            actor=audit.system(REMINDER),
            action="create",
            subject=month,
            detail={"job": REMINDER, "count": count},
        )
    return count


def note_links(*, told: Mapping[str, bool | None]) -> None:
    """Remember which addresses of other sites are gone (True) and forget those that are not
    (False) or that no page names any more; what could not be told (None) stays as it was."""
    with transaction.atomic():
        GoneLink.objects.exclude(url__in=[u for u, gone in told.items() if gone is None]).delete()
        now = timezone.now()
        gone = [GoneLink(url=url, at=now) for url, is_gone in told.items() if is_gone]
        GoneLink.objects.bulk_create(gone)
        audit.record(
            actor=audit.system(LINKS),
            action="update",
            detail={"job": LINKS, "count": len(gone)},
        )


# --- what they share ----------------------------------------------------------------------------


def _require(by: Any, what: str) -> None:
    if not may(by, what):
        raise NotAllowed


def _locked(page: Page, read: str | None = None) -> Page:
    """The page as it is now, held until the end of the transaction."""
    page = Page.objects.whole().select_for_update(of=("self",)).get(pk=page.pk)
    if read is not None and page.as_written().content_hash != read:
        raise Changed
    return page


def _writers(page: Page) -> set[Any]:
    """Who wrote at the text since it was last published."""
    versions = PageVersion.objects.filter(page=page)
    if page.published_at is not None:
        versions = versions.filter(at__gt=page.published_at)
    return set(versions.values_list("by", flat=True))


def _write(page: Page, text: content.Page, *, by: Any, at: datetime) -> None:
    """The columns, sections and sources of a text, and its version."""
    for name in ("title", "summary", "audience", "order", "written"):
        setattr(page, name, getattr(text, name))
    page.related = list(text.related)
    page.changed_at = at
    if page.shown is None:
        _show(page, at=at, text=text)
    page.save()
    Section.objects.filter(page=page).delete()
    Source.objects.filter(page=page).delete()
    Section.objects.bulk_create(
        Section(page=page, order=n, heading=s.heading, body=s.body)
        for n, s in enumerate(text.sections)
    )
    Source.objects.bulk_create(
        Source(page=page, order=n, text=s.text, url=s.url) for n, s in enumerate(text.sources, 1)
    )
    PageVersion.objects.create(page=page, document=_plain_data(text), by=by, at=at)


def _show(page: Page, *, at: datetime, text: content.Page | None = None) -> None:
    """What lists and the search know of the text readers see."""
    text = text or page.as_read()
    page.shown_at = at
    page.reader_title, page.reader_summary = text.title, text.summary
    page.reader_text = "\n".join(
        part for s in text.sections for part in (s.heading, markup.plain(s.body)) if part
    )


def _move(page: Page, to: Status, by: Any, request_id: str, **detail: Any) -> None:
    was, page.status = page.status, to
    page.save()
    _record(page, by, "state", request_id, **{"from": was, "to": to.value, **detail})


def _record(page: Page, by: Any, action: str, request_id: str, **detail: Any) -> None:
    audit.record(
        actor=audit.staff(by),
        action=action,
        subject=str(page.pk),
        request_id=request_id,
        detail={"page": "education", **detail},
    )
    rendered.renew_on_commit()


def _plain_data(text: content.Page) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(text)
    return data
