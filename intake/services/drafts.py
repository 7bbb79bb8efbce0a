"""A patient's draft: begun, saved page by page, left.

A step is one UPDATE guarded by the draft's revision. Of two tabs neither overwrites the other: the
second applies its change to what the first has stored.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit, outbox
from clinic.ids import new_reference
from intake import search
from intake.domain.definition import Page
from intake.models import Draft, Submission
from intake.protocols import current
from intake.services.documents import keep_protocol, keep_wording, protocol_of, wording
from intake.services.errors import Blocked, Conflict, Gone
from intake.walk import APPOINTMENT, CONTACT, CONTACT_DEPENDS, Content, Walk

# Every request of a patient runs the first (or, for the wish, the second), every answered page the
# third. They are written out because putting them together anew each time takes longer than
# running them.
_FIND = "select * from intake_draft where key_hash = %s"
_FIND_TO_WISH = """
select *, array(select name from intake_location where is_active order by name) as places,
  array(select array[id::text, name] from intake_clinician where is_active order by name)
    as clinicians
from intake_draft where key_hash = %s
"""
_STORE = """
update intake_draft set content = %s, address_keys = %s::bigint[], revision = revision + 1,
  updated_at = %s
where id = %s and revision = %s and submission_id is null
"""
TRIES = 5  # of a compare-and-set before giving up; a patient has two tabs, not five


def new_key() -> str:
    """256 random bits that a browser keeps; only their hash is stored."""
    return secrets.token_urlsafe(32)


def digest(key: str) -> bytes:
    """What is stored of a browser's key."""
    return hashlib.sha256(key.encode()).digest()


def addresses(content: Content) -> list[str]:
    """Where a code for this draft may be sent: the address it was saved with, and the contact's."""
    contact = content.contact
    told = (content.saved.get("address"), contact.get("email"), contact.get("callback_phone"))
    return [address for address in told if address]


def begin(
    *,
    kind: str,
    language: str,
    content: Content | None = None,
    follows: Submission | None = None,
) -> tuple[Draft, str]:
    """Start a draft. Returns it with the key that the browser keeps; only its hash is stored."""
    protocol, key, now = current(), new_key(), timezone.now()
    draft = Draft(
        key_hash=digest(key),
        follows=follows,
        kind=kind,
        protocol_id=protocol.content_hash,
        language=language,
        content=(content or Content()).dump(),
        created_at=now,
        updated_at=now,
    )
    with transaction.atomic():
        keep_protocol(protocol)
        keep_wording(draft.protocol_id, wording(draft.protocol_id, language))
        draft.save(force_insert=True)
    return draft, key


def change_language(*, draft: Draft, language: str) -> None:
    """Go on in another language: the answers are codes and stay. A sent draft keeps its own."""
    with transaction.atomic():
        keep_wording(draft.protocol_id, wording(draft.protocol_id, language))
        changed = Draft.objects.filter(pk=draft.pk, submission=None).update(language=language)
    if changed:
        draft.language = language


def find_draft(key: str, *, to_wish: bool = False) -> Draft | None:
    """The draft of this browser key, None when there is none or it lay idle too long.

    `to_wish` brings along what can be wished for: the clinic's places and clinicians in use.
    """
    if not key:
        return None
    found = Draft.objects.raw(_FIND_TO_WISH if to_wish else _FIND, [digest(key)])
    draft = next(iter(found), None)
    idle = timedelta(minutes=settings.DRAFT_IDLE_MINUTES)
    if draft is None or draft.updated_at < timezone.now() - idle:
        return None
    return draft


def walk_of(draft: Draft) -> Walk:
    """The draft's way as its answers make it now, worked out once for each revision of them."""
    made_for, walk = draft.__dict__.get("_walk", (None, None))
    now = (draft.revision, draft.language)
    if walk is None or made_for != now:
        protocol = protocol_of(draft.protocol_id)
        content = Content.load(protocol, draft.content)
        words = wording(draft.protocol_id, draft.language)
        walk = Walk(protocol, content, kind=draft.kind, si_screen=settings.SI_SCREEN, wording=words)
        draft.__dict__["_walk"] = (now, walk)
    return walk


