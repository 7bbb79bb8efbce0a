"""Pages of the site as a whole: the public ones, the two health checks, and the error pages.

The public pages touch neither session nor database, so they stay up when the database is down.
"""

import sys

import psycopg2
from django.contrib.auth.decorators import login_not_required
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clinic.context import site
from clinic.outgoing import outbox
from clinic.pagecache.rendered import kept

# What psycopg2 raises when the server is gone, stopping, or too slow to wait for.
DATABASE_DOWN = (OperationalError, InterfaceError)
RETRY_AFTER = "30"  # seconds


def is_database_down(error):
    """Also when it died in the midst of an answer: psycopg2 then names no closer class."""
    return (
        isinstance(error, DATABASE_DOWN)
        or type(getattr(error, "__cause__", None)) is psycopg2.DatabaseError
    )


def _page(template):
    @require_safe
    @login_not_required
    @kept
    def view(request):
        return render(request, template)

    return view


home = _page("clinic/home.html")
privacy = _page("clinic/privacy.html")
accessibility = _page("clinic/accessibility.html")
language_help = _page("clinic/language_help.html")


# --- health -------------------------------------------------------------------------------------


@never_cache
@require_safe
@login_not_required
def healthz(request):
    """This process answers. Touches nothing else, so a lost database restarts no web server."""
    return HttpResponse("ok", content_type="text/plain")


_migrated = False


def _is_migrated() -> bool:
    """All migrations of this code applied? A yes is kept: it cannot become a no."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated


@never_cache
@require_safe
@login_not_required
def readyz(request):
    """May traffic come here? The database answers and has the tables this code expects.

    `queue` tells whether messages go out. A stuck one is no reason to send patients elsewhere.
    """
    queue = False
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        database, migrations = True, _is_migrated()
        if migrations:
            queue = not outbox.trouble().late
    except DatabaseError:
        database = migrations = False
    ready = database and migrations
    body = {"ready": ready, "database": database, "migrations": migrations, "queue": queue}
    return JsonResponse(body, status=200 if ready else 503)


# --- what goes wrong ----------------------------------------------------------------------------


def error_page(request, status: int):
    return render(request, f"errors/{status}.html", status=status)


def bad_request(request, exception=None):
    return error_page(request, 400)


def permission_denied(request, exception=None):
    return error_page(request, 403)


def not_found(request, exception=None):
    return error_page(request, 404)


def too_large(request, exception=None):
    return error_page(request, 413)


def handler429(request, exception=None):
    """allauth's own limits look for this name in the root URLconf."""
    return error_page(request, 429)


def _bare(request, status: int):
    """A page that needs settings and nothing else: no session, no user, no database."""
    return HttpResponse(render_to_string(f"errors/{status}.html", site(request)), status=status)


def unavailable(request):
    if hasattr(request, "session"):
        # whatever the view put there (a sign-in, say) happened only in part
        request.session.modified = False
    response = _bare(request, 503)
    response["Retry-After"] = RETRY_AFTER
    return response


def server_error(request):
    """The last resort. A database that went away before the view was reached ends here too."""
    if is_database_down(sys.exception()):
        return unavailable(request)
    return _bare(request, 500)


def try_again(request, *, status: int, notice: str):
    """The same form with what was typed still in it, or None if the view cannot do that.

    A view offers this by an attribute `again(request, *, status, notice, **kwargs)`, and must not
    need the database for it.
    """
    match = request.resolver_match
    again = getattr(match.func, "again", None) if match else None
    if again is None or request.method != "POST":
        return None
    return again(request, status=status, notice=notice, **match.kwargs)


def _from_this_site(request) -> bool:
    """Did our own page send this form? If not, another site chose the values in it."""
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return fetch_site == "same-origin"
    origin = request.headers.get("Origin")
    return origin in (None, f"{request.scheme}://{request.get_host()}")


def csrf_failure(request, reason=""):
    """The form's token is missing or old: mostly a cookie that was cleared, or a page left open."""
    response = None
    if _from_this_site(request):
        notice = _("This page had been open for too long, so nothing was saved. Please send again.")
        response = try_again(request, status=403, notice=notice)
    return response or error_page(request, 403)
