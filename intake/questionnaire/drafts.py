"""A patient's draft: begun, saved page by page, left.

A step is one UPDATE guarded by the draft's revision. Of two tabs neither overwrites the other: the
second applies its change to what the first has stored.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.ids import new_reference
from clinic.outgoing import outbox
from intake import search
from intake.access.keys import digest, new_key
from intake.documents import (
    protocol_of,
    sensitive_questions,
    store_protocol,
    store_wording,
    wording,
)
from intake.domain import answers as domain
from intake.domain.definition import Page
from intake.draft_content import APPOINTMENT, CONTACT, SAVED_ADDRESS, Content
from intake.errors import Blocked, Conflict, Gone
from intake.models.submissions import Device, Draft, Submission
from intake.protocols import current
from intake.questionnaire.walk import ASKED_BELOW, CONTACT_DEPENDS, Walk

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


def begin(
    *,
    kind: str,
    language: str,
    device: str = Device.SHARED,
    content: Content | None = None,
    follows: Submission | None = None,
) -> tuple[Draft, str]:
    """Start a draft. Returns it with the key that the browser keeps; only its hash is stored.

    A `device` counts as shared unless the patient said that it is their own, and always in a kiosk.
    """
    protocol, key, now = current(), new_key(), timezone.now()
    own = device == Device.MINE and not settings.SHARED_DEVICE
    draft = Draft(
        key_hash=digest(key),
        follows=follows,
        kind=kind,
        device=Device.MINE if own else Device.SHARED,
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
    return draft, key


def change_language(*, draft: Draft, language: str) -> None:
    """Go on in another language: the answers are codes and stay. A sent draft keeps its own."""
    with transaction.atomic():
        store_wording(draft.protocol_id, wording(draft.protocol_id, language))
        changed = Draft.objects.filter(pk=draft.pk, submission=None).update(language=language)
    if changed:
        draft.language = language


def find_draft(key: str, *, to_wish: bool = False) -> Draft | None:
    """The draft of this browser key, None when there is none or it lay idle too long.

    `to_wish` brings along what can be wished for: the clinic's places and clinicians in use.
    """
    draft = _find(key, _FIND_TO_WISH if to_wish else _FIND)
    return draft if draft is not None and _idle(draft) <= draft.idle_limit else None


def find_out_of_reach(key: str) -> Draft | None:
    """The unsent draft that this browser left alone for too long: to say so, and nothing else."""
    draft = _find(key, _FIND)
    if draft is None or draft.submission_id or _idle(draft) <= draft.idle_limit:
        return None
    return draft


def _find(key: str, sql: str) -> Draft | None:
    return next(iter(Draft.objects.raw(sql, [digest(key)])), None) if key else None


def _idle(draft: Draft) -> timedelta:
    return timezone.now() - draft.updated_at


def left_alone(draft: Draft) -> bool:
    """Whether somebody else may look at this browser by now: what is sensitive is not shown."""
    return _idle(draft) > timedelta(minutes=settings.DRAFT_VEIL_MINUTES)


def walk_of(draft: Draft) -> Walk:
    """The draft's way as its answers make it now, worked out once for each revision of them."""
    made_for, walk = draft.__dict__.get("_walk", (None, None))
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
            reach=draft.idle_limit,
        )
        draft.__dict__["_walk"] = (now, walk)
    return walk


def _save(draft: Draft, change: Callable[[Walk], Walk]) -> Walk:
    """Apply `change` to the draft's newest content, however many tabs write at once."""
    for _try in range(TRIES):
        walk = change(walk_of(draft))
        sealed = Draft._meta.get_field("content").seal_for(draft.pk, walk.content.dump())
        keys = search.address_tokens(*walk.content.addresses)
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


def save_page(
    *, draft: Draft, page: Page, values: Mapping[str, Any], kept: Collection[str] = ()
) -> Walk:
    """Keep the answers of one page. Returns the walk as it is then.

    `values` are the cleaned answers of the page's visible questions; a question left blank is
    absent, and answered no more unless it is one of `kept`, whose answer was not shown. A value
    given now is shown again. An interrupting rule that the answers fire is recorded with page and
    time, and stays recorded when the answer is later changed (rule S18). An age that the patient
    has to confirm first is kept as `unsure`, and the page's answers as typed. Raises Conflict, and
    Blocked when the answers forbid going on; then nothing is stored.
    """

    def change(walk: Walk) -> Walk:
        asked = {question.id for question in page.questions} - set(kept)
        answers = {q: v for q, v in walk.content.answers.items() if q not in asked} | dict(values)
        content = walk.content.unveil({*asked, *values}).visit(page.id, answers=answers)
        if any(answers.get(q) != walk.content.answers.get(q) for q in CONTACT_DEPENDS):
            content = content.unvisit(CONTACT)
        after = walk.with_content(content)
        if after.assessment.blocked:
            return _unsure(walk, after, page.id, domain.to_json(values))
        panel = _new_panels(walk, after)
        return after.with_content(replace(content, panel=panel, stops=_stops(after, page.id)))

    return _save(draft, change)


