"""How a patient comes back: a one-time code to their own mailbox or phone opens what is theirs.

A code proves that somebody reads that mailbox, and no more (TRUST: it is no sign-in). Known and
unknown pairs get the same answer and cost the same work. All times are the database's.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from clinic import audit
from clinic.ids import new_reference, parse_reference
from clinic.outgoing import outbox
from clinic.secrets.sealing import index_key
from intake import documents, search
from intake.access.code_limits import CODE_LIVES, count_letter
from intake.access.keys import digest, new_key
from intake.draft_content import Content
from intake.models.access import Challenge, Grant
from intake.models.appointments import AppointmentRequest
from intake.models.submissions import Device, Draft, Submission
from intake.ways import calls, telling

TRIES = 5
GRANT_IDLE = timedelta(minutes=30)
GRANT_NOTED = timedelta(minutes=1)  # no oftener is a visit noted: each note waits for the disk
GRANT_LIVES = timedelta(hours=2)
MOST = 20  # records that one code opens: the newest of a mailbox

# Wrong codes count before they are looked at, so that many at once are no more than five.
_TRY = """
update intake_challenge set tries = tries + 1
where id = (select id from intake_challenge where browser_hash = %s order by id desc limit 1)
  and tries < %s and used_at is null and expires_at > clock_timestamp()
returning id, code_hash, draft_id, submissions
"""
# read with the way in that opens it; answers and names are read where they are shown
_UNREAD = ("answers", "assessment", "person", "search_keys", "wishes")
_READ = [
    (model, [field for field in model._meta.concrete_fields if field.name not in _UNREAD])
    for model in (Grant, Submission, AppointmentRequest)
]
_SEEN = f"""
with mine as (
  select * from intake_grant where key_hash = %(hash)s
    and seen_at > clock_timestamp() - %(idle)s and created_at > clock_timestamp() - %(lives)s
), noted as (
  update intake_grant set seen_at = clock_timestamp()
  where id = (select id from mine where seen_at < clock_timestamp() - %(noted)s)
)
select {", ".join(f"{m._meta.db_table}.{f.column}" for m, fields in _READ for f in fields)}
from mine as intake_grant
left join intake_submission on intake_submission.id = intake_grant.chosen_id
left join intake_appointmentrequest
  on intake_appointmentrequest.submission_id = intake_submission.id
"""  # noqa: S608  names of columns


@dataclass(frozen=True)
class Opened:
    """What a right code opened: a draft to go on with, or a grant for what was sent."""

    key: str
    draft: Draft | None = None


def send(*, address: str, reference: str | None, unsent_first: bool = False) -> str:
    """Ask for a code: for one record by its reference, or for all of an address (None).

    One code opens what was sent or the newest draft; `unsent_first` says which is looked for
    first. Returns the key that the asking browser keeps: it takes the place of the one before, so
    that a browser has one code. A code is sent only if something fits; the caller cannot tell. No
    code asked for in another browser ends, so that nobody ends the one a patient types just now.
    """
    key = address_key(address)
    drafts, submissions = _found(key, reference)
    if reference is None:
        submissions = [row for row in submissions if _is_of(row, address)]
    draft = drafts[0] if drafts and (unsent_first or not submissions) else None
    return _challenge(key, reference, draft, [] if draft else [row.pk for row in submissions])


def address_key(address: str) -> int:
    """What an address is looked up by, however it is written; 0 for what is none."""
    return next(iter(search.address_tokens(address)), 0)


def asked_for(*, key: str) -> tuple[int, str | None] | None:
    """The address key and the reference this browser asked with; None when there is nothing to
    renew."""
    old = _asked(key)
    return old and (old.address_key, old.reference or None)


def renew(*, key: str) -> str | None:
    """Ten minutes more: a new code for what this browser asked for. None when it asked nothing."""
    old = _asked(key)
    if old is None:
        return None
    return _challenge(old.address_key, old.reference or None, old.draft, old.submissions)


def may_still_try(*, key: str) -> bool:
    """Whether this browser asked for a code that has tries left, right pair or not."""
    alive = {"used_at": None, "tries__lt": TRIES, "expires_at__gt": Now()}
    return Challenge.objects.filter(browser_hash=digest(key), **alive).exists()


def _asked(key: str) -> Challenge | None:
    old = Challenge.objects.filter(browser_hash=digest(key)).order_by("-id").first()
    return None if old is None or old.used_at else old


def redeem(*, key: str, code: str, request_id: str = "") -> Opened | None:
    """What the code opens, None when it is wrong, old, used, or was tried too often.

    Tries count for the browser's own code. Once it is used, those of other browsers for the same
    record end.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TRY, [digest(key), TRIES])
        row = cursor.fetchone()
    symbols = parse_code(code)
    if row is None:
        _hash(UUID(int=0), symbols)  # the same work
        return None
    pk, code_hash, draft_id, submissions = row
    if not hmac.compare_digest(_hash(pk, symbols), bytes(code_hash)):
        return None
    if draft_id is None and not submissions:
        return None
    with transaction.atomic():
        if not _use(pk, Q(draft=draft_id) if draft_id else Q(submissions__overlap=submissions)):
            return None
        if draft_id:
            return _open_draft(pk, draft_id, request_id)
        return _open_submissions(pk, submissions, request_id)