def _save(draft: Draft, change: Callable[[Walk], Walk]) -> Walk:
    """Apply `change` to the draft's newest content, however many tabs write at once."""
    for _try in range(TRIES):
        walk = change(walk_of(draft))
        sealed = Draft._meta.get_field("content").seal_for(draft.pk, walk.content.dump())
        keys = search.address_tokens(*addresses(walk.content))
        with connection.cursor() as cursor:
            cursor.execute(_STORE, [sealed.data, keys, timezone.now(), draft.pk, draft.revision])
            changed = cursor.rowcount
        if changed:
            return walk
        try:
            draft.refresh_from_db()
        except Draft.DoesNotExist:
            raise Gone from None
        if draft.submission_id:
            raise Conflict(_("These answers were already sent."))
    raise Conflict(_("These answers are being changed somewhere else. Please try again."))


def save_page(*, draft: Draft, page: Page, values: Mapping[str, Any]) -> Walk:
    """Keep the answers of one page. Returns the walk as it is then.

    `values` are the cleaned answers of the page's visible questions; a question left blank is
    absent. An interrupting rule that the answers fire is recorded with page and time, and stays
    recorded when the answer is later changed (rule S18). Raises Conflict, and Blocked when the
    answers forbid going on; then nothing is stored.
    """

    def change(walk: Walk) -> Walk:
        asked = {question.id for question in page.questions}
        answers = {q: v for q, v in walk.content.answers.items() if q not in asked} | dict(values)
        content = walk.content.visit(page.id, answers=answers)
        if any(answers.get(q) != walk.content.answers.get(q) for q in CONTACT_DEPENDS):
            content = content.unvisit(CONTACT)
        after = walk.with_content(content)
        _refuse_blocked(after)
        panel = _new_panels(walk, after)
        return after.with_content(replace(content, panel=panel, stops=_stops(after, page.id)))

    return _save(draft, change)


def _refuse_blocked(walk: Walk) -> None:
    if walk.assessment.blocked:
        raise Blocked(walk.assessment)


def _new_panels(walk: Walk, after: Walk) -> tuple[str, ...]:
    panels = [fired.id for fired in after.assessment.fired if is_panel(fired)]
    before = {fired.id for fired in walk.assessment.fired} if panels else set()
    return tuple(rule for rule in panels if rule not in before)


def is_panel(fired: Any) -> bool:
    """A fired rule whose advice is shown on the very next page: same day, or its own panel."""
    return fired.level == "same_day" or fired.interrupt == "panel"


def _stops(walk: Walk, step: str) -> tuple[Mapping[str, Any], ...]:
    """The stops after Continue on `step`: one more, or the last one taken back by an answer."""
    stops, rules = walk.content.stops, [rule.id for rule in walk.stopping]
    if not rules:
        return _taken_back(stops)
    if stops and stops[-1]["rules"] == rules and not stops[-1]["retracted"]:
        return stops
    stop = {"rules": rules, "page": step, "at": timezone.now().isoformat(), "retracted": None}
    return (*stops, stop)


def _taken_back(stops: tuple[Mapping[str, Any], ...]) -> tuple[Mapping[str, Any], ...]:
    now = timezone.now().isoformat()
    return tuple({**stop, "retracted": stop["retracted"] or now} for stop in stops)


def keep_recognised(*, draft: Draft, page: Page, values: Mapping[str, Any]) -> Walk:
    """Keep what an interrupting page held, though other answers on it were not in order.

    The page does not count as done. Raises Conflict.
    """

    def change(walk: Walk) -> Walk:
        content = replace(walk.content, answers={**walk.content.answers, **values})
        after = walk.with_content(content)
        return after.with_content(replace(content, stops=_stops(after, page.id)))

    return _save(draft, change)


