"""Limit how many open requests one person may have."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from intake import search
from intake.domain import workflow
from intake.domain.stored import PHONE
from intake.errors import Refused
from intake.models.appointments import AppointmentRequest


def open_requests(*, person: Mapping[str, Any]) -> int:
    """Count the open requests of a person.

    A request counts when the name, the birth date, and the phone number or e-mail address are the
    same. Name and birth date alone are not enough, because then a refusal would tell a stranger
    that this person is a patient.
    """
    keys = search.person_tokens(dict(person))
    addresses = search.address_tokens(person.get("email", ""), person.get(PHONE, ""))
    if not (keys and addresses):
        return 0
    return AppointmentRequest.objects.filter(
        submission__search_keys__contains=keys,
        submission__search_keys__overlap=addresses,
        progress__in=workflow.REQUEST_OPEN,
    ).count()


def has_as_many_as_allowed(*, person: Mapping[str, Any]) -> bool:
    """Whether a person has as many open requests as the clinic allows."""
    return open_requests(person=person) >= settings.APPOINTMENT_OPEN_REQUESTS


def refuse_one_too_many(*, person: Mapping[str, Any]) -> None:
    """Raise Refused when a person has as many open requests as the clinic allows."""
    if has_as_many_as_allowed(person=person):
        raise Refused(
            _("You have as many open requests as we can keep. Please call us about another visit.")
        )
