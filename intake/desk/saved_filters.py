"""Keep the tab and filters of the worklist under a short name, for one person or for all staff."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils.text import slugify
from django.utils.translation import gettext as _

from clinic import audit
from intake.errors import Refused
from intake.models.submissions import SavedFilter

LONGEST_NAME = 40
LONGEST_QUERY = 400
MOST = 20  # of one person


def save(*, name: str, query: str, is_shared: bool, by: User, request_id: str) -> SavedFilter:
    """Keep a query of the worklist under a name. A person's filter of this name is replaced.

    Raises Refused for a name that gives no address, for a query that no list has, and when the
    person has kept too many.
    """
    name = " ".join(name.split())
    slug = slugify(name, allow_unicode=True)[:LONGEST_NAME]
    if not slug or len(name) > LONGEST_NAME:
        raise Refused(
            _("Give the filter a name of letters or numbers, at most %(n)s of them.")
            % {"n": LONGEST_NAME}
        )
    if len(query) > LONGEST_QUERY:
        raise Refused(_("These are not the filters of the worklist. Choose them again."))
    with transaction.atomic():
        own = SavedFilter.objects.select_for_update().filter(owner=by)
        if len(own.exclude(slug=slug)) >= MOST:
            raise Refused(_("You have kept %(n)s filters. Delete one of them first.") % {"n": MOST})
        kept, _is_new = SavedFilter.objects.update_or_create(
            owner=by, slug=slug, defaults={"name": name, "query": query, "is_shared": is_shared}
        )
        _record(by, request_id, kept)
    return kept


def delete(*, slug: str, by: User, request_id: str) -> bool:
    """Delete a person's own filter. Returns whether there was one."""
    with transaction.atomic():
        kept = SavedFilter.objects.select_for_update().filter(owner=by, slug=slug).first()
        if kept is None:
            return False
        _record(by, request_id, kept)
        kept.delete()
    return True


def named(slug: str, by: User) -> SavedFilter | None:
    """Return the filter of this name: the person's own, else one that a colleague shares."""
    rows = SavedFilter.objects.filter(Q(owner=by) | Q(is_shared=True), slug=slug)
    return min(rows, key=lambda row: row.owner_id != by.pk, default=None)


def _record(by: User, request_id: str, kept: SavedFilter) -> None:
    audit.record(
        actor=audit.staff(by),
        action="config",
        subject=str(kept.pk),
        request_id=request_id,
        detail={"kind": "saved_filter"},
    )