def _use(challenge: UUID, same: Q) -> bool:
    """Use up a code, and with it the others for the same. False: one of them was used before."""
    live = Challenge.objects.filter(same, used_at=None, expires_at__gt=Now())
    # in one order, so that two codes entered at once wait for each other
    codes = list(live.select_for_update().order_by("pk").values_list("pk", flat=True))
    if challenge not in codes:
        return False
    return bool(Challenge.objects.filter(pk__in=codes).update(used_at=Now()))


def _open_draft(challenge: UUID, draft_id: UUID, request_id: str) -> Opened | None:
    """The draft moves to this browser: the one it was begun in loses it.

    The code proves that somebody reads the mailbox, not who, nor whose device this is: the device
    counts as shared, and what is sensitive is not shown.
    """
    rows = Draft.objects.select_for_update(of=("self",), no_key=True)
    draft = rows.filter(pk=draft_id, submission=None).first()
    if draft is None:
        return None  # sent or cleared meanwhile
    key, protocol = new_key(), documents.protocol_of(draft.protocol_id)
    content = Content.load(protocol, draft.content)
    draft.key_hash, draft.device, draft.updated_at = digest(key), Device.SHARED, timezone.now()
    draft.content = content.veil(documents.sensitive_questions(protocol)).dump()
    draft.revision += 1
    draft.save(update_fields=["key_hash", "device", "updated_at", "content", "revision"])
    outbox.put(kind="opened", occasion=str(challenge))
    audit.record(
        actor=audit.patient(draft.reference or "draft"),
        action="resume",
        subject=str(draft_id),
        purpose="PATRQT",
        request_id=request_id,
    )
    return Opened(key, draft)


def _open_submissions(challenge: UUID, submissions: list[UUID], request_id: str) -> Opened:
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
    return Opened(key)


def grant_of(key: str) -> Grant | None:
    """The grant of this browser, None when there is none, it lay idle, or its time is over. One
    query: its submission and the appointment request come with it."""
    if not key:
        return None
    given = {"hash": digest(key), "idle": GRANT_IDLE, "lives": GRANT_LIVES, "noted": GRANT_NOTED}
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, given)
        row = cursor.fetchone()
    if row is None:
        return None
    grant, submission, request = _instances(row)
    if submission:
        grant.chosen = submission
        submission._state.fields_cache["appointment_request"] = request
    return grant


def _instances(row: tuple[Any, ...]) -> list[Any]:
    """A row of _SEEN as a grant, its submission and the appointment request, each or None."""
    found: list[Any] = []
    values = iter(row)
    for model, fields in _READ:
        mine = list(islice(values, len(fields)))
        names = [field.attname for field in fields]
        found.append(model.from_db("default", names, mine) if mine[0] else None)
    return found


def choose(*, grant: Grant, reference: str) -> bool:
    """Of several records of one mailbox, look at this one. False: it is none of them."""
    wanted = parse_reference(reference)
    row = Submission.objects.filter(pk__in=grant.submissions, reference=wanted).first()
    if row:
        with transaction.atomic():
            Grant.objects.filter(pk=grant.pk).update(chosen=row)
            calls.drop(submission_id=row.pk, reasons=telling.READ)
    return row is not None


