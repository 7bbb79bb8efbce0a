"""Pages of the site as a whole: public pages, the two health checks, and the error pages.

The public pages use neither session nor database, so that they work when the database is down.
"""

import sys
from collections.abc import Callable
from typing import Any

import psycopg2
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clinic import hours, notices
from clinic import privacy as notice
from clinic.context import site
from clinic.outgoing import oversight
from clinic.pagecache.rendered import kept
from clinic.people.unsent_page import keep_form

# The errors when the database server is gone, is stopping, or is too slow to wait for.
DATABASE_DOWN = (OperationalError, InterfaceError)
RETRY_AFTER = "30"  # seconds


def is_database_down(error: BaseException | None) -> bool:
    """Return whether the error means that the database server is down.

    If the server dies while it answers, psycopg2 raises its base class DatabaseError.
    """
    return (
        isinstance(error, DATABASE_DOWN)
        or type(getattr(error, "__cause__", None)) is psycopg2.DatabaseError
    )


def _page(
    template: str, context: Callable[[], dict[str, Any]] = dict
) -> Callable[[HttpRequest], HttpResponse]:
    @require_safe
    @login_not_required
    @kept
    def view(request: HttpRequest) -> HttpResponse:
        return render(request, template, context())

    return view


def _language_notices() -> dict[str, Any]:
    """Return the notice of language help in each language, the languages of this site first."""
    try:
        found = notices.read(settings.LANGUAGE_NOTICES).languages
    except notices.Unreadable:  # a check names the file
        return {"notices": ()}
    offered = {code for code, _name in settings.LANGUAGES}
    return {"notices": sorted(found, key=lambda notice: notice.code not in offered)}


def _civil_rights() -> dict[str, Any]:
    """Return the contact for complaints about discrimination, and the address of this site."""
    contact = settings.CIVIL_RIGHTS_CONTACT
    return {
        "contact": "" if contact == "none" else contact,
        "is_small": contact == "none",
        "origin": settings.SITE_ORIGIN,
    }


def _opening() -> dict[str, Any]:
    """Return the coming closures, and the places with opening hours of their own."""
    return {"closures": hours.coming_closures(), "own_weeks": hours.own_weeks()}


home = _page("clinic/home.html", _opening)
privacy = _page(notice.TEMPLATE, lambda: {"version": notice.version(get_language() or "en")})
accessibility = _page("clinic/accessibility.html")
language_help = _page("clinic/language_help.html", _language_notices)
nondiscrimination = _page("clinic/nondiscrimination.html", _civil_rights)


# --- health -------------------------------------------------------------------------------------


@never_cache
@require_safe
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that this process is alive.

    The view does not use the database, because a web server must not be restarted when the database
    is down.
    """
    return HttpResponse("ok", content_type="text/plain")


_migrated = False


def _is_migrated() -> bool:
    """Return whether all migrations of this code are applied.

    True is cached, because it stays true.
    """
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated


@never_cache
@require_safe
@login_not_required
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the database answers and has the tables that this code expects, else 503.

    `queue` in the answer tells whether messages are sent. The status does not depend on the queue,
    because patients can fill in the questionnaire even if no message is sent.
    """
    queue = False
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        database, migrations = True, _is_migrated()
        if migrations:
            trouble = oversight.trouble()
            queue = not (trouble.late or trouble.alert)
    except DatabaseError:
        database = migrations = False
    ready = database and migrations
    body = {"ready": ready, "database": database, "migrations": migrations, "queue": queue}
    return JsonResponse(body, status=200 if ready else 503)


# --- what goes wrong ----------------------------------------------------------------------------


def error_page(request: HttpRequest, status: int) -> HttpResponse:
    return render(request, f"errors/{status}.html", status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, 400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, 404)


def too_large(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, 413)


def handler429(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Show that there were too many requests. allauth finds this function by its name."""
    return error_page(request, 429)


def _bare(request: HttpRequest, status: int) -> HttpResponse:
    """Render an error page from the settings alone, without session, user and database."""
    return HttpResponse(render_to_string(f"errors/{status}.html", site(request)), status=status)


def unavailable(request: HttpRequest) -> HttpResponse:
    """Show that the database is down, and discard what the view put into the session."""
    if hasattr(request, "session"):
        # an interrupted sign-in, for example, must not count
        request.session.modified = False
    response = _bare(request, 503)
    response["Retry-After"] = RETRY_AFTER
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Show the error page, or, if the database is down, the page that says so.

    Django calls this function for errors in views and in middleware.
    """
    if is_database_down(sys.exception()):
        return unavailable(request)
    return _bare(request, 500)


def try_again(request: HttpRequest, *, status: int, notice: str) -> HttpResponse | None:
    """Show the posted form again with what was typed; None if the view cannot do that.

    A view that can do that has an attribute `again(request, *, status, notice, **kwargs)`, a
    function that does not need the database.
    """
    match = request.resolver_match
    if match is None or request.method != "POST":
        return None
    again: Callable[..., HttpResponse] | None = getattr(match.func, "again", None)
    return again(request, status=status, notice=notice, **match.kwargs) if again else None


def _from_this_site(request: HttpRequest) -> bool:
    """Return whether a page of this site sent the form, so that no other site chose its values."""
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return bool(fetch_site == "same-origin")
    origin = request.headers.get("Origin")
    return origin in (None, f"{request.scheme}://{request.get_host()}")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Show the form again when its token is missing or old.

    Usually the cookie was deleted or the page was open for too long. A form that another site sent
    is answered with the error page.
    """
    response = None
    if _from_this_site(request):
        notice = _("This page had been open for too long, so nothing was saved. Please send again.")
        response = try_again(request, status=403, notice=notice) or keep_form(request)
    return response or error_page(request, 403)
