"""Take the reports of providers on messages that they accepted: delivered, came back, refused.

Reports come late, twice and in any order, and some are about messages that are deleted or that
another program sent. So a report changes a message only if it says more than what was known.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from clinic.logs import log
from clinic.models import Message
from clinic.outgoing import addresses, results
from clinic.outgoing.addresses import Closed

Delivery, State = Message.Delivery, Message.State
_OURS = re.compile(r"<?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:@[^@>]*>?)?", re.ASCII)
LONGEST_NAME = 80
# The report after which no other counts: a mail may come back after a server took it, but a text
# that a phone has is there.
_FINAL = {"email": Delivery.UNDELIVERED, "sms": Delivery.DELIVERED}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a provider says of a message that it accepted.

    `names` are names of the message: its id, its Message-ID, or the name that the provider gave it.
    `delivery` is '' for a report that decides nothing yet. `trouble` is a code, such as "bounced".
    `closed` is set when the provider says that the address receives nothing more.
    """

    names: tuple[str, ...]
    delivery: Message.Delivery
    trouble: str = ""
    closed: Closed | None = None


def record_all(reports: Iterable[Report]) -> None:
    """Store what a mail provider's reports say, however many there are.

    What says nothing new costs nothing, and neither do reports about unknown messages. The good
    news of all messages is stored at once, and each lost message in a transaction of its own.
    """
    reports = list(reports)
    known = _known({name for report in reports for name in report.names})
    good: dict[tuple[str, str], set[UUID]] = {}
    for report in reports:
        row = next((known[name] for name in report.names if name in known), None)
        if row is None or not (report.closed or _is_news(row, report.delivery, report.trouble)):
            continue
        if report.closed or report.delivery == Delivery.UNDELIVERED:
            record(
                message_id=row.pk,
                delivery=report.delivery,
                trouble=report.trouble,
                closed=report.closed,
            )
        else:
            good.setdefault((report.delivery, report.trouble), set()).add(row.pk)
    for (delivery, trouble), keys in good.items():
        _record_good(keys, delivery, trouble)


def _known(names: set[str]) -> Mapping[str, Message]:
    """Map the names of messages that exist to the messages, in one query."""
    keys = {name: UUID(found[1]) for name in names if (found := _OURS.fullmatch(name))}
    others = [name for name in names - keys.keys() if 0 < len(name) <= LONGEST_NAME]
    if not keys and not others:
        return {}
    wanted = Q(pk__in=set(keys.values())) | Q(provider_id__in=others)
    stored = Message.objects.filter(wanted).only("provider_id", "delivery", "delivery_trouble")
    rows = {row.pk: row for row in stored}
    known = {name: rows[pk] for name, pk in keys.items() if pk in rows}
    return known | {row.provider_id: row for row in rows.values() if row.provider_id}


def _record_good(keys: set[UUID], delivery: str, trouble: str) -> None:
    """Store of several messages that they are delivered, or delayed on the way."""
    with transaction.atomic():
        rows = Message.objects.filter(pk__in=keys).order_by("pk")  # so that no two batches deadlock
        news = [
            row
            for row in rows.only("state", "delivery", "delivery_trouble").select_for_update()
            if _is_news(row, delivery, trouble)
        ]
        told = Message.objects.filter(pk__in=[row.pk for row in news])
        told.update(delivery=delivery, delivery_trouble=trouble, delivery_at=Now())
        if delivery == Delivery.DELIVERED:
            # the last try ended without an answer, but the provider had accepted the message
            told.filter(state=State.FAILED).update(state=State.SENT, error="")


def _is_news(row: Message, delivery: str, trouble: str, channel: str = "email") -> bool:
    """Return whether a report says more of a message than the reports before."""
    final = _FINAL[channel]
    stored = _weight(row.delivery, row.delivery_trouble, final)
    return _weight(delivery, trouble, final) > stored


def record(
    *,
    message_id: UUID,
    delivery: str,
    trouble: str = "",
    provider_id: str = "",
    closed: Closed | None = None,
    channel: Literal["email", "sms"] = "email",
) -> None:
    """Store a report about one message; see `Report`. Does nothing if the message is unknown.

    The first report that a message is lost has the consequences of a message that could not be sent
    (`outbox.when_unsent`), in the same transaction.
    """
    with transaction.atomic():
        rows = Message.objects.filter(pk=message_id)
        row = rows.select_for_update().first()
        if row is None:
            return
        if closed:
            addresses.close(closed)
        if provider_id and not row.provider_id:
            rows.update(provider_id=provider_id)
        if not _is_news(row, delivery, trouble, channel):
            return
        rows.update(delivery=delivery, delivery_trouble=trouble, delivery_at=Now())
        if delivery == Delivery.UNDELIVERED:
            log("message not delivered", status=trouble.replace(" ", "-"))
            results.fail_sent(message=row, error=trouble or delivery)
        elif delivery == Delivery.DELIVERED and row.state == State.FAILED:
            # the last try ended without an answer, but the provider had accepted the message
            rows.update(state=State.SENT, error="")


def _weight(delivery: str, trouble: str, final: str) -> tuple[int, bool]:
    return bool(delivery) + (delivery == final), bool(trouble)
