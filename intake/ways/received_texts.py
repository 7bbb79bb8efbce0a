"""Deal with what people text to the clinic's number: revoke, open again, or put on the call list.

Nobody reads these texts at night. So a number gets one fixed answer in some hours, which says whom
to call, and words of danger alert staff like words of danger in a patient's message.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from clinic import audit, hours
from clinic.models import Message
from clinic.outgoing import outbox, texts_in
from clinic.outgoing.outbox import Order
from clinic.outgoing.texts_in import TextIn
from clinic.secrets.sealing import keyed
from intake.domain.text_words import Meaning, meaning
from intake.domain.triage import rule_for_text
from intake.models.received_texts import ReceivedText
from intake.protocols import served
from intake.ways import alarms, contact_points, on_call
from intake.wording.received_texts import nobody_reads_words, stopped_words

SMS = "sms"
APART = timedelta(hours=6)  # between two fixed answers to one number
LONGEST = 2_000  # letters of a text that are kept
STILL_WAITS = "text_waits"  # the kind of the letter about an alarm that nobody has dealt with


@texts_in.when_text_arrives
def take(*, text: TextIn) -> str | None:
    """Store a text to our number and do what it asks for. Returns the answer, or None.

    A text that the provider reports again is neither stored nor answered again. Of a number that
    sends too many texts, only a first alarm and a text with a wish are stored.
    """
    words = text.words.replace("\0", "")
    meant, alarm, key = meaning(words), _alarm_of(words), keyed(SMS, text.number.encode())
    with transaction.atomic():
        if ReceivedText.objects.filter(provider_id=text.provider_id[:80]).exists():
            return None
        rows = ReceivedText.objects.filter(key=key)
        is_new_alarm = alarm and not rows.open().filter(alarm=True).exists()
        if text.is_flood and not is_new_alarm and meant == Meaning.OTHER:
            return None
        row = ReceivedText(
            provider_id=text.provider_id[:80],
            key=key,
            words={"number": text.number, "text": words[:LONGEST], "alarm": alarm},
            pictures=min(text.pictures, 100),
            meaning=meant,
            alarm=bool(alarm),
            at=timezone.now(),
        )
        answer = _answer(row, text)
        if meant in (Meaning.STOP, Meaning.START) and not alarm:
            row.settled_at = row.at
        row.save(force_insert=True)
        if is_new_alarm:
            alarms.order(communication=row.pk, at=row.at)
            on_call.order(row.at, None)
        _record(row, audit.system("texts"), "create")
    return answer


def settle(*, texts: Iterable[UUID], by: User, request_id: str) -> int:
    """Take texts off the call list, because `by` has dealt with them. Returns how many. Idempotent.

    Locks the rows in their order, so that two members of staff settle each text once.
    """
    with transaction.atomic():
        rows = ReceivedText.objects.open().filter(pk__in=list(texts)).order_by("pk")
        found = list(rows.select_for_update())
        for row in found:
            row.settled_at, row.settled_by = timezone.now(), by
            row.save(update_fields=["settled_at", "settled_by"])
            _record(row, audit.staff(by), "state", request_id)
    return len(found)


def escalate(*, limit: int = 50) -> int:
    """Order a letter to all staff about each alarm that waits for ESCALATE_MINUTES of opening time.

    Runs each minute. There is one such letter about a text. Returns how many letters were ordered.
    """
    now, wait = timezone.now(), timedelta(minutes=settings.ESCALATE_MINUTES)
    told = Message.objects.filter(kind=STILL_WAITS).values_list("occasion", flat=True)
    rows = ReceivedText.objects.open().filter(alarm=True, at__lt=now - wait)
    rows = rows.exclude(pk__in=list(told)).order_by("at")[:limit]
    waiting = [row for row in rows if hours.usual().add_open(row.at, wait) <= now]
    with transaction.atomic():
        outbox.put_all(Order(kind=STILL_WAITS, occasion=str(row.pk)) for row in waiting)
    return len(waiting)


def _answer(row: ReceivedText, text: TextIn) -> str | None:
    """Do what the text asks for. Returns what to answer the number."""
    given = {"channel": SMS, "address": text.number, "actor": audit.system("texts")}
    meant = Meaning(row.meaning)
    if meant == Meaning.START:
        contact_points.consent_again(**given)
        return None
    if meant.revokes:
        is_new = contact_points.revoke(**given)
        if not row.alarm:
            # one confirmation at most (47 CFR 64.1200(a)(12)), unless the provider has sent it
            return stopped_words() if is_new and not text.is_answered else None
    # only an emergency is answered after a revocation
    if not row.alarm and not contact_points.is_open(SMS, text.number):
        return None
    if ReceivedText.objects.filter(key=row.key, answered_at__gt=row.at - APART).exists():
        return None
    row.answered_at = row.at
    return nobody_reads_words()


def _alarm_of(words: str) -> str:
    """Return the id of the most urgent rule that the text fires in a served protocol, or ''."""
    rules = [(protocol, rule_for_text(protocol, words)) for protocol in served()]
    found = [(protocol.level(rule.level).rank, rule.id) for protocol, rule in rules if rule]
    return max(found, default=(0, ""))[1]


def _record(row: ReceivedText, actor: str, action: str, request_id: str = "") -> None:
    audit.record(
        actor=actor,
        action=action,
        subject=str(row.pk),
        purpose="TREAT",
        request_id=request_id,
        detail={"kind": "received_text", "to": row.meaning if action == "create" else "settled"},
    )
