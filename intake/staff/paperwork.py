"""Say what became of an invitation, and how far the paperwork of a visit is.

This module alone reads the state, from what is stored: the newest letter in the outbox, the draft,
the submission, and the times in the row of the invitation.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import CharField, Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models import Message
from clinic.secrets.sealing import Sealed, SealError
from intake.documents import protocol_of
from intake.domain import route
from intake.draft_content import CONTACT, Content
from intake.models.appointments import Appointment
from intake.models.calls import CallTask
from intake.models.invitations import Invitation, InvitationQuerySet, Part
from intake.models.submissions import Draft, Kind, Submission

LETTER = "invitation"
"""The kind of the message that invites a patient."""


class State(models.TextChoices):
    """What became of an invitation."""

    CALL = "call", gettext_lazy("We owe a call")
    CALLED = "called", gettext_lazy("Told by phone")
    NO_WAY = "no_way", gettext_lazy("No safe way to reach this person")
    WAITING = "waiting", gettext_lazy("Invitation being sent")
    SENT = "sent", gettext_lazy("Invitation sent")
    DELIVERED = "delivered", gettext_lazy("Invitation delivered")
    BOUNCED = "bounced", gettext_lazy("Invitation not delivered")
    OPENED = "opened", gettext_lazy("Opened")
    BEGUN = "begun", gettext_lazy("In progress")
    COMPLETE = "complete", gettext_lazy("Complete")
    STOPPED = "stopped", gettext_lazy("Stopped, and the clinic was told")
    DECLINED = "declined", gettext_lazy("Declined")
    LOCKED = "locked", gettext_lazy("Locked after wrong tries")
    WITHDRAWN = "withdrawn", gettext_lazy("Taken back")
    EXPIRED = "expired", gettext_lazy("Expired")


UNOPENED = frozenset(
    {State.CALL, State.CALLED, State.NO_WAY}
    | {State.WAITING, State.SENT, State.DELIVERED, State.BOUNCED}
)
OPEN = UNOPENED | {State.OPENED, State.BEGUN}
"""The states in which the patient can still answer."""

MARKS = {
    **dict.fromkeys((State.COMPLETE, State.STOPPED), "done"),
    **dict.fromkeys((State.OPENED, State.BEGUN), "begun"),
    **dict.fromkeys((State.WAITING, State.SENT, State.DELIVERED, State.CALLED), "sent"),
    **dict.fromkeys((State.CALL, State.NO_WAY, State.BOUNCED, State.LOCKED), "trouble"),
    **dict.fromkeys((State.DECLINED, State.WITHDRAWN, State.EXPIRED), "none"),
}
"""The mark of each state, as in the style sheet: a shape before the words."""


@dataclass(frozen=True)
class Standing:
    """What became of an invitation, with the words that staff read."""

    state: State
    words: str

    @property
    def mark(self) -> str:
        return MARKS[self.state]

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def html(self) -> str:
        return light(self.mark, self.words)


@dataclass(frozen=True)
class Paperwork:
    """How far the paperwork of a visit is: words and mark of the whole, and of each part."""

    mark: str
    words: str
    parts: tuple[tuple[str, Standing | None], ...]
    # the invitation that the words are about
    invitation: UUID | None = None
    # whether there is a part to which staff can invite
    may_invite: bool = False

    @property
    def html(self) -> str:
        return light(self.mark, self.words)


def light(mark: str, words: str) -> str:
    """Return the paperwork light: a shape and words, so that the colour is not needed."""
    return format_html('<span class="light {}">{}</span>', mark, words)


def with_facts(rows: InvitationQuerySet) -> InvitationQuerySet:
    """Add to the rows what `standing_of` reads, in the same query."""
    occasion = Concat(
        Cast(OuterRef("pk"), CharField()), Value(":"), Cast(OuterRef("letters"), CharField())
    )
    messages = Message.objects.filter(kind=LETTER, occasion=occasion)
    drafts = Draft.objects.filter(pk=OuterRef("draft_id"), submission=None)
    sent = Submission.objects.filter(draft_id=OuterRef("draft_id")).values("kind")
    owed = CallTask.objects.open().filter(
        submission=OuterRef("submission"), reason=CallTask.Reason.INVITED
    )
    found = rows.select_related("appointment__location", "submission")
    return found.defer(
        "submission__answers", "submission__assessment", "submission__search_keys"
    ).annotate(
        message_state=Subquery(messages.values("state")[:1]),
        delivery=Subquery(messages.values("delivery")[:1]),
        delivery_at=Subquery(messages.values("delivery_at")[:1]),
        sent_kind=Subquery(sent[:1]),
        owed=Exists(owed.filter(may_call=True)),
        not_safe=Exists(owed.filter(may_call=False)),
        draft_content=Subquery(drafts.values("content")[:1]),
        draft_protocol=Subquery(drafts.values("protocol_id")[:1]),
        draft_kind=Subquery(drafts.values("kind")[:1]),
    )


def standing_of(row: Any, at: datetime | None = None) -> Standing:
    """Return what became of an invitation. `row` comes from `with_facts`."""
    state = _state_of(row, at or timezone.now())
    if state == State.BEGUN and (page := _page_of(row)):
        words = _("In progress, page %(page)s of %(pages)s")
        return Standing(state, words % {"page": page[0], "pages": page[1]})
    return Standing(state, str(state.label))


def standings(pks: Iterable[UUID]) -> dict[UUID, Standing]:
    """Return what became of these invitations. One query."""
    rows = with_facts(Invitation.objects.filter(pk__in=list(pks)))
    return {row.pk: standing_of(row) for row in rows}


def _state_of(row: Any, at: datetime) -> State:
    has_draft = row.draft_content is not None
    facts = (
        (row.sent_kind == Kind.STOPPED, State.STOPPED),
        (row.sent_kind is not None, State.COMPLETE),
        (row.is_withdrawn, State.WITHDRAWN),
        (row.declined_at is not None, State.DECLINED),
        (row.is_expired(at), State.EXPIRED),
        (row.is_locked, State.LOCKED),
        (has_draft and _has_answers(row), State.BEGUN),
        (row.opened_at is not None, State.OPENED),
        (row.bounced_at is not None or row.message_state == "failed", State.BOUNCED),
        (not row.letters and (row.call_due_at or row.owed), State.CALL),
        (not row.letters and row.not_safe, State.NO_WAY),
        (not row.letters and (row.called_at or row.submission_id), State.CALLED),
        (not row.letters, State.NO_WAY),
        (row.delivery == Message.Delivery.DELIVERED, State.DELIVERED),
        (row.message_state == "waiting", State.WAITING),
    )
    return next((state for is_so, state in facts if is_so), State.SENT)


def _content_of(row: Any) -> dict[str, Any]:
    """Return the unsent draft's content; {} if it cannot be opened."""
    with suppress(SealError):
        sealed = row.draft_content
        field = Draft._meta.get_field("content")
        opened = field.open_for(row.draft_id, sealed) if isinstance(sealed, Sealed) else None
        return dict(opened or {})
    return {}


