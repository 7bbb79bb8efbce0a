"""The stock admin, entered only through our own sign-in."""

import logging
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin, auth
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from clinic import audit, logs
from clinic.outgoing import outbox
from clinic.views import DATABASE_DOWN


class ClinicAdminSite(admin.AdminSite):
    site_header = settings.CLINIC_NAME
    site_title = settings.CLINIC_NAME
    index_title = _("Today's work")
    enable_nav_sidebar = False
    # what the apps say in the head of each page: request → names of its context
    also: ClassVar[list[Callable[[HttpRequest], dict[str, Any]]]] = []

    def admin_view(self, view, cacheable=False):
        """The stock door of every page of the admin; who is refused behind it is written down."""

        @wraps(view)
        def guarded(request, *args, **kwargs):
            try:
                return view(request, *args, **kwargs)
            except PermissionDenied:
                _record_refusal(request)
                raise

        return super().admin_view(guarded, cacheable)

    def each_context(self, request):
        """With what is wrong with messages, for those who can look at them (one query), and what
        the apps add."""
        may_look = request.user.has_perm("clinic.view_message")
        trouble = outbox.trouble() if may_look else outbox.Trouble(False, False, False)
        context = {
            "messages_failed": trouble.failed,
            "messages_late": trouble.late,
            "codes_limited": trouble.limited,
        }
        for words in self.also:
            context |= words(request)
        return super().each_context(request) | context

    def index(self, request, extra_context=None):
        """Who works with one list only lands on it."""
        places = [model for app in self.get_app_list(request) for model in app["models"]]
        if len(places) == 1 and places[0]["admin_url"]:
            return redirect(places[0]["admin_url"])
        return super().index(request, extra_context)

    def login(self, request, extra_context=None):
        # the decorator wants a function; on the method itself it would take `self` for the request
        return secure_admin_login(super().login)(request, extra_context=extra_context)

    @method_decorator(require_POST)
    def logout(self, request, extra_context=None):
        auth.logout(request)
        return redirect("account_login")

    def password_change(self, request, extra_context=None):
        """One page changes passwords: the one whose use is audited."""
        return redirect("account_change_password")

    def autocomplete_view(self, request):
        """Closed: no page of ours asks it, and it would search patients without an audit event."""
        raise PermissionDenied


def _record_refusal(request):
    """One `deny` event: who, at which page, and of which record if the address names one.

    A refusal shows nobody, so it is given even when the database cannot write it down.
    """
    match = request.resolver_match
    try:
        subject = str(uuid.UUID(str(match.kwargs.get("object_id"))))
    except ValueError:  # whatever was typed there instead is not kept
        subject = "-"
    try:
        with transaction.atomic():
            audit.record(
                actor=audit.staff(request.user),
                action="deny",
                subject=subject,
                request_id=request.request_id,
                detail={"page": match.url_name},
            )
    except DATABASE_DOWN:
        logs.log("refusal not recorded", level=logging.WARNING, exc_info=True)
