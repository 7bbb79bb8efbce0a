"""Save what a patient does on a step of the walk: the answers, and what is not an answer yet.

A step is saved by one UPDATE that changes the row only if the draft still has the revision that was
read. So two tabs never overwrite each other: the second tab applies its change to the content that
the first tab has stored.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.ids import new_reference
from clinic.outgoing import outbox
from intake import search
from intake.domain import answers as domain
from intake.domain.definition import QuestionPage
from intake.domain.hearing import asked_anew
from intake.domain.stored import WHO
from intake.domain.triage import Fired
from intake.draft_content import (
    APPOINTMENT,
    CONTACT,
    EMERGENCY,
    SAVE,
    SAVED_ADDRESS,
    Content,
    detail,
)
from intake.errors import AnsweredSince, Blocked, Conflict, Gone
from intake.models.submissions import Draft
from intake.questionnaire import sql
from intake.questionnaire.drafts import walk_of
from intake.questionnaire.walk import CONFIRM_AGE_BELOW, Walk

REMIND_AFTER = timedelta(days=1)
TELLS_ONCE_IN = timedelta(minutes=10)  # how often a saved draft's reference is sent at most
TRIES = 5  # tries to save before Conflict is raised; a patient has two open tabs, not five


def _save(draft: Draft, change: Callable[[Walk], Walk]) -> Walk:
    """Apply `change` to the draft's newest content and store it. Raises Gone and Conflict."""
    for _try in range(TRIES):
        before = walk_of(draft)
        walk = change(before)
        content = walk.content.stamp(before.content, draft.revision + 1)
        walk = walk.with_content(content)
        sealed = Draft._meta.get_field("content").seal_for(draft.pk, walk.content.dump())
        assert sealed is not None  # for mypy: seal_for returns None only for the value None
        keys = search.address_tokens(*walk.content.addresses)
        with connection.cursor() as cursor:
            cursor.execute(
                sql.STORE_DRAFT, [sealed.data, keys, timezone.now(), draft.pk, draft.revision]
            )
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
    *,
    draft: Draft,
    page: QuestionPage,
    values: Mapping[str, Any],
    kept: Collection[str] = (),
    seen: int | None = None,
) -> Walk:
    """Save the answers of one page. Returns the new walk.

    `values` are the valid answers to the page's visible questions. `kept` names questions whose
    answers the page did not show. A question of the page that is neither in `values` nor in `kept`
    loses its answer. An answer given now is no longer hidden by the veil.

    If interrupting rules fire, a stop is recorded with the rules, the page and the time. The stop
    stays recorded even if the patient changes the answer later (rule S18 reads this).

    If the answers forbid going on, no new answer of the page counts. A very low age may be a typing
    error: the age is stored as `unsure`, so that the patient confirms it, and the other answers as
    typed text. Without a very low age, raises Blocked and stores nothing. Raises Conflict.

    `seen` is the revision that the page showed. If the page would change an answer that was given
    since then, raises AnsweredSince and stores nothing, unless the new answers are an emergency:
    an emergency always counts at once.
    """

    def change(walk: Walk) -> Walk:
        asked = {question.id for question in page.questions} - set(kept)
        answers = {q: v for q, v in walk.content.answers.items() if q not in asked} | dict(values)
        content = walk.content.unveil({*asked, *values}).visit(page.id, answers=answers)
        content = _ask_anew(walk, content)
        answers = dict(content.answers)
        depends = walk.uses.contact_agrees_with
        if any(answers.get(q) != walk.content.answers.get(q) for q in depends):
            content = content.unvisit(CONTACT)
        after = walk.with_content(content)
        since = given_since(walk.content, values, asked=asked, seen=seen)
        if since and _emergencies(after) <= _emergencies(walk):
            raise AnsweredSince
        if after.assessment.blocked:
            return _unsure(walk, after, page.id, domain.to_json(values))
        panel = _new_panels(walk, after, page)
        return after.with_content(replace(content, panel=panel, stops=_stops(after, page.id)))

    return _save(draft, change)


def given_since(
    content: Content, given: Mapping[str, Any], *, asked: Iterable[str], seen: int | None
) -> list[str]:
    """Return the names in `asked` whose values changed after revision `seen` and differ in `given`.

    The names are those of `Content.given`. `seen` is None for a page that does not say what it
    showed. Then no name is returned.
    """
    if seen is None:
        return []
    now = content.given
    return [
        name
        for name in asked
        if content.changed.get(name, 0) > seen and now.get(name) != given.get(name)
    ]


def _emergencies(walk: Walk) -> set[str]:
    """Return the rules that stop the form, and the rules that ask about words of danger."""
    return {fired.id for fired in walk.assessment.fired if fired.interrupt in (True, "ask")}


