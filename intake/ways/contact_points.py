"""Keep what the clinic learned about an e-mail address or a phone number for text messages.

An address is closed when its owner wants no more letters, or when a provider refuses it for good. A
closed address stays closed for every submission that contains it, until staff open it again.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from clinic import audit
from clinic.outgoing import addresses
from clinic.outgoing.addresses import Closed
from clinic.secrets.sealing import keyed
from intake import mail_address
from intake.models.contact_points import ContactPoint


def key_of(channel: str, address: str) -> bytes:
    """Return the keyed hash by which the state of an address is stored.

    All spellings of one mail address, and one number with or without an extension, have one hash.
    """
    if channel == ContactPoint.Channel.EMAIL:
        plain = min(mail_address.spellings(address.strip()))
    else:
        plain = address.partition(";")[0].strip()
    return keyed(f"contact point {channel}", plain.encode())


def states_of(addresses: Iterable[tuple[str, str]]) -> dict[tuple[str, str], ContactPoint]:
    """Map pairs of channel and address to their state, in one query.

    An address of which the clinic learned nothing is left out.
    """
    keys = {key_of(*each): each for each in addresses}
    rows = ContactPoint.objects.filter(key__in=list(keys)) if keys else ()
    return {keys[bytes(row.key)]: row for row in rows}


def state_of(channel: str, address: str) -> ContactPoint | None:
    """Return the state of an address, or None if the clinic learned nothing of the address."""
    return states_of([(channel, address)]).get((channel, address))


@addresses.when_asked
def is_open(channel: str, address: str) -> bool:
    """Whether letters may be sent to an address."""
    state = state_of(channel, address)
    return state is None or state.is_open


def revoke(*, channel: str, address: str, actor: str, request_id: str = "") -> bool:
    """Send nothing more to an address, because its owner wants no more letters.

    Returns whether the address was not revoked before. `actor` is a name for the audit trail.
    """
    return _set(channel, address, actor, request_id, "revoked_at")


def mark_dead(
    *, channel: str, address: str, trouble: str, actor: str, request_id: str = ""
) -> bool:
    """Send nothing more to an address that a provider refuses for good.

    `trouble` is the code of the refusal, never the provider's text. Returns whether the address was
    not dead before.
    """
    return _set(channel, address, actor, request_id, "dead_at", trouble=trouble)


@addresses.when_closed
def keep(closed: Closed) -> None:
    """Keep what a provider said about an address: dead, or its owner wants no more letters."""
    given = {"channel": closed.channel, "address": closed.address}
    if closed.why == "revoked":
        revoke(**given, actor=audit.system("outbox"))
    else:
        mark_dead(**given, trouble=closed.trouble, actor=audit.system("outbox"))


def verify(*, channel: str, address: str, actor: str, request_id: str = "") -> bool:
    """Keep that the patient typed a code that was sent to an address.

    Returns whether the address was not verified before.
    """
    return _set(channel, address, actor, request_id, "verified_at")


def allow_again(*, channel: str, address: str, by: User, request_id: str) -> bool:
    """Open a closed address, because its owner told `by` that letters may be sent again.

    Returns whether the address was closed.
    """
    with transaction.atomic():
        rows = ContactPoint.objects.filter(key=key_of(channel, address)).select_for_update()
        row = rows.first()
        if row is None or row.is_open:
            return False
        row.revoked_at = row.dead_at = None
        row.trouble = ""
        row.save(update_fields=["revoked_at", "dead_at", "trouble"])
        _record(row, audit.staff(by), request_id, "opened")
    return True


def consent_again(*, channel: str, address: str, actor: str, request_id: str = "") -> bool:
    """Open an address that its owner had closed, because the owner asked for letters again.

    An address that a provider refuses stays closed. Returns whether the address was revoked.
    """
    with transaction.atomic():
        rows = ContactPoint.objects.filter(key=key_of(channel, address)).select_for_update()
        row = rows.first()
        if row is None or row.revoked_at is None:
            return False
        row.revoked_at = None
        row.save(update_fields=["revoked_at"])
        _record(row, actor, request_id, "opened")
    return True


def _set(channel: str, address: str, actor: str, request_id: str, column: str, **more: Any) -> bool:
    key = key_of(channel, address)
    # providers repeat their reports, and this costs no lock
    if ContactPoint.objects.filter(key=key, **{f"{column}__isnull": False}).exists():
        return False
    with transaction.atomic():
        new = ContactPoint(channel=channel, key=key)
        ContactPoint.objects.bulk_create([new], ignore_conflicts=True)
        row = ContactPoint.objects.select_for_update().get(key=key)
        if getattr(row, column) is not None:
            return False
        setattr(row, column, timezone.now())
        for name, value in more.items():
            setattr(row, name, value)
        row.save(update_fields=[column, *more])
        _record(row, actor, request_id, column.removesuffix("_at"))
    return True


def _record(row: ContactPoint, actor: str, request_id: str, state: str) -> None:
    audit.record(
        actor=actor,
        action="state",
        subject=str(row.pk),
        purpose="TREAT",
        request_id=request_id,
        detail={"kind": "contact_point", "to": state},
    )
