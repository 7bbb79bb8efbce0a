"""The pictures that pages show."""

import hashlib

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.pagecache import rendered
from education import image_format, markup
from education.models import EarlierWords, Page, Picture
from education.services import rights
from education.services.rights import ActRefused


def add(*, slug: str, alt: str, data: bytes, by: User, request_id: str = "") -> Picture:
    """Store a picture, so that pages can show it. The file of a stored picture never changes.

    Raises ActRefused, whose message tells the editor what is wrong.
    """
    rights.require(by, "change")
    try:
        found = image_format.read(data)
    except image_format.HiddenData:
        raise ActRefused(
            _(
                "This picture contains hidden data, such as the place where it was taken. Save a"
                " copy without hidden data (“export”, or “remove properties”) and choose the copy."
            )
        ) from None
    except image_format.UnknownFormat:
        raise ActRefused(
            _("Choose a PNG, JPEG or WebP picture of at most %(n)s kB and %(p)s pixels a side.")
            % {"n": image_format.MAX_BYTES // 1000, "p": image_format.MAX_SIDE}
        ) from None
    picture = Picture(slug=slug, alt=alt.strip(), data=data, by=by, at=timezone.now())
    picture.kind, picture.width, picture.height = found
    picture.hash = hashlib.sha256(data).hexdigest()
    if not picture.alt:
        raise ActRefused(_("Describe what the picture shows."))
    with transaction.atomic():
        try:
            with transaction.atomic():
                picture.save(force_insert=True)
        except IntegrityError:
            raise ActRefused(_("There is a picture with this name or content already.")) from None
        _record(picture, by, "create", request_id, [])
    return picture


def describe(*, picture: Picture, alt: str, by: User, request_id: str = "") -> None:
    """Change the words that describe a picture, on every page that shows it. Raises ActRefused.

    The earlier words are kept.
    """
    rights.require(by, "change")
    alt = alt.strip()
    if not alt:
        raise ActRefused(_("Describe what the picture shows."))
    with transaction.atomic():
        row = Picture.objects.defer("data").select_for_update().get(pk=picture.pk)
        if row.alt == alt:
            return
        now = timezone.now()
        EarlierWords.objects.create(picture=row, alt=row.alt, by=by, until=now)
        row.alt = alt
        row.save(update_fields=["alt"])
        shown = [page.pk for page in pages_with(picture=row)]
        # these pages get a new time of change, because browsers reload only pages with a newer time
        Page.objects.filter(pk__in=shown).update(shown_at=now)
        _record(row, by, "update", request_id, [str(pk) for pk in shown])


def pages_with(*, picture: Picture) -> list[Page]:
    """Return the pages on which readers see a picture."""
    return [
        page
        for page in Page.objects.with_texts()
        if any(
            markup.picture_name(url) == picture.slug
            for section in page.as_read().sections
            if f"picture:{picture.slug}" in section.body  # first, because parsing Markdown is slow
            for url in markup.facts(section.body).pictures
        )
    ]


def _record(picture: Picture, by: User, action: str, request_id: str, pages: list[str]) -> None:
    audit.record(
        actor=audit.staff(by),
        action=action,
        subject=str(picture.pk),
        request_id=request_id,
        detail={"page": "picture"} | ({"ids": pages} if action == "update" else {}),
    )
    rendered.renew_on_commit()
