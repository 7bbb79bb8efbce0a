"""Django's admin, which staff enter only through our own sign-in."""

import logging
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, TypeVar, cast

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin, auth
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from clinic import audit, logs
from clinic.outgoing import oversight
from clinic.people import keyboard
from clinic.views import DATABASE_DOWN

AdminView = TypeVar("AdminView", bound=Callable[..., HttpResponseBase])


class ClinicAdminSite(admin.AdminSite):
    site_header = settings.CLINIC_NAME
    site_title = settings.CLINIC_NAME
    index_title = _("Today's work")
    enable_nav_sidebar = False
    # functions that the apps add; each returns names for the context of every admin page
    also: ClassVar[list[Callable[[HttpRequest], dict[str, Any]]]] = []

    def admin_view(self, view: AdminView, cacheable: bool = False) -> AdminView:
        """Let only staff with permission open a page, as Django does, and record each refusal."""

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                return view(request, *args, **kwargs)
            except PermissionDenied:
                _record_refusal(request)
                raise

        return super().admin_view(cast(AdminView, guarded), cacheable)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add to the context of every page what is wrong with messages, and what the apps add.

        Looking up what is wrong takes one query. Staff who may not look at messages are not told.
        """
        may_look = request.user.has_perm("clinic.view_message")
        trouble = oversight.trouble() if may_look else oversight.Trouble()
        context = {
            "messages_failed": trouble.failed,
            "messages_late": trouble.late,
            "alerts_late": trouble.alert,
            "codes_limited": trouble.limited,
            **keyboard.page_settings(request),
        }
        for words in self.also:
            context |= words(request)
        return super().each_context(request) | context

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show the start page. A member of staff who may open only one list is redirected to it."""
        places = [model for app in self.get_app_list(request) for model in app["models"]]
        if len(places) == 1 and places[0]["admin_url"]:
            return redirect(places[0]["admin_url"])
        return super().index(request, extra_context)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        # secure_admin_login is called here, because as a decorator of this method it would take
        # `self` for the request.
        return secure_admin_login(super().login)(request, extra_context=extra_context)

    @method_decorator(require_POST)
    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        auth.logout(request)
        return redirect("account_login")

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Redirect to allauth's page for changing a password, because changes there are audited."""
        return redirect("account_change_password")

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Refuse every request, because no page needs this view and it searches without audit."""
        raise PermissionDenied


def _record_refusal(request: HttpRequest) -> None:
    """Record one `deny` event: the account, the page, and the record if the address names one.

    A refusal shows nothing of a patient, so the refusal is sent even if the database cannot store
    the event.
    """
    match = request.resolver_match
    try:
        subject = str(uuid.UUID(str(match.kwargs.get("object_id") if match else "")))
    except ValueError:  # other text in the address may be anything, so it is not recorded
        subject = "-"
    try:
        with transaction.atomic():
            audit.record_request(request, "deny", subject, page=match.url_name if match else None)
    except DATABASE_DOWN:
        logs.log("refusal not recorded", level=logging.WARNING, exc_info=True)
