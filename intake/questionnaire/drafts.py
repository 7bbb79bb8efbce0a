"""Begin a patient's draft, find it again by the browser's key, and delete it.

The answers of a step are saved in `answering.py`.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from clinic import audit
from clinic.secrets.sealing import SealError
from intake.access.codes import move_draft
from intake.access.keys import digest, new_key
from intake.documents import (
    protocol_of,
    sensitive_questions,
    store_protocol,
    store_wording,
    wording,
)
from intake.domain.definition import Protocol
from intake.draft_content import Content
from intake.models.phone_calls import PhoneCall
from intake.models.submissions import Device, Draft, Kind, Submission, WalkCount
from intake.protocols import current
from intake.questionnaire import rule_counts, sql, walk_counts
from intake.questionnaire.walk import Walk

Event = WalkCount.Event
UNKNOWN = "unknown"
"""The last page of a draft that cannot be opened."""


def begin(
    *,
    kind: str,
    language: str,
    device: str = Device.SHARED,
    content: Content | None = None,
    follows: Submission | None = None,
    protocol: Protocol | None = None,
) -> tuple[Draft, str]:
    """Start a draft. Returns the draft and the browser's key, which is stored only as a hash.

    The device counts as shared unless the patient chose 'mine'; in a kiosk it is always shared. If
    `protocol` is None, the draft gets the protocol that is served first.
    """
    protocol, key, now = protocol or current(), new_key(), timezone.now()
    if device != Device.STAFF:
        own = device == Device.MINE and not settings.SHARED_DEVICE
        device = Device.MINE if own else Device.SHARED
    draft = Draft(
        key_hash=digest(key),
        follows=follows,
        kind=kind,
        device=device,
        protocol_id=protocol.content_hash,
        language=language,
        content=(content or Content()).dump(),
        created_at=now,
        updated_at=now,
    )
    with transaction.atomic():
        store_protocol(protocol)
        store_wording(draft.protocol_id, wording(draft.protocol_id, language))
        draft.save(force_insert=True)
        # last, because every start of the day waits for this row until the commit
        walk_counts.add({walk_counts.key_of(draft, now, Event.STARTED): 1})
    return draft, key


def go_on_or_begin(
    *,
    kind: str,
    follows: Submission,
    language: str,
    content: Callable[[], Content],
    protocol: Protocol,
    device: str = Device.SHARED,
) -> tuple[Draft, str]:
    """Return the unsent draft of this kind that follows the submission, or begin one.

    However often the patient asks, there is one draft. A draft that was begun before gets a new key
    for this browser, and the earlier browser cannot open it any more. `content` is called for a new
    draft only.
    """
    with transaction.atomic():
        # of two requests at once, the second waits here and finds the draft of the first
        Submission.objects.select_for_update(of=("self",), no_key=True).get(pk=follows.pk)
        begun = Draft.objects.filter(follows=follows, kind=kind, submission=None)
        if (draft := begun.order_by("-updated_at").first()) is not None:
            return draft, move_draft(draft)
        return begin(
            kind=kind,
            language=language,
            device=device,
            content=content(),
            follows=follows,
            protocol=protocol,
        )


def change_language(*, draft: Draft, language: str) -> None:
    """Change the language of an unsent draft. The answers are codes, so they do not change."""
    with transaction.atomic():
        store_wording(draft.protocol_id, wording(draft.protocol_id, language))
        changed = Draft.objects.filter(pk=draft.pk, submission=None).update(language=language)
    if changed:
        draft.language = language


def find_draft(key: str, *, to_wish: bool = False) -> Draft | None:
    """Return the draft that a browser's key opens; None if it is missing or was idle too long.

    With `to_wish`, the attributes `places` and `clinicians` of the draft have the clinic's active
    locations and clinicians, which the page of the wish shows.
    """
    draft = _find(key, sql.FIND_DRAFT_TO_WISH if to_wish else sql.FIND_DRAFT)
    return draft if draft is not None and _idle(draft) <= draft.idle_limit else None


def find_draft_of_call(call: PhoneCall, *, to_wish: bool = False) -> Draft | None:
    """Return the draft into which a member of staff enters a caller's answers; None without one.

    `to_wish` is as in `find_draft`. The draft is found by the hash of its key, which nobody has.
    """
    if call.draft is None:
        return None
    statement = sql.FIND_DRAFT_TO_WISH if to_wish else sql.FIND_DRAFT
    return next(iter(Draft.objects.raw(statement, [call.draft.key_hash])), None)


def find_out_of_reach(key: str) -> Draft | None:
    """Return the unsent draft of a key if the draft was idle too long, to tell the patient so."""
    draft = _find(key, sql.FIND_DRAFT)
    if draft is None or draft.submission_id or _idle(draft) <= draft.idle_limit:
        return None
    return draft


def way_back(draft: Draft) -> str:
    """Return the address to which a code for this unsent draft may be sent, or ''.

    Prefers the address of "Save and come back later", then the e-mail address, then the phone. The
    contact of an earlier submission does not count, because nobody gave it in this draft.
    """
    content = walk_of(draft).content
    given = content.saved.get("address", "")
    carried = draft.kind in (Kind.ADDITION, Kind.PART_2)
    known = [given] if carried else content.addresses
    return next((one for one in known if "@" in one or (one and settings.SMS_BACKEND)), "")


def _find(key: str, statement: str) -> Draft | None:
    return next(iter(Draft.objects.raw(statement, [digest(key)])), None) if key else None


def _idle(draft: Draft) -> timedelta:
    return timezone.now() - draft.updated_at


def left_alone(draft: Draft) -> bool:
    """Whether the device was idle for so long that sensitive answers must be hidden.

    Nothing is hidden from the member of staff who entered the answers: that session ends by itself.
    """
    return not draft.by_staff and _idle(draft) > timedelta(minutes=settings.DRAFT_VEIL_MINUTES)


def walk_of(draft: Draft) -> Walk:
    """Return the walk of the draft. It is computed once for each revision and language."""
    made_for, walk = _walk_kept(draft)
    now = (draft.revision, draft.language)
    if walk is None or made_for != now:
        protocol = protocol_of(draft.protocol_id)
        content = Content.load(protocol, draft.content)
        if left_alone(draft):
            content = content.veil(sensitive_questions(protocol))
        words = wording(draft.protocol_id, draft.language)
        walk = Walk(
            protocol,
            content,
            kind=draft.kind,
            si_screen=settings.SI_SCREEN,
            wording=words,
            has_wish=draft.follows_id is not None or content.has_visit,
            reach=None if draft.by_staff else draft.idle_limit,
            by_staff=draft.by_staff,
        )
        draft.__dict__["_walk"] = (now, walk)
    return walk


def _walk_kept(draft: Draft) -> tuple[tuple[int, str] | None, Walk | None]:
    """Return the walk that `walk_of` computed last, with the revision and language it is for."""
    kept: tuple[tuple[int, str] | None, Walk | None] = draft.__dict__.get("_walk", (None, None))
    return kept


def delete_idle_drafts(*, days: int) -> int:
    """Delete the drafts that were idle for `days`. Returns how many.

    Drafts that were sent, and now only show the receipt, are deleted, too. Submissions stay.
    """
    before = timezone.now() - timedelta(days=days)
    with transaction.atomic():
        idle = Draft.objects.filter(updated_at__lt=before)
        _count_ended(idle.filter(submission=None).select_for_update(of=("self",)).iterator())
        _total, by_model = idle.delete()
        count = by_model.get("intake.Draft", 0)
        if count:
            audit.record(
                actor=audit.system("prune"),
                action="erase",
                detail={"kind": "draft", "count": count},
            )
    return count


def delete(*, draft: Draft) -> None:
    """Delete the draft, so that no browser opens it any more. A submission made from it stays."""
    with transaction.atomic():
        unsent = Draft.objects.filter(pk=draft.pk, submission=None)
        _count_ended(unsent.select_for_update(of=("self",)))
        Draft.objects.filter(pk=draft.pk).delete()


def _count_ended(drafts: Iterable[Draft]) -> None:
    """Count drafts that end unsent by their last page, and the emergencies in these drafts.

    Counted are the rules that stop the form, and the rules that ask about words of danger. A count
    has only a day and a rule or a page, so a count reveals no patient.
    """
    untold: Counter[rule_counts.Key] = Counter()
    ended: Counter[walk_counts.Key] = Counter()
    for draft in drafts:
        day, last = timezone.localdate(draft.updated_at), UNKNOWN
        with suppress(SealError):  # the page of a draft that cannot be opened is unknown
            walk = walk_of(draft)
            last = "emergency" if walk.interrupting_rules else walk.first_open or "check"
            asked = [fired.id for fired in walk.assessment.fired if fired.interrupt == "ask"]
            rules = {*asked, *(rule.id for rule in walk.interrupting_rules)}
            untold.update((day, rule, draft.protocol_id) for rule in rules)
        ended[walk_counts.key_of(draft, draft.updated_at, Event.ENDED, last)] += 1
    rule_counts.add({}, untold)
    walk_counts.add(ended)


def confirm_age(*, draft: Draft) -> bool:
    """Delete the draft, because the patient confirmed an age that forbids going on.

    Returns False and deletes nothing if the draft was changed or sent meanwhile.
    """
    with transaction.atomic():
        unchanged = Draft.objects.filter(pk=draft.pk, revision=draft.revision, submission=None)
        _count_ended(unchanged.select_for_update(of=("self",)))
        return bool(unchanged.delete()[0])
