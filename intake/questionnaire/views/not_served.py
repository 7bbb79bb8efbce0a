"""Let a view show its form again when its request could not be served."""

from collections.abc import Callable
from typing import Protocol, cast

from django.http import HttpResponse

View = Callable[..., HttpResponse]


class _Repeatable(Protocol):
    again: View


def when_not_served(show_again: View) -> Callable[[View], View]:
    """Show the typed form again by `show_again`, when the database is away or the token too old.

    `clinic.views.try_again` calls `show_again` with the request, `status`, `notice` and the
    arguments of the address. `show_again` must not need the database.
    """

    def decorate(view: View) -> View:
        cast(_Repeatable, view).again = show_again
        return view

    return decorate
