"""Let a view show its form again when its request could not be served."""

from collections.abc import Callable
from typing import Protocol, cast

from django.http import HttpResponse

View = Callable[..., HttpResponse]


class _Repeatable(Protocol):
    again: View


def when_not_served(show_again: View) -> Callable[[View], View]:
    """Decorate a view so that its posted form is shown again, by `show_again`, if the view fails.

    The view fails when the database is down, or when the CSRF token is missing or old. Then
    `clinic.views.try_again` calls `show_again` with the request, `status`, `notice` and the keyword
    arguments of the URL. `show_again` must not need the database.
    """

    def decorate(view: View) -> View:
        cast(_Repeatable, view).again = show_again
        return view

    return decorate