def _unsure(walk: Walk, after: Walk, step: str, typed: Mapping[str, Any]) -> Walk:
    """Return `walk` with the age in `after` marked as an age that the patient must confirm.

    Raises Blocked for an age from CONFIRM_AGE_BELOW on, because this age need not be confirmed.
    """
    age = after.known.get(walk.uses.age)
    if not isinstance(age, int) or age >= CONFIRM_AGE_BELOW:
        raise Blocked(after.assessment)
    unsure = {"step": step, "age": age}
    return walk.with_content(walk.content.leave_open(step, typed, unsure=unsure))


def _ask_anew(walk: Walk, content: Content) -> Content:
    """Return the content without the answers about words of danger whose text has changed."""
    anew = asked_anew(walk.protocol, walk.content.answers, content.answers)
    answers = {id: v for id, v in content.answers.items() if id not in {q.id for q in anew}}
    for question in anew:
        content = content.unvisit(walk.protocol.page_of(question.id).id)
    return replace(content, answers=answers)


def _new_panels(walk: Walk, after: Walk, page: QuestionPage) -> tuple[str, ...]:
    """Return the rules for the next page's panels: those that fire in `after` but not in `walk`.

    A page that asks about words of danger shows no panels, so the next page shows them.
    """
    panels = [fired.id for fired in after.assessment.fired if is_panel(fired)]
    before = {fired.id for fired in walk.assessment.fired} if panels else set()
    if any(question.about for question in page.questions):
        before -= set(walk.content.panel)
    return tuple(rule for rule in panels if rule not in before)


def is_panel(fired: Fired) -> bool:
    """Whether the next page shows the rule's advice: for level same_day, or as `interrupt` says."""
    return fired.level == "same_day" or fired.interrupt in ("panel", "ask")


def _stops(walk: Walk, step: str) -> tuple[Mapping[str, Any], ...]:
    """Return the stops after Continue on `step`.

    If interrupting rules fire, a stop is added, unless the last stop is the same. If no rule fires
    any more, all stops are marked as retracted.
    """
    stops, rules = walk.content.stops, [rule.id for rule in walk.interrupting_rules]
    if not rules:
        return _retracted(stops)
    if stops and stops[-1]["rules"] == rules and not stops[-1]["retracted"]:
        return stops
    stop = {"rules": rules, "page": step, "at": timezone.now().isoformat(), "retracted": None}
    return (*stops, stop)


def _retracted(stops: tuple[Mapping[str, Any], ...]) -> tuple[Mapping[str, Any], ...]:
    """Return the stops, each with a time of retraction: its own, or now if it has none."""
    now = timezone.now().isoformat()
    return tuple({**stop, "retracted": stop["retracted"] or now} for stop in stops)


def keep_recognised(
    *,
    draft: Draft,
    page: QuestionPage,
    values: Mapping[str, Any],
    posted: Mapping[str, Sequence[str]] | None = None,
    seen: int | None = None,
    **about: Any,
) -> Walk:
    """Save the answers that can be read on a page that was left early or has errors.

    The page does not count as done. Answers that forbid going on are stored as typed text only, so
    that they do not count and the page shows them again. With `posted`, the page comes back as it
    was posted (see `give_back`). An answer that was given after revision `seen` stays as it is, as
    in `save_page`. Raises Conflict.
    """

    def change(walk: Walk) -> Walk:
        after = _with_recognised(walk, page, values)
        since = given_since(walk.content, values, asked=values, seen=seen)
        if since and _emergencies(after) <= _emergencies(walk):
            after = _with_recognised(
                walk, page, {q: value for q, value in values.items() if q not in since}
            )
        if posted is None:
            return after
        return after.with_content(after.content.give_back(page.id, posted, **about))

    return _save(draft, change)


def _with_recognised(walk: Walk, page: QuestionPage, values: Mapping[str, Any]) -> Walk:
    """Return `walk` with those answers of an unfinished page that can be read."""
    answers = {**walk.content.answers, **values}
    content = replace(walk.content.unveil(values), answers=answers)
    content = _ask_anew(walk, content.without_returned(page.id, EMERGENCY))
    after = walk.with_content(content)
    if after.assessment.blocked and not after.interrupting_rules:
        typed = domain.to_json(values)
        return walk.with_content(walk.content.unvisit(page.id).leave_open(page.id, typed))
    return after.with_content(replace(content, stops=_stops(after, page.id)))


def retract_emergency(*, draft: Draft) -> Walk:
    """Record that the patient pressed 'I picked this by mistake', and when.

    After that, the patient may correct the answer.
    """

    def change(walk: Walk) -> Walk:
        content = walk.content.without_returned(EMERGENCY)
        return walk.with_content(replace(content, stops=_retracted(content.stops)))

    return _save(draft, change)


