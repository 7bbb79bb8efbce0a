"""The type of a request as our views see it: Django's, with what our middleware adds to it."""

from typing import Any, cast

from django.http import HttpRequest


class Request(HttpRequest):
    """For annotations only: Django makes the requests itself."""

    method: str
    # the signed-in user or Django's AnonymousUser; permissions say what the account may do
    user: Any
    request_id: str  # clinic.middleware: 32 hex digits, in log lines, audit events and the answer
    refusal: int | None  # clinic.middleware: the status of a request that reaches no view
    route: str  # clinic.pagecache: the view name of a page served from the store


def request_id(request: HttpRequest) -> str:
    """Return the id of a request, where a method of Django's own takes any HttpRequest."""
    return cast(Request, request).request_id
