"""Types for the requests that views get: Django's type with the attributes that middleware adds."""

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest


class Request(HttpRequest):
    """A request with our attributes. For annotations only, because Django makes the requests."""

    method: str
    # set by clinic.middleware: 32 hex digits, also in log lines, audit events and the answer
    request_id: str
    # set by clinic.middleware: the status of the answer if the request is malformed
    refusal: int | None
    # set by clinic.people.sign_in: the id of the account that has proved both factors
    signed_in_account: int
    # set by clinic.pagecache: the view name of a page served from the store
    route: str


class StaffRequest(Request):
    """The request of a staff page, which only a signed-in user can open."""

    user: User


def request_id(request: HttpRequest) -> str:
    """Return the id of a request, for methods of Django that annotate it as HttpRequest."""
    return cast(Request, request).request_id


def signed_in_user(request: HttpRequest) -> User:
    """Return the signed-in user of a request, for methods that annotate it as HttpRequest."""
    return cast(StaffRequest, request).user
