"""Take the reports of providers: what became of a letter, and the text messages to our number.

Every webhook of the site is in this module, under /webhooks/. A program sends these requests, so
they carry no session and no form token. In place of both, a webhook has the provider's signature,
a limit of size and a limit of its own. Nothing of a request is logged except the name of its
webhook.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from uuid import UUID
from xml.sax.saxutils import escape

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from clinic import limits
from clinic.limits import Limit
from clinic.logs import log
from clinic.models import Message
from clinic.outgoing import deliveries, mail_reports, texts_in, twilio
from clinic.outgoing.addresses import Closed
from clinic.outgoing.texts_in import TextIn

View = Callable[..., HttpResponse]


def webhook(
    *,
    is_genuine: Callable[[HttpRequest], bool],
    longest: int,
    per_minute: int,
    probed_by: tuple[str, ...] = (),
) -> Callable[[View], View]:
    """Guard the view of a webhook. The view gets only requests that the provider sent.

    `is_genuine` checks the provider's signature over `request.body`, before anything else reads
    the body and without the database, so that a flood of forged requests costs little. `longest`
    is the largest body in bytes. `per_minute` counts the genuine requests of this webhook. With a
    method of `probed_by` a provider looks whether the address exists.
    """

    def guard(view: View) -> View:
        name = getattr(view, "__name__", "webhook")

        @csrf_exempt
        @login_not_required
        @never_cache
        @require_http_methods(["POST", *probed_by])
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if request.method != "POST":
                return HttpResponse(status=204)
            if not _read_body(request, longest):
                return HttpResponse(status=413)
            if not is_genuine(request):
                log("webhook refused", level=logging.WARNING, route=name)
                return HttpResponse(status=403)
            limit = Limit(f"webhook:{name}", per_minute, timedelta(minutes=1))
            if wait := limits.take_all(limit):
                return HttpResponse(status=429, headers={"Retry-After": str(wait)})
            return view(request, *args, **kwargs)

        return guarded

    return guard


def _read_body(request: HttpRequest, longest: int) -> bool:
    """Read the body, so that `request.body` returns it. Returns False if it is too long.

    Django's own limit, DATA_UPLOAD_MAX_MEMORY_SIZE, is the limit of forms that patients fill in.
    """
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > longest:
        return False
    request._body = request.read(int(length))  # Django keeps the body under this name
    return True


# --- Twilio ---------------------------------------------------------------------------------------
# a text of 2,000 letters that need 12 bytes each, and 20,000 bytes for the other fields
LONGEST_TEXT = 44_000


@webhook(is_genuine=twilio.is_genuine, longest=LONGEST_TEXT, per_minute=3_000)
def twilio_text(request: HttpRequest) -> HttpResponse:
    """Take a text message to our number, and answer it in TwiML."""
    fields = dict(twilio.fields_of(request.body))
    words, pictures = fields.get("Body", ""), fields.get("NumMedia", "")
    text = TextIn(
        provider_id=fields.get("MessageSid", ""),
        number=fields.get("From", ""),
        words=words,
        pictures=int(pictures) if pictures.isdecimal() and len(pictures) < 4 else 0,
        is_answered="OptOutType" in fields or words.strip().upper() in twilio.ANSWERED,
    )
    answer = texts_in.take(text) if text.provider_id and text.number else None
    said = f"<Message>{escape(answer)}</Message>" if answer else ""
    twiml = f'<?xml version="1.0" encoding="UTF-8"?><Response>{said}</Response>'
    return HttpResponse(twiml, content_type="text/xml; charset=utf-8")


# what Twilio's words for the state of a text message mean to us; other words decide nothing yet
_DELIVERIES = {
    "delivered": Message.Delivery.DELIVERED,
    "read": Message.Delivery.DELIVERED,
    "undelivered": Message.Delivery.UNDELIVERED,
    "failed": Message.Delivery.UNDELIVERED,
    "canceled": Message.Delivery.UNDELIVERED,
}


@webhook(is_genuine=twilio.is_genuine, longest=LONGEST_TEXT, per_minute=3_000)
def twilio_status(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Take Twilio's report of what became of a text message. `message_id` is the id of ours."""
    fields = dict(twilio.fields_of(request.body))
    given = fields.get("ErrorCode", "")
    code = int(given) if given.isdecimal() and len(given) <= 6 else None
    delivery = _DELIVERIES.get(fields.get("MessageStatus", ""), "")
    trouble = f"twilio {code}" if code and delivery == Message.Delivery.UNDELIVERED else ""
    number, why = fields.get("To", ""), twilio.why_of(code)
    closed = None
    if trouble and why and number:
        closed = Closed(channel="sms", address=number, why=why, trouble=trouble)
    deliveries.record(
        message_id=message_id,
        provider_id=fields.get("MessageSid", "")[:80],
        delivery=delivery,
        trouble=trouble,
        closed=closed,
        channel="sms",
    )
    return HttpResponse(status=204)


# --- mail -----------------------------------------------------------------------------------------
# a thousand events of 2,000 bytes; Mandrill's events have a part of the mail
LONGEST_MAIL_REPORT = 2_000_000


@webhook(
    is_genuine=mail_reports.is_genuine,
    longest=LONGEST_MAIL_REPORT,
    per_minute=3_000,
    probed_by=("HEAD", "GET"),
)
def mail_report(request: HttpRequest, provider: str) -> HttpResponse:
    """Take a mail provider's report of what became of mails: one event, or a batch of them."""
    try:
        reports = mail_reports.reports_of(request)
    except ValueError:
        log("webhook not read", level=logging.WARNING, route="mail_report")
        return HttpResponse(status=400)
    deliveries.record_all(reports)
    return HttpResponse(status=204)


urlpatterns = [
    path("mail/<slug:provider>/", mail_report, name="webhook_mail"),
    path("twilio/status/<uuid:message_id>/", twilio_status, name="webhook_twilio_status"),
    path("twilio/text/", twilio_text, name="webhook_twilio_text"),
]
