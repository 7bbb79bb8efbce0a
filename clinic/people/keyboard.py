"""Whether single keys work as shortcuts for a member of staff, and when the session ends.

Single keys can be switched off (WCAG 2.1.4), because speech input types letters that the person did
not mean as keys. The account stores the choice; the session has a copy, so that a page needs no
query.
"""

import time
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clinic.models import StaffPreference
from clinic.people.sessions import SEEN, STARTED
from clinic.requests import StaffRequest

_KEYS = "single_keys"


def load_choice(request: HttpRequest, user: User) -> None:
    """Copy the choice of the account into the session, at the sign-in."""
    row = StaffPreference.objects.filter(account=user).first()
    request.session[_KEYS] = row is None or row.single_keys


def page_settings(request: HttpRequest) -> dict[str, Any]:
    """Return what the script of staff pages has to know. Needs no query."""
    return {
        "single_keys": request.session.get(_KEYS, True),
        "session_seconds": seconds_left(request),
    }


def seconds_left(request: HttpRequest) -> int:
    """Return in how many seconds the session ends, if the person does nothing more."""
    now, session = time.time(), request.session
    idle = session.get(SEEN, now) + settings.STAFF_IDLE_SECONDS - now
    whole = session.get(STARTED, now) + settings.STAFF_SESSION_SECONDS - now
    return max(0, int(min(idle, whole)))


@login_required
def keys_page(request: StaffRequest) -> HttpResponse:
    """Show all keys, and switch single keys on or off for this account."""
    if request.method == "POST":
        on = request.POST.get("single_keys") == "on"
        StaffPreference.objects.update_or_create(account=request.user, defaults={_KEYS: on})
        request.session[_KEYS] = on
        messages.success(request, _("Single keys are on.") if on else _("Single keys are off."))
        return redirect("keyboard")
    return render(request, "account/keys.html", {"on": request.session.get(_KEYS, True)})


@require_POST
@login_required
def stay(request: StaffRequest) -> HttpResponse:
    """Begin the idle time of the session anew, and answer how long it lasts now."""
    request.session[SEEN] = time.time()
    return JsonResponse({"seconds": seconds_left(request)})
