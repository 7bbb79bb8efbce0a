"""The staff page that shows which submissions may be of the same person."""

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic.requests import StaffRequest
from intake.desk import same_person
from intake.domain.stored import PHONE
from intake.errors import Conflict
from intake.models.submissions import Submission
from intake.staff import reads
from intake.wording.reading import phone_words

ACTS = {"confirm": same_person.confirm, "undo": same_person.undo}


def same_person_page(
    request: StaffRequest, submission: Submission, context: dict[str, Any]
) -> HttpResponse:
    """Show the submissions that may be of the same person, and take what staff say about one.

    Runs in the caller's transaction.
    """
    if request.method == "POST":
        return _act(request, submission)
    found = same_person.alike(submission)
    reads.record_list(
        submissions=[submission, *(each.submission for each in found)],
        by=request.user,
        request_id=request.request_id,
        page="same_person",
    )
    own = {
        "title": _("Same person as %(ref)s?") % {"ref": submission.reference},
        "submission": submission,
        "found": [(each, identity_words(each.submission)) for each in found],
        "own": identity_words(submission),
        "may_decide": request.user.has_perm("intake.decide_submission"),
        "is_popup": False,
    }
    template = "admin/intake/submission/same_person.html"
    return TemplateResponse(request, template, {**context, **own}).render()


def identity_words(submission: Submission) -> str:
    """Return by what staff tell two people of one name apart: birth date, phone, e-mail."""
    person = submission.person
    stored = person.get("birth_date")
    born = date_format(date.fromisoformat(stored), "j M Y") if stored else ""
    return ", ".join(filter(None, (born, phone_words(person.get(PHONE, "")), person.get("email"))))


def _act(request: StaffRequest, submission: Submission) -> HttpResponse:
    """Store or take back that a submission is of the same person."""
    if not request.user.has_perm("intake.decide_submission"):
        raise PermissionDenied
    act = ACTS.get(request.POST.get("act", ""))
    other = _other(request.POST.get("other", ""))
    if act is None or other is None:
        raise Http404
    try:
        act(submission=submission, other=other, by=request.user, request_id=request.request_id)
    except Conflict as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Stored."))
    return redirect(request.path)


def _other(key: str) -> Submission | None:
    try:
        return Submission.objects.only("reference").filter(pk=UUID(key)).first()
    except ValueError:
        return None
