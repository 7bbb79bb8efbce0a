"""The staff page on which a clinician records findings and corrects them."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from clinic.requests import StaffRequest
from intake.desk import findings
from intake.desk.finding_forms import FindingForm
from intake.errors import Conflict
from intake.models.findings import Finding
from intake.models.submissions import Submission
from intake.protocols import scales
from intake.staff import reads


def findings_page(
    request: StaffRequest, submission: Submission, *, back: str, context: dict[str, Any]
) -> HttpResponse:
    """Show the findings of a submission and, with `add` or `correct` in the address, the form.

    `back` is the address of the submission's page. Runs in the caller's transaction.
    """
    if not request.user.has_perm("intake.add_finding"):
        raise PermissionDenied
    reads.record_read(submission=submission, by=request.user, request_id=request.request_id)
    form, status = _form(request, submission), 200
    if request.method == "POST" and form is not None:
        status = 422
        if form.is_valid():
            try:
                findings.record(
                    submission=submission,
                    given=form.given(),
                    replaces=form.wrong,
                    by=request.user,
                    request_id=request.request_id,
                )
            except Conflict as error:
                form.add_error(None, str(error))
                status = 409
            else:
                messages.success(request, _("Stored: %(name)s.") % {"name": form.scale.name})
                return redirect(f"{back}#findings")
    first, others = findings.offered_for(submission)
    own = {
        "title": _("Findings of %(ref)s") % {"ref": submission.reference},
        "submission": submission,
        "courses": findings.courses_of(submission),
        "line": (findings.WIDTH, findings.HEIGHT),
        "form": form,
        "first": first,
        "others": others,
        "is_popup": False,
    }
    template = "admin/intake/submission/findings.html"
    return TemplateResponse(request, template, {**context, **own}, status=status).render()


def _form(request: StaffRequest, submission: Submission) -> FindingForm | None:
    """Return the form that the address asks for; None if it asks for no form."""
    data = request.POST if request.method == "POST" else None
    if wanted := request.GET.get("correct"):
        try:
            wrong = submission.findings.filter(pk=wanted).first()
        except ValidationError:
            wrong = None
        if not isinstance(wrong, Finding):
            raise Http404
        return FindingForm(scale=scales()[wrong.content["scale"]], wrong=wrong, data=data)
    scale = scales().get(request.GET.get("add", ""))
    if scale is None or not findings.is_licensed(scale):
        return None
    return FindingForm(scale=scale, data=data)
