"""Check what a member of staff may do with pages; define the exceptions that refuse an act."""

from django.contrib.auth.models import AnonymousUser, User
from django.utils.translation import gettext as _


class ActRefused(Exception):
    """The act is refused. The message tells the member of staff why."""


class NotPermitted(ActRefused):
    """This person's role does not allow the act."""

    def __init__(self) -> None:
        super().__init__(_("Your role does not allow this."))


class Changed(ActRefused):
    """Another person changed the page after this person opened it."""

    def __init__(self) -> None:
        super().__init__(_("Another person changed this page meanwhile. Please look at it again."))


def may(by: User | AnonymousUser, what: str) -> bool:
    """Whether a person may `change`, `review` or `publish` pages."""
    return bool(by.has_perm(f"education.{what}_page"))


def require(by: User | AnonymousUser, what: str) -> None:
    """Raise NotPermitted unless `may` allows `what` to this person."""
    if not may(by, what):
        raise NotPermitted