def take_back(*, draft: Draft) -> Walk:
    """'I picked this by mistake': recorded with its time; the answer itself is mended next."""

    def change(walk: Walk) -> Walk:
        return walk.with_content(replace(walk.content, stops=_taken_back(walk.content.stops)))

    return _save(draft, change)


def save_contact(*, draft: Draft, contact: Mapping[str, Any], answers: Mapping[str, Any]) -> Walk:
    """Keep who the patient is and how to reach them. `answers` are those it brings along
    (who fills the form in, and the age, for a request without the questionnaire).
    Raises Conflict and Blocked like `save_page`."""

    def change(walk: Walk) -> Walk:
        merged = {**walk.content.answers, **answers}
        content = walk.content.visit(CONTACT, contact=dict(contact), answers=merged)
        after = walk.with_content(content)
        _refuse_blocked(after)
        return after

    return _save(draft, change)


def save_wish(*, draft: Draft, wish: Mapping[str, Any]) -> Walk:
    """Keep the appointment the patient wishes for."""

    def change(walk: Walk) -> Walk:
        return walk.with_content(walk.content.visit(APPOINTMENT, wish=dict(wish)))

    return _save(draft, change)


def keep_typed(*, draft: Draft, step: str, typed: Mapping[str, list[str]]) -> Walk:
    """Keep what was typed on a step left unfinished, to show it again. It answers nothing."""

    def change(walk: Walk) -> Walk:
        content = replace(walk.content, typed={**walk.content.typed, step: dict(typed)})
        return walk.with_content(content)

    return _save(draft, change)


def suspect(*, draft: Draft, why: str) -> Walk:
    """Note a sign that no person fills this in. The person, if it is one, is not held up."""

    def change(walk: Walk) -> Walk:
        signs = dict.fromkeys((*walk.content.suspect, why))
        return walk.with_content(replace(walk.content, suspect=tuple(signs)))

    return _save(draft, change)


def save_for_later(
    *, draft: Draft, address: str, may_tell: Callable[[], bool] = lambda: True
) -> str:
    """Save the draft so that a code to `address` opens it elsewhere. Returns its reference.

    The reference is given once and becomes the submission's. A message with it goes to the
    address, once in ten minutes, if it `may_tell`: asked only when there is one to send.
    Raises Conflict.
    """
    at, fresh = timezone.now(), timedelta(minutes=10)
    before = walk_of(draft).content.saved
    again = before.get("address") == address and datetime.fromisoformat(before["at"]) > at - fresh
    tells = not again and may_tell()
    # of what was not told, the next try is the first
    told_at = at if tells or again else at - fresh

    def change(walk: Walk) -> Walk:
        saved = {"address": address, "at": told_at.isoformat()}
        return walk.with_content(replace(walk.content, saved=saved))

    with transaction.atomic():
        _save(draft, change)
        Draft.objects.filter(pk=draft.pk, reference=None).update(reference=new_reference())
        if tells:
            outbox.put(kind="saved", occasion=f"{draft.pk}:{draft.revision}")
    draft.refresh_from_db()
    return str(draft.reference)


def delete_idle_drafts(*, days: int) -> int:
    """Delete every draft that was left alone for so many days. Returns how many.

    What was sent stays; only the receipt's draft goes.
    """
    before = timezone.now() - timedelta(days=days)
    with transaction.atomic():
        _total, by_model = Draft.objects.filter(updated_at__lt=before).delete()
        count = by_model.get("intake.Draft", 0)
        if count:
            audit.record(
                actor=audit.system("prune"),
                action="erase",
                detail={"kind": "draft", "count": count},
            )
    return count


def leave(*, draft: Draft) -> None:
    """Delete the draft. What was sent stays sent; only this browser's way to it ends."""
    Draft.objects.filter(pk=draft.pk).delete()
