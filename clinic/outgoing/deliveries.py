"""Take the reports of providers on messages that they accepted: delivered, came back, refused.

Reports come late, twice and in any order, and some are about messages that are deleted or that
another program sent. So a report changes a message only if it says more than what was known.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from clinic.logs import log
from clinic.models import Message
from clinic.outgoing import addresses, results
from clinic.outgoing.addresses import Closed

Delivery = Message.Delivery
_ORDER = {"": 0, **{state: place for place, state in enumerate(Delivery.values, 1)}}
_OURS = re.compile(r"<?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:@[^@>]*>?)?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a provider says of a message.

    `names` are names of the message: its id, its Message-ID, or the name that the provider gave it.
    `closed` is set when the provider says that the address receives nothing more.
    """

    names: tuple[str, ...]
    state: Message.Delivery
    closed: Closed | None = None


def closed(
    address: object, why: Literal["dead", "revoked"], trouble: str, channel: str = "email"
) -> Closed | None:
    """Return the closed address of a report, or None if the report names no address."""
    if not isinstance(address, str) or not address:
        return None
    kind: Literal["email", "sms"] = "sms" if channel == "sms" else "email"
    return Closed(channel=kind, address=address, why=why, trouble=trouble)


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
    others = [name for name in names if name and name not in keys]
    wanted = Q(pk__in=set(keys.values())) | Q(provider_id__in=others)
    if not keys and not others:
        return {}
    rows = dict(Message.objects.filter(wanted).values_list("pk", "provider_id"))
    known = {name: pk for name, pk in keys.items() if pk in rows}
    return known | {name: pk for pk, name in rows.items() if name}


def _record(pk: UUID, report: Report) -> None:
    with transaction.atomic():
        row = Message.objects.select_for_update().filter(pk=pk).first()
        if row is None:
            return
        if report.closed:
            addresses.close(report.closed)
        if _ORDER[report.state] <= _ORDER[row.delivery]:
            return
        Message.objects.filter(pk=pk).update(delivery=report.state)
        if report.state in results.UNDELIVERED:
            log("message came back", level=logging.WARNING, status=str(report.state.value))
            results.fail_sent(message=row, error=report.state.value)