def keep_intention(*, draft: Draft, intention: str) -> Walk:
    """Record with the last stop what the patient, who is not calling, means to do."""

    def change(walk: Walk) -> Walk:
        *earlier, last = walk.content.stops or ({},)
        stops = (*earlier, {**last, "intention": intention}) if last else ()
        return walk.with_content(replace(walk.content, stops=stops))

    return _save(draft, change)


def save_contact(
    *,
    draft: Draft,
    contact: Mapping[str, Any],
    answers: Mapping[str, Any],
    kept: Collection[str] = (),
    asked: Collection[str] = (),
    seen: int | None = None,
) -> Walk:
    """Save the patient's identity and contact.

    `answers` has who fills in the form, and the age. Only the contact step of a request for a visit
    asks for these two answers; on other walks `answers` is empty. The fields in `kept` were not
    shown and keep their stored values. `asked` names what the page asked for, by the names of
    `Content.given`. `seen`, a very low age and the errors are as in `save_page`.
    """

    def change(walk: Walk) -> Walk:
        merged = {**walk.content.answers, **answers}
        stored = {name: value for name, value in walk.content.contact.items() if name in kept}
        content = walk.content.visit(
            CONTACT,
            contact={**contact, **stored},
            answers=merged,
            veiled_contact=tuple(
                name for name in walk.content.veiled_contact if name in (*kept, SAVED_ADDRESS)
            ),
        )
        if given_since(walk.content, content.given, asked=asked, seen=seen):
            raise AnsweredSince
        after = walk.with_content(content)
        if after.assessment.blocked:
            typed = {**contact, WHO: answers.get(walk.uses.who.q)}
            return _unsure(walk, after, CONTACT, typed)
        return after

    return _save(draft, change)


def save_wish(*, draft: Draft, wish: Mapping[str, Any], seen: int | None = None) -> Walk:
    """Save the appointment that the patient wishes for. `seen` is as in `save_page`.

    Raises AnsweredSince, Conflict and Gone.
    """

    def change(walk: Walk) -> Walk:
        content = walk.content.visit(APPOINTMENT, wish=dict(wish))
        asked = [detail(APPOINTMENT, name) for name in wish]
        if given_since(walk.content, content.given, asked=asked, seen=seen):
            raise AnsweredSince
        return walk.with_content(content)

    return _save(draft, change)


def give_back(
    *, draft: Draft, step: str, posted: Mapping[str, Sequence[str]], **about: Any
) -> Walk:
    """Keep everything that was posted on a step, which comes back to the patient.

    `about` is described at `Content.give_back`. No answer changes. Raises Conflict and Gone.
    """

    def change(walk: Walk) -> Walk:
        return walk.with_content(walk.content.give_back(step, posted, **about))

    return _save(draft, change)


def mark_suspicious(*, draft: Draft, why: str) -> Walk:
    """Note a sign that a bot fills in the draft. The person or bot can go on nevertheless."""

    def change(walk: Walk) -> Walk:
        signs = dict.fromkeys((*walk.content.suspect, why))
        return walk.with_content(replace(walk.content, suspect=tuple(signs)))

    return _save(draft, change)


def save_for_later(
    *,
    draft: Draft,
    address: str,
    kept: bool = False,
    remind: bool = True,
    may_tell: Callable[[], bool] = lambda: True,
) -> str:
    """Save the draft so that a code sent to `address` opens it elsewhere. Returns its reference.

    `kept` means that the patient left the box blank, so that `address` is the stored address, which
    the page did not show. The submission will have the same reference as the draft. A message with
    the reference is sent to the address at most once in ten minutes; `may_tell` is called when a
    message is due and decides whether it is sent. With `remind`, the patient is reminded once, a
    day after the last answer. Raises Conflict.
    """
    at, fresh = timezone.now(), TELLS_ONCE_IN
    before = walk_of(draft).content.saved
    was_told = (
        before.get("address") == address and datetime.fromisoformat(before["at"]) > at - fresh
    )
    tells = not was_told and may_tell()
    # if no message is sent, the ten minutes do not begin, so the next save may send a message
    told_at = at if tells or was_told else at - fresh

    def change(walk: Walk) -> Walk:
        saved = {"address": address, "at": told_at.isoformat()}
        veiled = [name for name in walk.content.veiled_contact if name != SAVED_ADDRESS]
        veiled += [SAVED_ADDRESS] if kept else []
        content = replace(walk.content, saved=saved, veiled_contact=tuple(veiled))
        content = content.without_returned(SAVE)
        return walk.with_content(content)

    with transaction.atomic():
        _save(draft, change)
        Draft.objects.filter(pk=draft.pk, reference=None).update(reference=new_reference())
        Draft.objects.filter(pk=draft.pk).update(remind_at=at + REMIND_AFTER if remind else None)
        if tells:
            outbox.put(kind="saved", occasion=f"{draft.pk}:{draft.revision}")
    draft.refresh_from_db()
    return str(draft.reference)
