"""The pages around a form that arrived after its session had ended: keep, bring back, copy.

Works without scripts. After the sign-in, `back` redirects to the page that had the form, and
`UnsentFormMiddleware` puts the typed values into the form of that page.
"""

from collections.abc import Callable
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _

from clinic.context import STAFF_PATHS
from clinic.models import UnsentForm
from clinic.people import filling, unsent
from clinic.requests import StaffRequest, signed_in_user

BEING_FILLED = "unsent"  # the session's key: the id of the form to put into the next page
WORK = "/admin/"
SIGN_OUT = "/admin/logout/"


def keep_form(request: HttpRequest) -> HttpResponse | None:
    """Answer a form that was posted after its session had ended; None for any other request.

    Keeps the form for the account that had opened its page. If that account is not known or the
    form cannot be kept, shows the typed texts, so that staff can copy them.
    """
    if request.method != "POST" or not request.path.startswith(WORK) or request.path == SIGN_OUT:
        return None
    account = unsent.account_of(request)
    try:
        kept = account is not None and unsent.keep(
            account=account,
            path=request.path,
            page=_page_of(request),
            fields=request.POST.lists(),
        )
    except DatabaseError:
        kept = False
    if kept and request.user.is_authenticated and request.user.pk == account:
        return redirect("unsent_form")
    typed = [] if kept else _typed_texts(request)
    if not kept and not typed:
        return None
    query = urlencode({"next": reverse("unsent_form")}) if kept else ""
    context = {"kept": kept, "typed": typed, "next": query}
    return render(request, "account/ended.html", context, status=403)


@login_required
def back(request: StaffRequest) -> HttpResponse:
    """Bring the person to the page whose form waits; with several forms, show the list of them."""
    waiting = unsent.waiting(request.user)
    if len(waiting) == 1:
        return _open(request, waiting[0])
    if not waiting:
        messages.info(request, _("Nothing that you typed is waiting."))
        return redirect(WORK)
    forms = [(form, unsent.texts(form)[:1]) for form in waiting]
    return render(request, "account/unsent_list.html", {"forms": forms})


@login_required
def form_page(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Open the page of one form that waits; by POST, delete the form or show its texts."""
    form = unsent.find(request.user, pk)
    if form is None:
        messages.info(request, _("What you typed is no longer kept."))
        return redirect(WORK)
    if request.method != "POST":
        return _open(request, form)
    unsent.discard(user=request.user, pk=form.pk)
    request.session.pop(BEING_FILLED, None)
    messages.success(request, _("What you typed was thrown away."))
    return redirect(WORK)


@login_required
def copy_page(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show the texts of a form whose page does not have the form any more."""
    form = unsent.find(request.user, pk)
    if form is None:
        return redirect("unsent_form")
    context = {"form": form, "typed": unsent.texts(form), "page": form.content["page"]}
    return render(request, "account/unsent_copy.html", context)


def say_what_waits(request: HttpRequest, user: User) -> None:
    """Tell a person who has just signed in that a form waits."""
    if unsent.waiting(user):
        words = _("You were signed out before a form was sent. What you typed is kept for an hour.")
        link = format_html('{} <a href="{}">{}</a>', words, reverse("unsent_form"), _("Open it"))
        messages.warning(request, link, extra_tags=BEING_FILLED, fail_silently=True)


def _open(request: StaffRequest, form: UnsentForm) -> HttpResponse:
    # the page itself says that the form waits
    others = [m for m in messages.get_messages(request) if m.extra_tags != BEING_FILLED]
    for message in others:
        messages.add_message(request, message.level, message.message, message.extra_tags)
    request.session[BEING_FILLED] = str(form.pk)
    return redirect(f"{form.content['page']}#unsent")


def _page_of(request: HttpRequest) -> str:
    """Return the address of the page that had the posted form, as the browser tells it."""
    referer = request.headers.get("Referer", "")
    parts = urlsplit(referer)
    address = f"{parts.path}?{parts.query}" if parts.query else parts.path
    safe = url_has_allowed_host_and_scheme(referer, request.get_host())
    return address if safe and parts.path.startswith(WORK) else request.path


def _typed_texts(request: HttpRequest) -> list[str]:
    """Return the typed texts of several words. Codes and single words are quickly typed again."""
    return [
        text
        for name, values in request.POST.lists()
        if "password" not in name
        for text in values
        if " " in text.strip()
    ]


class UnsentFormMiddleware:
    """Put a form that waits into its page, and delete the form as soon as it was sent.

    Also notes in the browser's cookie for which account a page was made (`unsent.account_of`).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        user = getattr(request, "signed_in_account", None)
        if user is None or not request.path.startswith(STAFF_PATHS):
            return response
        unsent.remember_account(request, response, user)
        if BEING_FILLED in request.session and request.path.startswith(WORK):
            return (
                _sent(request, response) if request.method == "POST" else _fill(request, response)
            )
        return response


def _sent(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Delete the form if this request sent it and a view answered."""
    user, pk = signed_in_user(request), request.session[BEING_FILLED]
    form = unsent.find(user, pk)
    if form is None:
        del request.session[BEING_FILLED]
    elif request.path == form.content["path"] and response.status_code in (200, 302, 409, 422):
        unsent.discard(user=user, pk=pk)
        del request.session[BEING_FILLED]
    return response


def _fill(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    if response.status_code in (301, 302, 303) or request.method != "GET":
        return response
    form = unsent.find(signed_in_user(request), request.session[BEING_FILLED])
    if form is None:
        del request.session[BEING_FILLED]
        return response
    filled = None
    if response.status_code == 200 and response.get("Content-Type", "").startswith("text/html"):
        note = render_to_string("account/unsent_note.html", {"form": form}, request)
        text = response.content.decode()
        content = form.content
        filled = filling.fill(
            text, request.get_full_path(), content["path"], content["fields"], note
        )
    if filled is not None:
        response.content = filled.page.encode()
        return response
    if request.get_full_path() == form.content["page"]:
        del request.session[BEING_FILLED]
        return redirect("unsent_copy", pk=form.pk)
    return response