def _has_answers(row: Any) -> bool:
    return bool(_content_of(row).get("visited"))


def _page_of(row: Any) -> tuple[int, int] | None:
    """Return the number of the page that the patient answers next, and of all pages.

    Which page it is stays unsaid, because the name of a page tells what the patient answered.
    """
    data, protocol = _content_of(row), protocol_of(row.draft_protocol)
    if not data:
        return None
    content = Content.load(protocol, data)
    whole = route.route(protocol, content.answers, si_screen=settings.SI_SCREEN)
    steps = [page.id for page in route.pages_in(protocol.uses, row.draft_kind, whole)]
    steps += [CONTACT] if row.draft_kind == Kind.INTAKE else []
    done = sum(step in content.visited for step in steps)
    return min(done + 1, len(steps)), len(steps)


# --- the paperwork of visits ----------------------------------------------------------------------


def paperwork_of(appointments: Iterable[Appointment]) -> dict[UUID, Paperwork]:
    """Map the id of each visit to its paperwork, for a list of visits. Two queries for all.

    A held time without a patient has no paperwork.
    """
    pks = [row.pk for row in appointments if row.submission_id]
    if not pks:
        return {}
    after = Submission.objects.filter(
        Q(follows=OuterRef("submission")) | Q(follows__follows=OuterRef("submission"))
    )
    rows = Appointment.objects.filter(pk__in=pks).annotate(
        kind=F("submission__kind"),
        lasts=Q(status="confirmed", during__startswith__gt=timezone.now()),
        protocol=F("submission__protocol"),
        form_sent=Exists(after.filter(kind=Kind.INTAKE)),
        part_2_sent=Exists(after.filter(kind=Kind.PART_2)),
    )
    facts = rows.values("pk", "kind", "protocol", "lasts", "form_sent", "part_2_sent")
    newest: dict[tuple[Any, str], Any] = {}
    invited = Invitation.objects.filter(appointment__in=pks).order_by("created_at", "id")
    for row in with_facts(invited):
        newest[row.appointment_id, row.part] = row
    return {fact["pk"]: _paperwork(fact, newest) for fact in facts}


def _paperwork(fact: Mapping[str, Any], newest: Mapping[tuple[Any, str], Any]) -> Paperwork:
    """Sum up the parts of one visit. The first part that is not complete gives the words."""
    sent = {
        Part.FORM: fact["kind"] == Kind.INTAKE or fact["form_sent"],
        Part.PART_2: fact["part_2_sent"],
    }
    asked = [Part.FORM, *([Part.PART_2] if protocol_of(fact["protocol"]).uses.later else [])]
    parts: list[tuple[str, Standing | None]] = []
    first: tuple[Part, Any] | None = None
    for part in asked:
        row = newest.get((fact["pk"], part))
        if sent[part]:
            parts.append((str(part.label), Standing(State.COMPLETE, str(State.COMPLETE.label))))
            continue
        parts.append((str(part.label), standing_of(row) if row else None))
        first = first or (part, row)
    if first is None:
        return Paperwork("done", _("Paperwork complete"), tuple(parts))
    part, row = first
    if row:
        standing = standing_of(row)
        again = fact["lasts"] and not standing.is_open
        return Paperwork(standing.mark, standing.words, tuple(parts), row.pk, again)
    words = _("Not invited") if part == Part.FORM else _("Questions answered")
    mark = "none" if part == Part.FORM else "done"
    return Paperwork(mark, words, tuple(parts), may_invite=fact["lasts"])
