"""What the worklist serves beside its rows: saved filters, and whether the list has changed."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext as _

from clinic.requests import StaffRequest
from intake.desk import saved_filters
from intake.desk.list_place import Place, asked_place
from intake.errors import Refused
from intake.models.submissions import Submission
from intake.staff.lists import PatientAdmin

SEEN_VAR = "seen"
_STAMPED = ("pk", "revision", "status", "alarm", "reply_due_at", "assignee_id")


def stamp_of(rows: Iterable[tuple[Any, ...]]) -> str:
    """Return a short mark of a page of the list, which changes with its rows and their state."""
    return hashlib.sha256(repr([*map(tuple, rows)]).encode()).hexdigest()[:16]


def stamp_of_page(rows: Iterable[Submission]) -> str:
    return stamp_of(tuple(getattr(row, name) for name in _STAMPED) for row in rows)


class ListView(PatientAdmin[Submission]):
    """Serves the addresses below the list that belong to no single submission."""

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, tuple[str, Callable[..., HttpResponse]]] = {
            "changed/": ("changed", self.changed_view),
            "saved/": ("save_filter", self.save_filter_view),
            "saved/<str:slug>/": ("saved", self.saved_view),
            "saved/<str:slug>/delete/": ("delete_filter", self.delete_filter_view),
        }
        own = [
            path(where, self.admin_site.admin_view(view), name=f"intake_submission_{name}")
            for where, (name, view) in views.items()
        ]
        return own + super().get_urls()

    def changed_view(self, request: StaffRequest) -> HttpResponse:
        """Say whether a page of the list has changed since it was shown; an empty answer if not.

        A script asks each minute. So the answer names no patient, writes no event, and does not
        count as work that keeps the session open.
        """
        self._check(request)
        request.session.modified = False
        place = asked_place(request)
        first = (place.page - 1) * self.list_per_page
        rows = place.rows(request).values_list(*_STAMPED)[first : first + self.list_per_page]
        if stamp_of(rows) == request.GET.get(SEEN_VAR, ""):
            return HttpResponse(status=204)
        link = '<a href="{}">{}</a>'
        return HttpResponse(format_html(link, place.address, _("The list has changed: reload")))

    def saved_view(self, request: StaffRequest, slug: str) -> HttpResponse:
        """Redirect to the list with the filters that are kept under a name."""
        self._check(request)
        kept = saved_filters.named(slug, request.user)
        if kept is None:
            messages.warning(request, _("There is no saved filter of this name."))
        return redirect(Place(kept.query if kept else "").address)

    def save_filter_view(self, request: StaffRequest) -> HttpResponse:
        """Keep the tab and filters of the list that is shown."""
        self._check(request)
        place = asked_place(request)
        if request.method == "POST":
            try:
                saved_filters.save(
                    name=request.POST.get("name", ""),
                    query=place.filters,
                    is_shared="shared" in request.POST,
                    by=request.user,
                    request_id=request.request_id,
                )
                messages.success(request, _("The filter is saved."))
            except Refused as error:
                messages.error(request, str(error))
        return redirect(place.address)

    def delete_filter_view(self, request: StaffRequest, slug: str) -> HttpResponse:
        self._check(request)
        if request.method == "POST":
            done = saved_filters.delete(slug=slug, by=request.user, request_id=request.request_id)
            words = _("The filter is deleted.") if done else _("Only its owner deletes a filter.")
            messages.add_message(request, messages.SUCCESS if done else messages.ERROR, words)
        return redirect(asked_place(request).address)

    def _check(self, request: StaffRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied
