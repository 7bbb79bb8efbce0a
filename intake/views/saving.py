"""Save and come back later: an address to send a code to, and a number to keep."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from intake import services
from intake.forms import FindForm
from intake.models import Draft, Kind
from intake.views.browser import later, lost, reach_words, too_often, with_draft
from intake.views.stops import count_send, may_write_to
from intake.walk import SAVED_ADDRESS, Walk


@require_http_methods(["GET", "HEAD", "POST"])
@with_draft
def save(request: HttpRequest, *, draft: Draft, walk: Walk) -> HttpResponse:
    """Ask where a code may be sent; then show the number. Going on here stays possible."""
    known, veiled = known_address(walk)
    form = FindForm(
        data=request.POST if request.method == "POST" else None,
        initial={} if veiled else {"address": known},
    )
    form.keep({"address": {"address": known}} if veiled else {})
    if request.method != "POST":
        return show(request, walk, form, status=200)
    if not form.is_valid():
        return show(request, walk, form, status=422)
    if seconds := count_send(request):
        notice = too_often(seconds)
        return later(show(request, walk, form, status=429, notice=notice), seconds)
    address = form.cleaned_data["address"]
    try:
        reference = services.save_for_later(
            draft=draft,
            address=address,
            kept=bool(form.left_blank),
            may_tell=lambda: may_write_to(address, "save"),
        )
    except services.Gone:
        return lost(request)
    except services.Conflict as conflict:
        return show(request, walk, form, status=409, notice=str(conflict))
    context = {
        "reference": reference,
        "mailed": "@" in address,
        "reach": reach_words(walk),
        "own": draft.on_own_device,
    }
    return render(request, "intake/saved.html", context)


def known_address(walk: Walk) -> tuple[str, bool]:
    """The address given before, so that it need not be typed again, and whether it is veiled. Not
    the one of what was sent already: whoever came in by the phone may never have known it."""
    veiled = walk.content.veiled_contact
    if saved := walk.content.saved.get("address"):
        return saved, SAVED_ADDRESS in veiled
    contact = {} if walk.kind == Kind.ADDITION else walk.content.contact
    email = contact.get("email", "")
    return email, bool(email) and "email" in veiled


def show(
    request: HttpRequest, walk: Walk | None, form: Any, *, status: int, notice: str = ""
) -> HttpResponse:
    context = {"form": form, "notice": notice}
    return render(request, "intake/save.html", context, status=status)


def again(request: HttpRequest, *, status: int, notice: str) -> HttpResponse:
    return show(
        request, None, FindForm(data=request.POST), status=status, notice=notice or _("Try again.")
    )


save.again = again  # type: ignore[attr-defined]