def end(*, grant: Grant) -> None:
    """The browser's way in ends."""
    Grant.objects.filter(pk=grant.pk).delete()


def prune_access() -> int:
    """Delete challenges and grants that open nothing any more. Returns how many."""
    day_ago = Now() - timedelta(days=1)
    challenges, _by = Challenge.objects.filter(expires_at__lt=day_ago).delete()
    grants, _by = Grant.objects.filter(created_at__lt=day_ago).delete()
    return challenges + grants


# --- codes ----------------------------------------------------------------------------------------


def parse_code(text: str) -> str:
    """A code as it is compared: letters and digits alone, in capitals."""
    return "".join(filter(str.isalnum, text[:40])).upper()


def _new_code() -> str:
    """Eight symbols as of a reference, without its check symbol: 38 bits."""
    first, second = new_reference(), new_reference()
    return f"{first[:4]}-{second[:4]}"


def _hash(challenge: UUID, symbols: str) -> bytes:
    """A slow keyed hash. The challenge's id is its salt; the key is not in the database."""
    peppered = hmac.digest(index_key(), f"code\0{challenge}\0{symbols}".encode(), hashlib.sha256)
    return hashlib.scrypt(peppered, salt=challenge.bytes, n=2**13, r=8, p=1, dklen=32)


def _challenge(
    address_key: int, reference: str | None, draft: Draft | None, submissions: list[UUID]
) -> str:
    key, code = new_key(), _new_code()
    challenge = Challenge(
        browser_hash=digest(key),
        reference=reference or "",
        draft=draft,
        submissions=submissions,
        address_key=address_key,
    )
    challenge.code_hash = _hash(challenge.pk, parse_code(code))
    challenge.expires_at = Now() + CODE_LIVES
    with transaction.atomic():
        challenge.save(force_insert=True)
        if draft or submissions:
            outbox.put(
                kind="code",
                occasion=str(challenge.pk),
                payload={"code": code},
                expires=CODE_LIVES,
            )
            count_letter(reference=reference)
    return key


# --- what fits ------------------------------------------------------------------------------------


def _found(key: int, reference: str | None) -> tuple[list[Draft], list[Submission]]:
    """Saved drafts and submissions of an address, newest first; with a reference, that one. A draft
    that nobody saved for later has no reference: it stays in its browser."""
    drafts = Draft.objects.filter(address_keys__contains=[key], submission=None)
    drafts = drafts.exclude(reference=None)
    submissions = Submission.objects.filter(search_keys__contains=[key])
    if reference is not None:
        drafts = drafts.filter(reference=reference)
        submissions = submissions.filter(reference=reference)
    return (
        list(drafts.order_by("-updated_at")[:1]),
        list(submissions.defer("answers", "assessment").order_by("-submitted_at")[:MOST]),
    )


def _is_of(submission: Submission, address: str) -> bool:
    """Was exactly this mailbox or phone given with it? A token finds more: it folds ß to ss, which
    are two domains, and knows the last ten digits of a number alone."""
    told = (submission.person.get(name, "") for name in ("email", "callback_phone"))
    wanted = _written(address)
    return any(_written(one) == wanted for one in told)


def _written(address: str) -> bytes:
    """An address without an extension; of capitals only those of ASCII do not matter."""
    return address.partition(";")[0].encode().lower()


def address_of(challenge: Challenge) -> str:
    """Where the code goes: the stored address that was asked with, never the one typed, which may
    only look the same. '' when it is there no more."""
    if challenge.draft:
        told = content_of(challenge.draft).addresses
    else:
        newest = Submission.objects.filter(pk__in=challenge.submissions).order_by("-submitted_at")
        person = row.person if (row := newest.first()) else {}
        told = [person.get("email", ""), person.get("callback_phone", "")]
    fits = (a for a in told if challenge.address_key in search.address_tokens(a))
    return next(fits, "")


def content_of(draft: Draft) -> Content:
    """What a draft holds, opened."""
    return Content.load(documents.protocol_of(draft.protocol_id), draft.content)
