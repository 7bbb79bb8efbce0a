"""The letters to the content editors. The texts of the letters are in templates/email/."""

from collections.abc import Mapping

from django.conf import settings
from django.contrib.auth import get_user_model
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import ngettext

from clinic.models import Message
from clinic.outgoing import outbox
from clinic.outgoing.outbox import Letter
from education.models import Page
from education.services.reminders import REVIEWS_DUE

RECIPIENT_ROLE = "content editor"


def months(occasions: list[str]) -> Mapping[str, str]:
    """Name each message by its month, such as 2026-11, in the list of messages for staff."""
    return {occasion: occasion for occasion in occasions}


@outbox.composer(REVIEWS_DUE, about=months)
def reviews_due(message: Message) -> Letter | None:
    """Compose the letter that lists the pages with an overdue review.

    Returns None when no review is overdue any more.
    """
    pages = list(Page.objects.overdue(timezone.localdate()).select_related("condition"))
    if not pages:
        return None
    people = get_user_model().objects.filter(is_active=True, groups__name=RECIPIENT_ROLE)
    addresses = people.exclude(email="").values_list("email", flat=True)
    with translation.override(settings.LANGUAGE_CODE):
        subject = ngettext(
            "%(n)s page waits for its review", "%(n)s pages wait for their review", len(pages)
        ) % {"n": len(pages)}
        context = {
            "clinic": settings.CLINIC_SHORT_NAME,
            "origin": settings.SITE_ORIGIN,
            "pages": pages,
        }
        text = render_to_string("email/reviews_due.txt", context).strip() + "\n"
    return Letter(tuple(sorted(set(addresses))), subject, text)
