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
    """Store what the reports say, each in a transaction.

    A report about an unknown message is ignored, and costs no query of its own.
    """
    reports = list(reports)
    known = _known({name for report in reports for name in report.names})
    for report in reports:
        pk = next((known[name] for name in report.names if name in known), None)
        if pk is not None:
            record(
                message_id=pk,
                delivery=report.delivery,
                trouble=report.trouble,
                closed=report.closed,
            )


def _known(names: set[str]) -> Mapping[str, UUID]:
    """Map the names of messages that exist to the ids of the messages, in one query."""
    keys = {name: UUID(found[1]) for name in names if (found := _OURS.fullmatch(name))}
    others = [name for name in names - keys.keys() if 0 < len(name) <= LONGEST_NAME]
    if not keys and not others:
        return {}
    wanted = Q(pk__in=set(keys.values())) | Q(provider_id__in=others)
    rows = dict(Message.objects.filter(wanted).values_list("pk", "provider_id"))
    known = {name: pk for name, pk in keys.items() if pk in rows}
    return known | {name: pk for pk, name in rows.items() if name}


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
        final = _FINAL[channel]
        stored = _weight(row.delivery, row.delivery_trouble, final)
        if _weight(delivery, trouble, final) <= stored:
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
