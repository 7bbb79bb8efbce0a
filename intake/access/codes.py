"""Send and redeem the one-time codes by which patients come back to a draft or submission.

A code goes to the mailbox or phone that is stored with the draft or submission. The code proves
only that a person reads this mailbox; it is not a sign-in. A pair of reference and address that
fits nothing gets the same answer as a pair that fits, and costs the same work. All times are those
of the database.
"""

import hashlib
import hmac
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from clinic import audit
from clinic.ids import new_reference
from clinic.outgoing import outbox
from clinic.secrets.sealing import Words, index_key
from intake import documents, mail_address, search
from intake.access import grants, sql
from intake.access.code_limits import CODE_LIFETIME, count_letter
from intake.access.keys import digest, new_key
from intake.domain.stored import PHONE
from intake.draft_content import Content
from intake.models.access import Challenge, Grant
from intake.models.submissions import Device, Draft, Kind, Submission
from intake.ways import contact, contact_points
from intake.ways.contact import Channel

TRIES = 5
MOST = 20  # a code opens at most this many submissions, the newest of the mailbox


@dataclass(frozen=True)
class Opened:
    """The result of a right code: the key of a draft, or the key of a grant for submissions."""

    key: str
    draft: Draft | None = None


def send(*, address: str, reference: str | None, unsent_first: bool = False) -> str:
    """Send a code for the draft or submission that the patient named, if one fits.

    Without a reference, the code is for all drafts and submissions with the address. A code opens
    either submissions or the newest draft; with `unsent_first` a draft is preferred. The caller
    cannot tell whether a code was sent. Returns the key of the new challenge for the browser, which
    replaces the browser's earlier key. The codes of other browsers stay valid, so that no stranger
    can end the code that a patient is typing.
    """
    key = address_key(address)
    drafts, submissions = _found(
        search.address_tokens(address) if "@" in address else [key], reference
    )
    if reference is None:
        submissions = [row for row in submissions if _is_of(row, address)]
    draft = drafts[0] if drafts and (unsent_first or not submissions) else None
    return _new_challenge(key, reference, draft, [] if draft else [row.pk for row in submissions])


def send_for(*, draft: Draft, address: str) -> str:
    """Send a code for the draft of this browser to an address that the draft contains.

    Returns the key of the new challenge for the browser.
    """
    return _new_challenge(address_key(address), draft.reference, draft, [])


def address_key(address: str) -> int:
    """Return the lookup key of an address in any spelling, or 0 for an invalid address."""
    return next(iter(search.address_tokens(address)), 0)


def asked_for(*, key: str) -> tuple[int, str | None] | None:
    """Return the address key and the reference of the browser's challenge.

    Returns None when the browser has no challenge.
    """
    old = _latest_challenge(key)
    return (old.address_key, old.reference or None) if old else None


def renew(*, key: str) -> str | None:
    """Send a new code for the browser's challenge. Returns its key, or None without a challenge."""
    old = _latest_challenge(key)
    if old is None:
        return None
    return _new_challenge(old.address_key, old.reference or None, old.draft, old.submissions)


def keep_typed(*, key: str, code: str, why: str = "") -> bool:
    """Keep a typed code that opened nothing, so that the page shows it again with its error.

    Returns False when the browser has no challenge that could hold it.
    """
    challenge = _latest_challenge(key)
    if challenge is None:
        return False
    sealed = Challenge._meta.get_field("returned").seal_for(
        challenge.pk, {"code": code, "why": why}
    )
    Challenge.objects.filter(pk=challenge.pk).update(returned=sealed)
    return True


def typed_before(*, key: str) -> Words | None:
    """Return the code that `keep_typed` kept for the browser, and why; None without such a code."""
    challenge = _latest_challenge(key)
    return challenge.returned if challenge else None


def may_still_try(*, key: str) -> bool:
    """Whether the browser has a live challenge with tries left.

    The answer is the same whether or not the typed reference and address fit.
    """
    alive = {"used_at": None, "tries__lt": TRIES, "expires_at__gt": Now()}
    return Challenge.objects.filter(browser_hash=digest(key), **alive).exists()


def _latest_challenge(key: str) -> Challenge | None:
    """Return the browser's newest challenge, or None if its code was used."""
    old = Challenge.objects.filter(browser_hash=digest(key)).order_by("-id").first()
    return None if old is None or old.used_at else old


