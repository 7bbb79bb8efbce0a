"""Put messages of the kind 'note', which only tests know, make them due, and read them back."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from clinic.models import Message
from clinic.outgoing import outbox

MINUTES = [1, 5, 15, 60, 240]


def put(occasion: str = "one", **order: Any) -> Message:
    with transaction.atomic():
        outbox.put(kind="note", occasion=occasion, **order)
    return Message.objects.get(occasion=occasion)


def soon(message: Message) -> None:
    """Make the next try of the message due now."""
    Message.objects.filter(pk=message.pk).update(next_at=timezone.now() - timedelta(seconds=1))


def now(message: Message) -> Message:
    """Return the message as it is stored now."""
    return Message.objects.get(pk=message.pk)
