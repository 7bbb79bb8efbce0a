"""Keep what a patient says about safe contact: by which ways, when, and who else may hear.

Each statement is a new row, so that staff see who said what, and when. The rows belong to the first
submission of a chain (`contact.firsts_of`).
"""

from collections.abc import Iterable, Mapping
from datetime import date

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.outgoing import outbox
from intake.domain.stored import PHONE
from intake.errors import Conflict
from intake.models.calls import CallTask
from intake.models.safe_contact import SafeContact
from intake.models.submissions import Submission
from intake.ways import contact, contact_points
from intake.ways.contact import CHANNELS, NO, Channel

WAY_OPEN = "way_open"
"""The letter that says again what no safe way could tell."""
WAYS = (*CHANNELS, "call", "voicemail")
NAMES = frozenset(
    {
        *(*WAYS, "prefer", "hours", "hears"),
        *("language", "interpreter", "proxy", "proxy_until", "words"),
    }
)
"""The names of what a record may say. A way is "yes" or "no", the other values are texts."""


def version_of(record: SafeContact | None) -> str:
    """Return the mark by which a form names the record that its reader saw."""
    return str(record.pk) if record else ""


def record(
    *,
    submission: Submission,
    said: Mapping[str, str],
    source: str,
    seen: str,
    by: User | None = None,
    request_id: str = "",
    opened: Iterable[Channel] = (),
) -> SafeContact:
    """Add a record of what the patient said. Returns the record.

    `said` names only what was said; what the newest record says of the rest still counts. `seen` is
    the mark (`version_of`) of the record that the writer saw. The same statement sent twice is
    stored once. A patient who wants no text messages gets none at this number about any submission.
    `opened` are the channels whose closed address the patient told `by` to open again.
    The calls that staff owe the patient are marked by whether a call is allowed now. News that had
    no safe way goes by a letter if the record opens a way for letters.

    Raises Conflict when another record was added since. Raises ValueError for an unknown name.
    """
    if not NAMES.issuperset(said):
        raise ValueError("This is no part of a record of safe contact.")
    first = contact.firsts_of([submission])[submission.pk]
    with transaction.atomic():
        # one at a time, so that the second of two forms meets the record of the first form
        Submission.objects.select_for_update(of=("self",), no_key=True).get(pk=first)
        newest = contact.newest_records([submission]).get(submission.pk)
        before = newest.said if newest else {}
        whole = before | dict(said)
        if newest and whole == before:
            return newest
        if version_of(newest) != seen:
            raise Conflict(
                _("What the patient allows was changed while you had it open. Read it again.")
            )
        ways_before = contact.reach_of(submission).letters
        row = SafeContact(submission_id=first, source=source, said=whole, by=by, at=timezone.now())
        row.save(force_insert=True)
        actor = audit.staff(by) if by else audit.patient(submission.reference)
        number = submission.person.get(PHONE, "")
        if number and said.get("sms") == NO != before.get("sms"):
            contact_points.revoke(channel="sms", address=number, actor=actor, request_id=request_id)
        addresses = {"email": submission.person.get("email", ""), "sms": number}
        for channel in opened:
            if by and addresses[channel]:
                contact_points.allow_again(
                    channel=channel, address=addresses[channel], by=by, request_id=request_id
                )
        mark_calls(submission)
        if set(contact.reach_of(submission).letters) - set(ways_before):
            tell_what_had_no_way(submission, row.pk)
        audit.record(
            actor=actor,
            action="create",
            subject=str(submission.pk),
            purpose="TREAT" if by else "PATRQT",
            request_id=request_id,
            detail={
                "kind": "safe_contact",
                "fields": sorted(name for name in said if said[name] != before.get(name)),
            },
        )
    return row


def take_over(*, submission: Submission) -> None:
    """Add a record of what the contact step of a following submission says.

    The patient filled in the contact step again, so its statement replaces the earlier one for the
    whole chain. Addresses are left out, because each submission has its own. Called in the
    transaction that sends the submission.
    """
    said = contact.said_of(None, submission.person)
    told = {name: said.get(name, "") for name in ("call", "voicemail", "hears", "hours")}
    newest = contact.newest_records([submission]).get(submission.pk)
    record(
        submission=submission,
        said=told,
        source=SafeContact.Source.FORM,
        seen=version_of(newest),
    )


def mark_calls(submission: Submission) -> None:
    """Mark the open calls to the submission's patient by whether a call is allowed now."""
    chain = chain_of(submission)
    reaches = contact.reaches_of(chain)
    for allowed in (True, False):
        mine = [pk for pk, reach in reaches.items() if reach.may_call == allowed]
        CallTask.objects.open().filter(submission__in=mine).update(may_call=allowed)


def mark_calls_of_the_grown_up() -> int:
    """Mark the calls that nobody may make any more since a patient became 18 years old.

    Runs in the worker, once on each day and after each start. Returns how many were marked.
    """
    global _marked_on
    today = timezone.localdate()
    if _marked_on == today:
        return 0
    rows = Submission.objects.filter(call_tasks__in=CallTask.objects.to_make()).distinct()
    reaches = contact.reaches_of(rows.defer("answers", "assessment"))
    ended = [pk for pk, reach in reaches.items() if reach.is_ended]
    marked = CallTask.objects.to_make().filter(submission__in=ended).update(may_call=False)
    _marked_on = today
    return marked


_marked_on: date | None = None


def tell_what_had_no_way(submission: Submission, occasion: object) -> None:
    """Order a letter to the own page if news still has no safe way, because a way is open now.

    `occasion` names what opened the way. A call that may not be made stays in its list, until the
    patient has opened the page.
    """
    for row in chain_of(submission):
        if CallTask.objects.open().filter(submission=row, may_call=False).exists():
            outbox.put(kind=WAY_OPEN, occasion=f"{row.pk}:{occasion}")


def chain_of(submission: Submission) -> list[Submission]:
    """Return all submissions of the submission's chain."""
    level = {contact.firsts_of([submission])[submission.pk]}
    found = set(level)
    while level:
        later = Submission.objects.filter(follows__in=level).values_list("pk", flat=True)
        level = set(later) - found
        found |= level
    return list(Submission.objects.filter(pk__in=found).defer("answers", "assessment"))
