"""Make, find and end the grant that a browser gets for a right code, and choose its submission."""

from collections.abc import Collection
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from clinic import audit
from clinic.ids import parse_reference
from clinic.outgoing import outbox
from clinic.secrets.sealing import Json, Sealed, SealedField
from intake.access import sql
from intake.access.keys import digest, new_key
from intake.models.access import Grant
from intake.models.submissions import Submission
from intake.ways import calls, telling

MAX_IDLE = timedelta(minutes=30)
# The time of the last page view is stored at most this often, because every write waits for the
# disk.
NOTE_EVERY = timedelta(minutes=1)
LIFETIME = timedelta(hours=2)


def open_submissions(*, challenge: UUID, submissions: list[UUID], request_id: str) -> str:
    """Give the browser a grant for these submissions. Returns the key for `codes.redeem`."""
    key, now = new_key(), timezone.now()
    known = list(Submission.objects.filter(pk__in=submissions))
    chosen = known[0] if len(known) == 1 else None
    Grant(
        key_hash=digest(key),
        submissions=[row.pk for row in known],
        chosen=chosen,
        created_at=now,
        seen_at=now,
    ).save(force_insert=True)
    if chosen:
        calls.drop(submission_id=chosen.pk, reasons=telling.READ)
    outbox.put(kind="opened", occasion=str(challenge))
    for row in known:
        audit.record(
            actor=audit.patient(row.reference),
            action="login",
            subject=str(row.pk),
            purpose="PATRQT",
            request_id=request_id,
        )
    return key


def find(key: str) -> Grant | None:
    """Return the grant of a browser's key, or None when the grant has expired or never existed.

    One query reads the grant, its chosen submission and the appointment request.
    """
    if not key:
        return None
    given: dict[str, Any] = {
        "hash": digest(key),
        "idle": MAX_IDLE,
        "lives": LIFETIME,
        "noted": NOTE_EVERY,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.FIND_GRANT_AND_NOTE_VISIT, given)
        row = cursor.fetchone()
    if row is None:
        return None
    grant: Grant
    grant, submission, request = _instances(row)
    if submission:
        grant.chosen = submission
        submission._state.fields_cache["appointment_request"] = request
    return grant


def _instances(row: tuple[Any, ...]) -> list[Any]:
    """Build grant, submission and appointment request from a row. A missing part becomes None."""
    found: list[Any] = []
    values = iter(row)
    for model, fields in sql.GRANT_COLUMNS:
        mine = [
            Sealed(bytes(value)) if value and isinstance(field, SealedField) else value
            for field, value in zip(fields, islice(values, len(fields)), strict=True)
        ]
        names = [field.attname for field in fields]
        found.append(model.from_db("default", names, mine) if mine[0] else None)
    return found


def choose(*, grant: Grant, reference: str) -> bool:
    """Choose the submission with this reference. Returns False if the grant lacks it.

    What was typed on the page of another submission is dropped, because it was meant for that one.
    """
    wanted = parse_reference(reference)
    row = Submission.objects.filter(pk__in=grant.submissions, reference=wanted).first()
    if row:
        with transaction.atomic():
            Grant.objects.filter(pk=grant.pk).update(chosen=row, returned=None)
            calls.drop(submission_id=row.pk, reasons=telling.READ)
    return row is not None


def keep(*, grant: Grant, page: str, entry: Json) -> None:
    """Keep what was posted on a page of the grant's browser, and why the page comes back."""
    _store_returned(grant, {**(grant.returned or {}), page: entry})


def drop(*, grant: Grant, pages: Collection[str]) -> None:
    """Drop what was kept of these pages."""
    kept = grant.returned or {}
    left = {page: entry for page, entry in kept.items() if page not in pages}
    if left != kept:
        _store_returned(grant, left)


def _store_returned(grant: Grant, pages: Json) -> None:
    grant.returned = pages or None
    sealed = Grant._meta.get_field("returned").seal_for(grant.pk, grant.returned)
    Grant.objects.filter(pk=grant.pk).update(returned=sealed)


def end(*, grant: Grant) -> None:
    """Delete the grant."""
    Grant.objects.filter(pk=grant.pk).delete()