def _unsure(walk: Walk, after: Walk, step: str, typed: Mapping[str, Any]) -> Walk:
    """The walk with an age to be confirmed, where `after` may not go on because of it. Raises
    Blocked when the age is not in doubt."""
    age = after.known.get("age_years")
    if not isinstance(age, int) or age >= ASKED_BELOW:
        raise Blocked(after.assessment)
    unsure = {"step": step, "age": age}
    return walk.with_content(walk.content.leave_open(step, typed, unsure=unsure))


def _new_panels(walk: Walk, after: Walk) -> tuple[str, ...]:
    panels = [fired.id for fired in after.assessment.fired if is_panel(fired)]
    before = {fired.id for fired in walk.assessment.fired} if panels else set()
    return tuple(rule for rule in panels if rule not in before)


def is_panel(fired: Any) -> bool:
    """A fired rule whose advice is shown on the very next page: same day, or its own panel."""
    return fired.level == "same_day" or fired.interrupt == "panel"


def _stops(walk: Walk, step: str) -> tuple[Mapping[str, Any], ...]:
    """The stops after Continue on `step`: one more, or the last one taken back by an answer."""
    stops, rules = walk.content.stops, [rule.id for rule in walk.interrupting_rules]
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

    The page does not count as done. Answers that forbid going on answer nothing yet: the page is
    open again and shows them. Raises Conflict.
    """

    def change(walk: Walk) -> Walk:
        answers = {**walk.content.answers, **values}
        content = replace(walk.content.unveil(values), answers=answers)
        after = walk.with_content(content)
        if after.assessment.blocked and not after.interrupting_rules:
            typed = domain.to_json(values)
            return walk.with_content(walk.content.unvisit(page.id).leave_open(page.id, typed))
        return after.with_content(replace(content, stops=_stops(after, page.id)))

    return _save(draft, change)


def take_back(*, draft: Draft) -> Walk:
    """'I picked this by mistake': recorded with its time; the answer itself is mended next."""

    def change(walk: Walk) -> Walk:
        return walk.with_content(replace(walk.content, stops=_taken_back(walk.content.stops)))

    return _save(draft, change)


def save_contact(
    *,
    draft: Draft,
    contact: Mapping[str, Any],
    answers: Mapping[str, Any],
    kept: Collection[str] = (),
) -> Walk:
    """Keep who the patient is and how to reach them. `answers` are those it brings along
    (who fills the form in, and the age, for a request without the questionnaire). Of the fields
    in `kept`, which were not shown, what is stored stays. An age in doubt is kept, and Conflict
    and Blocked are raised, like in `save_page`."""

    def change(walk: Walk) -> Walk:
        merged = {**walk.content.answers, **answers}
        stored = {name: said for name, said in walk.content.contact.items() if name in kept}
        content = walk.content.visit(
            CONTACT,
            contact={**contact, **stored},
            answers=merged,
            veiled_contact=tuple(
                name for name in walk.content.veiled_contact if name in (*kept, SAVED_ADDRESS)
            ),
        )
        after = walk.with_content(content)
        if after.assessment.blocked:
            return _unsure(walk, after, CONTACT, {**contact, **answers})
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
        return walk.with_content(walk.content.leave_open(step, typed))

    return _save(draft, change)


def mark_suspicious(*, draft: Draft, why: str) -> Walk:
    """Note a sign that no person fills this in. The person, if it is one, is not held up."""

    def change(walk: Walk) -> Walk:
        signs = dict.fromkeys((*walk.content.suspect, why))
        return walk.with_content(replace(walk.content, suspect=tuple(signs)))

    return _save(draft, change)


def save_for_later(
    *,
    draft: Draft,
    address: str,
    kept: bool = False,
    may_tell: Callable[[], bool] = lambda: True,
) -> str:
    """Save the draft so that a code to `address` opens it elsewhere. Returns its reference.

    `kept` says that the address was not typed but is one given before, which is not shown. The
    reference is given once and becomes the submission's. A message with it goes to the address,
    once in ten minutes, if it `may_tell`: asked only when there is one to send. Raises Conflict.
    """
    at, fresh = timezone.now(), timedelta(minutes=10)
    before = walk_of(draft).content.saved
    again = before.get("address") == address and datetime.fromisoformat(before["at"]) > at - fresh
    tells = not again and may_tell()
    # of what was not told, the next try is the first
    told_at = at if tells or again else at - fresh

    def change(walk: Walk) -> Walk:
        saved = {"address": address, "at": told_at.isoformat()}
        veiled = [name for name in walk.content.veiled_contact if name != SAVED_ADDRESS]
        veiled += [SAVED_ADDRESS] if kept else []
        content = replace(walk.content, saved=saved, veiled_contact=tuple(veiled))
        return walk.with_content(content)

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


def delete(*, draft: Draft) -> None:
    """Delete the draft. What was sent stays sent; only this browser's way to it ends."""
    Draft.objects.filter(pk=draft.pk).delete()


def confirm_age(*, draft: Draft) -> bool:
    """The patient says that the age in doubt is right: delete the draft. False, and nothing is
    deleted, when the draft was changed or sent meanwhile."""
    unchanged = Draft.objects.filter(pk=draft.pk, revision=draft.revision, submission=None)
    return bool(unchanged.delete()[0])
