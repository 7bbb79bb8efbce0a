"""What editors and clinicians do with pages and conditions, from the first draft to publication.

A page has two texts: the text that editors work on, and the text that readers see, which was
published last.
"""

from datetime import date, datetime
from typing import Any

import msgspec
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.pagecache import rendered
from education import content, markup
from education.models import Condition, Page, PageVersion, Section, Source, Status
from education.services import rights
from education.services.rights import ActRefused, Changed


def add_page(*, condition: Condition, text: content.Page, by: User, request_id: str = "") -> Page:
    """Create a page as a draft. Raises ActRefused, for example when its address already exists."""
    rights.require(by, "change")
    page = Page(condition=condition, slug=text.slug, language=text.language)
    with transaction.atomic():
        try:
            with transaction.atomic():
                store_text(page, text, by=by, at=timezone.now())
        except IntegrityError:
            raise ActRefused(_("There is a page at this address already.")) from None
        _record(page, by, "create", request_id)
    return page


def save_condition(
    *,
    slug: str,
    title: str,
    titles: dict[str, str],
    order: int,
    family: str = "",
    is_new: bool,
    by: User,
    request_id: str = "",
) -> Condition:
    """Store a condition's titles and place. From then on, `load_pages` does not change the row.

    `titles` maps the code of each language except English to a title. Raises ActRefused, for
    example when the address of a new condition already exists.
    """
    rights.require(by, "change")
    with transaction.atomic():
        values = {
            "title": title, "titles": titles, "order": order, "family": family, "edited": True
        }  # fmt: skip
        if is_new:
            row, was_free = Condition.objects.get_or_create(slug=slug, defaults=values)
            if not was_free:
                raise ActRefused(_("There is a condition at this address already."))
        else:
            row = Condition.objects.select_for_update().get(slug=slug)
            for name, value in values.items():
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


def save_text(*, page: Page, text: content.Page, by: User, read: str, request_id: str = "") -> None:
    """Store a new text of a page. The page becomes a draft; readers still see the published text.

    `read` is the hash of the text that the editor opened. Raises Changed if the stored text has
    another hash, and ActRefused if the editor's role does not allow the act.
    """
    rights.require(by, "change")
    with transaction.atomic():
        page = _locked(page)
        if page.as_written().content_hash != read:
            raise Changed
        if text.content_hash == read:
            _move_to_topic(page, text.topic, by, request_id)
            return
        was = page.status
        page.status = Status.DRAFT
        page.reviewed_by = page.reviewed_at = None
        page.reviewed_hash = ""
        store_text(page, text, by=by, at=timezone.now())
        _record(page, by, "update", request_id, **{"from": was, "to": page.status})


def _move_to_topic(page: Page, topic: str, by: User, request_id: str) -> None:
    """Show the page under another topic. The state of its text stays as it is."""
    if page.topic != topic:
        page.topic = topic
        page.save(update_fields=["topic"])
        _record(page, by, "update", request_id)


def ask_for_review(*, page: Page, by: User, read: str, request_id: str = "") -> None:
    """Send a draft to review by a clinician. Raises ActRefused or Changed."""
    rights.require(by, "change")
    with transaction.atomic():
        page = _locked(page, read)
        if page.status != Status.DRAFT:
            raise ActRefused(_("Only a draft can be sent to review."))
        _move(page, Status.IN_REVIEW, by, request_id)


def review(*, page: Page, by: User, read: str, next_on: date | None, request_id: str = "") -> None:
    """Record that a clinician finds this text medically right.

    Raises Changed, or ActRefused, for example when this clinician wrote a part of the text.
    """
    rights.require(by, "review")
    with transaction.atomic():
        page = _locked(page, read)
        if page.status == Status.PUBLISHED:
            raise ActRefused(_("This text is published already, so it needs no review."))
        if by.pk in _writers(page):
            raise ActRefused(
                _("You wrote a part of this text, so another clinician must review it.")
            )
        now = timezone.now()
        if next_on is not None and next_on <= timezone.localdate(now):
            raise ActRefused(_("The next review must be in the future."))
        page.reviewed_by, page.reviewed_at, page.reviewed_hash = by, now, read
        page.next_review_on = next_on
        _move(page, Status.IN_REVIEW, by, request_id, kind="review")


