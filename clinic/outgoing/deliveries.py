"""Store what a provider reports after it has accepted a message: delivered, or not delivered."""

from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from clinic.logs import log
from clinic.models import Message
from clinic.outgoing import outbox

Delivery, State = Message.Delivery, Message.State


def record(
    *, message_id: UUID, provider_id: str, delivery: str = "", trouble: str = ""
) -> Message | None:
    """Store a report about a message. Returns the message, or None if it is not known.

    `delivery` is '' for a report that decides nothing yet. Reports may come twice, in any order,
    and before the worker has stored that the message was sent. A message that is delivered stays
    delivered. The first report that a message is lost has the consequences of a message that could
    not be sent (`outbox.when_unsent`), in the same transaction.
    """
    with transaction.atomic():
        message = Message.objects.select_for_update().filter(pk=message_id).first()
        if message is None:
            return None
        if not message.provider_id:
            message.provider_id = provider_id
        is_news = delivery and message.delivery not in (Delivery.DELIVERED, delivery)
        if is_news:
            message.delivery, message.delivery_trouble = delivery, trouble
            message.delivery_at = Now()
        if delivery == Delivery.DELIVERED and message.state == State.FAILED:
            # the last try ended without an answer, but the provider had accepted the message
            message.state, message.error = State.SENT, ""
        message.save()
        if is_news and delivery == Delivery.UNDELIVERED and message.state != State.FAILED:
            outbox.follow_up(message)
            log("message not delivered", status=trouble.replace(" ", "-"))
    return message
