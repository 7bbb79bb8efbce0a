"""Read the reports of mail providers on the mails that they accepted, with django-anymail.

anymail checks that the provider sent a report, and reads it. We take its events at once and not
from its signal, because a report holds up to a thousand events and one query finds their messages.
anymail is imported here when it is needed: the import is slow, and most servers need it rarely.
"""

import re
import warnings
from collections.abc import Mapping
from copy import copy
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.module_loading import import_string

from clinic.models import Message
from clinic.outgoing import dead
from clinic.outgoing.addresses import Closed
from clinic.outgoing.deliveries import Report
from clinic.outgoing.outbox import METADATA

if TYPE_CHECKING:
    from anymail.signals import AnymailTrackingEvent

Delivery = Message.Delivery
# provider → the view of anymail that reads its reports
VIEWS = {
    "brevo": "BrevoTrackingWebhookView",
    "mailersend": "MailerSendTrackingWebhookView",
    "mailgun": "MailgunTrackingWebhookView",
    "mailjet": "MailjetTrackingWebhookView",
    "mailtrap": "MailtrapTrackingWebhookView",
    "mandrill": "MandrillCombinedWebhookView",
    "postal": "PostalTrackingWebhookView",
    "postmark": "PostmarkTrackingWebhookView",
    "resend": "ResendTrackingWebhookView",
    "sendgrid": "SendGridTrackingWebhookView",
    "sparkpost": "SparkPostTrackingWebhookView",
    "unisender_go": "UnisenderGoTrackingWebhookView",
}
# anymail's type of an event → what became of the mail, and our code for it
_MEANINGS = {
    "delivered": (Delivery.DELIVERED, ""),
    "deferred": (Delivery.UNKNOWN, "deferred"),
    "bounced": (Delivery.UNDELIVERED, "bounced"),
    "rejected": (Delivery.UNDELIVERED, "rejected"),
    "failed": (Delivery.UNDELIVERED, "rejected"),
    "complained": (Delivery.UNDELIVERED, "complained"),
    "unsubscribed": (Delivery.DELIVERED, "unsubscribed"),
}
# A bounce that anymail does not tell from a hard one: where the provider says so, and with which
# words. Postal does not say whether a bounce is final.
_SOFT = {
    "brevo": (("event",), r"soft_bounce"),
    "mailersend": (("data", "type"), r"soft_bounced"),
    "mailjet": (("hard_bounce",), r"False|0"),
    "mandrill": (("event",), r"soft_bounce"),
    "postal": (("payload", "bounce"), r".+"),
    "postmark": (("Type",), r"SoftBounce"),
    "resend": (("data", "bounce", "type"), r"Transient|Undetermined"),
    "sendgrid": (("type",), r"blocked|expired"),
    "sparkpost": (("msys", "message_event", "bounce_class"), r"(?!(10|30)$)\d+"),
    "unisender_go": (("delivery_info", "delivery_status"), r"err_(mailbox_full|too_large|lost)"),
}
# The provider does not try addresses with one of these reasons again. Other reasons, such as a
# block, speak of the sender or of the mail.
_OF_THE_ADDRESS = ("invalid", "bounced")


class Unchecked(Exception):
    """The reports of this provider cannot be checked, so none are taken. The text says why."""


def view_of(provider: str) -> Any:
    """Return anymail's view for the reports of a provider. Raises Unchecked."""
    if provider not in VIEWS:
        raise Unchecked(f"{provider or 'a mail server'} sends no reports that the program can read")
    try:
        view = _view(provider, tuple(sorted(settings.ANYMAIL.items())))
    except Exception as error:  # a setting is missing, or a key is malformed
        raise Unchecked(f"the settings in EMAIL_URL are refused: {type(error).__name__}") from None
    has_no_key = getattr(view, "webhook_key", "") is None  # Mandrill's, which must be there
    if has_no_key or (not view.basic_auth and view.warn_if_no_basic_auth):
        raise Unchecked("EMAIL_URL has neither WEBHOOK_SECRET nor a key for signatures")
    return copy(view)


@lru_cache(maxsize=1)
def _view(provider: str, _settings: tuple[tuple[str, Any], ...]) -> Any:
    given = {}
    if provider == "mandrill" and "MANDRILL_WEBHOOK_URL" not in settings.ANYMAIL:
        # Mandrill signs the address, too. The host of the request is not to be trusted.
        given["webhook_url"] = settings.SITE_ORIGIN + reverse("webhook_mail", args=[provider])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # view_of refuses what anymail only warns of
        return import_string(f"anymail.webhooks.{provider}.{VIEWS[provider]}")(**given)


def is_genuine(request: HttpRequest) -> bool:
    """Return whether the provider of EMAIL_URL sent a report."""
    match = request.resolver_match
    if match is None or match.kwargs["provider"] != settings.EMAIL_PROVIDER:
        return False
    try:
        view_of(settings.EMAIL_PROVIDER).run_validators(request)
    except Exception:  # a forged report may be anything, also something that breaks the check
        return False
    return True


def reports_of(request: HttpRequest) -> list[Report]:
    """Read the events of a genuine report that tell what became of a mail.

    Raises ValueError for a body that is not a report.
    """
    provider = settings.EMAIL_PROVIDER
    try:
        events = view_of(provider).parse_events(request)
        return [report for event in events if (report := _report(provider, event))]
    except Exception:  # not chained, because the text of the error may quote an address
        raise ValueError("not a report of this provider") from None


def _report(provider: str, event: "AnymailTrackingEvent") -> Report | None:
    if event.event_type not in _MEANINGS:
        return None
    delivery, trouble = _MEANINGS[event.event_type]
    ours = event.metadata.get(METADATA) if isinstance(event.metadata, Mapping) else None
    names = tuple(str(name) for name in (ours, event.message_id) if name)
    closed = _closed(provider, event, trouble)
    return Report(names=names, delivery=delivery, trouble=trouble, closed=closed)


def _closed(provider: str, event: "AnymailTrackingEvent", trouble: str) -> Closed | None:
    """Return the address of an event if the event closes it for letters."""
    address = event.recipient
    if not isinstance(address, str) or "@" not in address:
        return None
    if trouble == "unsubscribed":
        return Closed(channel="email", address=address, why="revoked", trouble=trouble)
    if trouble == "complained" or _speaks_of_address(provider, event, trouble):
        return Closed(channel="email", address=address, why="dead", trouble=trouble)
    return None


def _speaks_of_address(provider: str, event: "AnymailTrackingEvent", trouble: str) -> bool:
    """Return whether an undelivered mail says that its address receives nothing any more."""
    if trouble not in ("bounced", "rejected") or _is_soft(provider, event.esp_event):
        return False
    said = dead.is_said_by_enhanced(str(event.mta_response or ""))
    if said is not None:
        return said
    is_bare_bounce = trouble == "bounced" and event.reject_reason is None
    return is_bare_bounce or event.reject_reason in _OF_THE_ADDRESS


def _is_soft(provider: str, told: Any) -> bool:
    path, words = _SOFT.get(provider, ((), ""))
    for name in path:
        told = told.get(name) if isinstance(told, Mapping) else None
    return bool(words) and told is not None and bool(re.fullmatch(words, str(told)))
