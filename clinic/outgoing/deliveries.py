"""Take the reports of providers on messages that they accepted: delivered, came back, refused.

Reports come late, twice and in any order, and some are about messages that are deleted or that
another program sent. So a report changes a message only if it says more than what was known.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


def record_all(reports: Iterable[Report]) -> int:
    """Store what the reports say, each in a transaction. Returns how many are about our messages.

    A report about an unknown message is ignored, and costs no query of its own.
    """
    reports = list(reports)
    known = _known({name for report in reports for name in report.names})
    ours = 0
    for report in reports:
        pk = next((known[name] for name in report.names if name in known), None)
        if pk is not None:
            ours += 1
            _record(pk, report)
    return ours


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


def _record(pk: UUID, report: Report) -> None:
    """Store a report. A lost message stays lost, and a delivered one is not delayed any more."""
    with transaction.atomic():
        row = Message.objects.select_for_update().filter(pk=pk).first()
        if row is None:
            return
        if report.closed:
            addresses.close(report.closed)
        if _weight(report.delivery, report.trouble) <= _weight(row.delivery, row.delivery_trouble):
            return
        rows = Message.objects.filter(pk=pk)
        told = {"delivery": report.delivery, "delivery_trouble": report.trouble}
        rows.update(delivery_at=Now(), **told)
        if report.delivery == Delivery.UNDELIVERED:
            log("message not delivered", status=report.trouble.replace(" ", "-"))
            results.fail_sent(message=row, error=report.trouble)
        elif report.delivery == Delivery.DELIVERED and row.state == State.FAILED:
            # the last try ended without an answer, but the provider had accepted the message
            rows.update(state=State.SENT, error="")


def _weight(delivery: str, trouble: str) -> tuple[int, bool]:
    return Delivery.values.index(delivery), bool(trouble)