def redeem(*, key: str, code: str, request_id: str = "") -> Opened | None:
    """Return the draft or grant that the code opens.

    Returns None when the code is wrong, expired, used, or was tried too often. Tries count for the
    code of this browser alone. A used code ends the codes of other browsers for the same draft or
    submissions.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql.COUNT_TRY, [digest(key), TRIES])
        row = cursor.fetchone()
    symbols = parse_code(code)
    if row is None:
        # computed so that the answer takes as long as with a challenge
        _code_hash(UUID(int=0), symbols)
        return None
    pk, code_hash, draft_id, submissions = row
    if not hmac.compare_digest(_code_hash(pk, symbols), bytes(code_hash)):
        return None
    if draft_id is None and not submissions:
        return None
    with transaction.atomic():
        if not _use_up(pk, Q(draft=draft_id) if draft_id else Q(submissions__overlap=submissions)):
            return None
        _verify(pk, request_id)
        if draft_id:
            return _open_draft(pk, draft_id, request_id)
        return Opened(
            grants.open_submissions(challenge=pk, submissions=submissions, request_id=request_id)
        )


def _use_up(challenge: UUID, same: Q) -> bool:
    """Use up a code, and end the other codes for the same draft or submissions (`same`).

    Returns False when the code is expired or used.
    """
    live = Challenge.objects.filter(same, used_at=None, expires_at__gt=Now())
    # locked in one order, so that two browsers that enter codes at once wait for each other
    codes = list(live.select_for_update().order_by("pk").values_list("pk", flat=True))
    if challenge not in codes:
        return False
    return bool(Challenge.objects.filter(pk__in=codes).update(used_at=Now()))


def _verify(challenge: UUID, request_id: str) -> None:
    """Keep that the patient read the code at the address to which the code was sent."""
    row = Challenge.objects.select_related("draft").get(pk=challenge)
    if address := address_of(row):
        contact_points.verify(
            channel=_channel_of(address),
            address=address,
            actor=audit.system("codes"),
            request_id=request_id,
        )


def _open_draft(challenge: UUID, draft_id: UUID, request_id: str) -> Opened | None:
    """Move the draft to this browser. Returns None if the draft was sent or deleted meanwhile."""
    rows = Draft.objects.select_for_update(of=("self",), no_key=True)
    draft = rows.filter(pk=draft_id, submission=None).first()
    if draft is None:
        return None
    key = move_draft(draft)
    outbox.put(kind="opened", occasion=str(challenge))
    audit.record(
        actor=audit.patient(draft.reference or "draft"),
        action="resume",
        subject=str(draft_id),
        purpose="PATRQT",
        request_id=request_id,
    )
    return Opened(key, draft)


def move_draft(draft: Draft) -> str:
    """Give the draft a new key, so that only this browser opens it. Returns the key.

    A code does not prove that the reader of the mailbox is the patient, or that the device is the
    patient's own. So the device counts as shared, and sensitive answers are not shown.
    """
    key, protocol = new_key(), documents.protocol_of(draft.protocol_id)
    content = Content.load(protocol, draft.content)
    draft.key_hash, draft.device, draft.updated_at = digest(key), Device.SHARED, timezone.now()
    draft.content = content.veil(documents.sensitive_questions(protocol)).dump()
    draft.revision += 1
    draft.save(update_fields=["key_hash", "device", "updated_at", "content", "revision"])
    return key


def prune_access() -> int:
    """Delete challenges and grants that have expired. Returns how many were deleted."""
    day_ago = Now() - timedelta(days=1)
    challenges, _by = Challenge.objects.filter(expires_at__lt=day_ago).delete()
    grants, _by = Grant.objects.filter(created_at__lt=day_ago).delete()
    return challenges + grants


# --- codes ----------------------------------------------------------------------------------------


def parse_code(text: str) -> str:
    """Return the letters and digits of a typed code, in capitals, for comparing."""
    return "".join(filter(str.isalnum, text[:40])).upper()


def new_code() -> str:
    """Return a code of eight random symbols from the alphabet of references: 38 bits."""
    first, second = new_reference(), new_reference()
    return f"{first[:4]}-{second[:4]}"


def _code_hash(challenge: UUID, symbols: str) -> bytes:
    """Return a slow keyed hash of a code.

    The salt is the id of the challenge. The key is not in the database.
    """
    peppered = hmac.digest(index_key(), f"code\0{challenge}\0{symbols}".encode(), hashlib.sha256)
    return hashlib.scrypt(peppered, salt=challenge.bytes, n=2**13, r=8, p=1, dklen=32)


def _new_challenge(
    address_key: int, reference: str | None, draft: Draft | None, submissions: list[UUID]
) -> str:
    """Store a challenge, and put its code into the outbox if a draft or submission fits.

    Returns the key for the browser.
    """
    key, code = new_key(), new_code()
    challenge = Challenge(
        browser_hash=digest(key),
        reference=reference or "",
        draft=draft,
        submissions=submissions,
        address_key=address_key,
    )
    challenge.code_hash = _code_hash(challenge.pk, parse_code(code))
    challenge.expires_at = Now() + CODE_LIFETIME
    with transaction.atomic():
        challenge.save(force_insert=True)
        if draft or submissions:
            outbox.put(
                kind="code",
                occasion=str(challenge.pk),
                payload={"code": code},
                expires=CODE_LIFETIME,
            )
            count_letter(reference=reference)
    return key


# --- what fits ------------------------------------------------------------------------------------


def _found(keys: list[int], reference: str | None) -> tuple[list[Draft], list[Submission]]:
    """Return the saved drafts and the submissions of the keys of one address, newest first.

    With a reference, returns only the draft or submission of this reference. A draft that was not
    saved for later has no reference. A person who only reads the mailbox cannot open it: `send_for`
    needs the key of the browser that began it. Part 2 is left out of the list, because the patient
    knows only the reference of part 1. But when staff had to act on part 2, their letter to the
    patient names the reference of part 2.
    """
    drafts = Draft.objects.filter(address_keys__overlap=keys, submission=None)
    drafts = drafts.exclude(reference=None)
    submissions = Submission.objects.filter(search_keys__overlap=keys)
    if reference is None:
        submissions = submissions.exclude(kind=Kind.PART_2)
    else:
        drafts = drafts.filter(reference=reference)
        submissions = submissions.filter(reference=reference)
    return (
        list(drafts.order_by("-updated_at")[:1]),
        list(submissions.defer("answers", "assessment").order_by("-submitted_at")[:MOST]),
    )


def _is_of(submission: Submission, address: str) -> bool:
    """Whether the submission has exactly this address.

    Two addresses can have the same search key, because the key treats ß like ss. The key of a phone
    number contains only its last ten digits.
    """
    stored = (submission.person.get(name, "") for name in ("email", PHONE))
    wanted = _written(address)
    return any(_written(one) == wanted for one in stored)


def _written(address: str) -> bytes:
    """Return an address for an exact comparison: without phone extension, in lower case (ASCII)."""
    with suppress(ValueError):  # the domain of an address that was stored as it was typed
        address = mail_address.stored_form(address)
    return address.partition(";")[0].encode().lower()


def address_of(challenge: Challenge) -> str:
    """Return the stored address to which the code goes, or '' when no code may go there.

    The code does not go to the typed address, because that address may only look like the stored
    one. No code goes to an address that is no longer stored or closed, or by a way that the patient
    forbade.
    """
    stored: Iterable[str]
    if challenge.draft:
        stored = filter(_is_open, content_of(challenge.draft).addresses)
    else:
        newest = Submission.objects.filter(pk__in=challenge.submissions).order_by("-submitted_at")
        stored = contact.reach_of(row).codes if (row := newest.first()) else ()
    fits = (a for a in stored if challenge.address_key in search.address_tokens(a))
    return next(fits, "")


def _is_open(address: str) -> bool:
    return contact_points.is_open(_channel_of(address), address)


def _channel_of(address: str) -> Channel:
    return "email" if "@" in address else "sms"


def content_of(draft: Draft) -> Content:
    """Return the opened content of a draft."""
    return Content.load(documents.protocol_of(draft.protocol_id), draft.content)


# --- after a corrected contact --------------------------------------------------------------------


def end_all(
    *,
    submissions: Collection[UUID],
    mend: Callable[[Mapping[str, Any]], dict[str, Any]],
    age: int | None = None,
) -> None:
    """End all ways back to these submissions, because their contact was wrong.

    Ends the open grants and codes, and gives the unsent drafts that follow the submissions a key
    that nobody has. The patient comes back with a new code, and finds the drafts. `mend` returns a
    contact with the corrected details; the address to which a
    draft was saved is dropped. `age` is the age by a corrected birth date.
    """
    pks = list(submissions)
    Grant.objects.filter(submissions__overlap=pks).delete()
    drafts = Draft.objects.filter(follows__in=pks, submission=None).order_by("pk")
    rows = list(drafts.select_for_update(of=("self",), no_key=True))
    live = Q(submissions__overlap=pks) | Q(draft__in=[row.pk for row in rows])
    Challenge.objects.filter(live, used_at=None).update(used_at=Now())
    for draft in rows:
        content = content_of(draft)
        contact = mend(content.contact) if content.contact else {}
        question = documents.protocol_of(draft.protocol_id).uses.age
        answers = dict(content.answers)
        if age is not None and question in answers:
            answers[question] = age
        content = replace(content, answers=answers, contact=contact, saved={})
        draft.content, draft.address_keys = content.dump(), []
        if draft.reference:
            draft.address_keys = search.address_tokens(*content.addresses)
        draft.save(update_fields=["address_keys"])
        move_draft(draft)
