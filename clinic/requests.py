"""The types of the requests of our views: Django's type, and the attributes that our layers add."""

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest


class Request(HttpRequest):
    """For annotations only: Django makes the requests itself."""

    method: str
    request_id: str  # clinic.middleware: 32 hex digits, in log lines, audit events and the answer
    refusal: int | None  # clinic.middleware: the status of a request that reaches no view
    route: str  # clinic.pagecache: the view name of a page served from the store


class StaffRequest(Request):
    """The request of a staff page, which only a signed-in account reaches."""

    user: User


def request_id(request: HttpRequest) -> str:
    """Return the id of a request that a method of Django types as HttpRequest."""
    return cast(Request, request).request_id


def signed_in_user(request: HttpRequest) -> User:
    """Return the signed-in account of a request that a method of Django types as HttpRequest."""
    return cast(StaffRequest, request).user