def publish(*, page: Page, by: User, read: str, request_id: str = "") -> None:
    """Publish the reviewed text, so that readers see it. Raises ActRefused or Changed."""
    rights.require(by, "publish")
    with transaction.atomic():
        page = _locked(page, read)
        if page.status == Status.PUBLISHED:
            raise ActRefused(_("This text is published already."))
        if page.reviewed_hash != read:
            raise ActRefused(_("A clinician must review exactly this text first."))
        now = timezone.now()
        page.published_by, page.published_at = by, now
        page.shown, page.shown_reviewed_at = _plain_data(page.as_written()), page.reviewed_at
        _copy_for_lists(page, at=now)
        _move(page, Status.PUBLISHED, by, request_id)


def send_back(*, page: Page, by: User, read: str, request_id: str = "") -> None:
    """Turn a page in review into a draft again. Raises ActRefused or Changed."""
    if not (rights.may(by, "change") or rights.may(by, "review")):
        rights.require(by, "review")
    with transaction.atomic():
        page = _locked(page, read)
        if page.status != Status.IN_REVIEW:
            raise ActRefused(_("Only a page in review can be sent back."))
        page.reviewed_by = page.reviewed_at = None
        page.reviewed_hash = ""
        _move(page, Status.DRAFT, by, request_id)


def take_down(*, page: Page, by: User, read: str, request_id: str = "") -> None:
    """Hide the page from readers. Raises ActRefused or Changed."""
    rights.require(by, "publish")
    with transaction.atomic():
        page = _locked(page, read)
        if page.shown is None:
            raise ActRefused(_("This page is not published."))
        page.shown = page.shown_reviewed_at = None
        _copy_for_lists(page, at=timezone.now())
        _move(page, Status.DRAFT, by, request_id, kind="take_down")


def has_written(by: User, page: Page) -> bool:
    """Whether a person changed the text after it was published last, and so may not review it."""
    return by.pk in _writers(page)


def allowed_moves(page: Page, by: User) -> set[str]:
    """Return the acts that this person may do with the page now, by the names of the functions.

    `page` must come from `PageQuerySet.with_texts`.
    """
    changes, reviews, publishes = (rights.may(by, what) for what in ("change", "review", "publish"))
    in_review = page.status == Status.IN_REVIEW
    reviewed = page.reviewed_hash == page.as_written().content_hash
    can = {
        "ask_for_review": changes and page.status == Status.DRAFT,
        "review": reviews and page.status != Status.PUBLISHED and not has_written(by, page),
        "publish": publishes and in_review and reviewed,
        "send_back": (changes or reviews) and in_review,
        "take_down": publishes and page.shown is not None,
    }
    return {name for name, allowed in can.items() if allowed}


def _locked(page: Page, read: str | None = None) -> Page:
    """Lock the page until the end of the transaction, and return its current row.

    Raises Changed if the text of the page does not have the hash `read`.
    """
    page = Page.objects.with_texts().select_for_update(of=("self",)).get(pk=page.pk)
    if read is not None and page.as_written().content_hash != read:
        raise Changed
    return page


def _writers(page: Page) -> set[Any]:
    """Return the ids of the people who changed the text after it was published last."""
    versions = PageVersion.objects.filter(page=page)
    if page.published_at is not None:
        versions = versions.filter(at__gt=page.published_at)
    return set(versions.values_list("by", flat=True))


def store_text(page: Page, text: content.Page, *, by: User | None, at: datetime) -> None:
    """Store a text with its sections and sources, and as a version, in the current transaction."""
    for name in ("title", "summary", "audience", "order", "written", "topic"):
        setattr(page, name, getattr(text, name))
    page.related = list(text.related)
    page.changed_at = at
    if page.shown is None:
        _copy_for_lists(page, at=at, text=text)
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


def _copy_for_lists(page: Page, *, at: datetime, text: content.Page | None = None) -> None:
    """Copy title, summary and plain text for readers into columns, for lists and the search."""
    text = text or page.as_read()
    page.shown_at = at
    page.reader_title, page.reader_summary = text.title, text.summary
    page.reader_text = "\n".join(
        part for s in text.sections for part in (s.heading, markup.plain(s.body)) if part
    )


def _move(page: Page, to: Status, by: User, request_id: str, **detail: audit.Detail) -> None:
    was, page.status = page.status, to
    page.save()
    _record(page, by, "state", request_id, **{"from": was, "to": to.value, **detail})


def _record(page: Page, by: User, action: str, request_id: str, **detail: audit.Detail) -> None:
    audit.record(
        actor=audit.staff(by),
        action=action,
        subject=str(page.pk),
        request_id=request_id,
        detail={"page": "education", **detail},
    )
    rendered.renew_on_commit()


def _plain_data(text: content.Page) -> dict[str, Any]:
    """Return a text as JSON, without its topic, which the release before does not know."""
    data: dict[str, Any] = msgspec.to_builtins(text)
    del data["topic"]
    return data
