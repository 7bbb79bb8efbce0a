"""Answer offers, arrive, cancel a visit, join the waiting list, download the calendar file.

No view takes the id of a visit: the visit is found through the submission that the code opened. The
services check that an offer belongs to this submission and is still open.
"""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.requests import Request
from intake.appointments import arrival, booking, changing, offers, waiting_list
from intake.appointments.calendar_file import NAME, calendar_file, media_type
from intake.appointments.views.visit_words import may_change, words_of
from intake.errors import Conflict, Refused
from intake.models.access import Grant
from intake.models.appointments import Appointment, Offer
from intake.models.submissions import Submission
from intake.my_page.browser_key import with_grant
from intake.my_page.status_page import with_refusals


def visit_of(submission: Submission) -> Appointment | None:
    """Return the submission's booked visit, or None."""
    return submission.appointments.filter(status="confirmed").for_reading().first()


@require_http_methods(["GET", "HEAD", "POST"])
@with_grant
@with_refusals
def offer(request: Request, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Accept one of the offered times, or decline all of them."""
    if request.method != "POST":
        return redirect("intake:my")
    rid = request.request_id
    if request.POST.get("go") == "none":
        for each in offers.open_offers(submission=submission):
            try:
                offers.decline(offer=each, submission=submission, request_id=rid)
            except Conflict:  # the patient answered the offer in another window
                continue
        return redirect("intake:my")
    wanted = request.POST.get("offer", "")
    rows = Offer.objects.filter(request__submission=submission).select_related("appointment")
    chosen = next((row for row in rows if str(row.pk) == wanted), None)
    if chosen is None:
        raise Refused(_("Choose one of the times that we offer you."))
    offers.accept(offer=chosen, submission=submission, request_id=rid)
    return redirect("intake:my")


@require_http_methods(["GET", "HEAD", "POST"])
@with_grant
@with_refusals
def cancel(request: Request, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Ask the patient to confirm, then cancel the visit, with or without a wish for another."""
    visit = visit_of(submission)
    if visit is None:
        return redirect("intake:my")
    if not may_change(visit):
        raise Refused(_("It is too late to change this here. Please call us."))
    go = request.POST.get("go")
    if request.method != "POST" or go not in ("again", "cancel"):
        return render(request, "my/cancel.html", {"appointment": words_of(visit)})
    changing.cancel(appointment=visit, again=go == "again", request_id=request.request_id)
    return redirect("intake:my")


@require_POST
@with_grant
@with_refusals
def restore(request: Request, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Book the visit again that the patient has just canceled."""
    rows = submission.appointments.filter(status="cancelled").exclude(cancel_reason="")
    visit = rows.for_reading().order_by("-changed_at").first()
    if visit is not None:
        booking.restore(appointment=visit, request_id=request.request_id)
    return redirect("intake:my")


@require_POST
@with_grant
@with_refusals
def arrive(request: Request, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Note that the patient is here for today's visit."""
    visit = arrival.visit_of(submission)
    if visit is None:
        raise Refused(
            _("We have no visit for you today. Please ask at the front desk, or call us.")
        )
    arrival.arrive(appointment=visit, request_id=request.request_id)
    return redirect(f"{reverse('intake:my')}#visit")


@require_POST
@with_grant
@with_refusals
def again(request: Request, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Ask for another visit after the patient missed one."""
    changing.ask_again(submission=submission, request_id=request.request_id)
    return redirect("intake:my")


@require_POST
@with_grant
@with_refusals
def wait(request: Request, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Put the patient on the waiting list, or take the patient off the list."""
    leaves = request.POST.get("go") == "leave"
    act = waiting_list.leave_waitlist if leaves else waiting_list.join_waitlist
    act(submission=submission, request_id=request.request_id)
    return redirect("intake:my")


@require_safe
@with_grant
def calendar(request: Request, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Serve the visit as a calendar file."""
    visit = visit_of(submission)
    if visit is None:
        return redirect("intake:my")
    response = HttpResponse(
        calendar_file(visit), content_type=f"{media_type(visit)}; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{NAME}"'
    return response
