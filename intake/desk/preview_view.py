"""Show what decides about one submission, in the worklist below its row."""

from typing import Any

from django.http import HttpResponse
from django.template.response import TemplateResponse

from clinic.requests import StaffRequest
from intake.desk.list_place import asked_place, with_place
from intake.desk.submission_page import SubmissionPage
from intake.desk.submission_view import SubmissionView, visits_of
from intake.models.submissions import Submission
from intake.staff import reads
from intake.staff.lists import record_view


class PreviewView(SubmissionView):
    """Shows the preview of a submission: a page of its own, or a part for the script of the list.

    The look is recorded as a read of a preview. It ends no clock, and the person does not count as
    looking at the submission's page.
    """

    @record_view
    def preview_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        reads.record_read(
            submission=submission, by=request.user, request_id=request.request_id, page="preview"
        )
        page, place = SubmissionPage(submission), asked_place(request)
        context: dict[str, Any] = {
            "page": page,
            "urgency_mark": self.urgency_mark(submission),
            "visits": visits_of(submission),
            "open": with_place(self.address("change", submission.pk), place),
            "back": place.address,
            "may_decide": request.user.has_perm("intake.decide_submission"),
            "is_taken": submission.assignee_id is not None,
        }
        template = "admin/intake/submission/preview_part.html"
        if "part" not in request.GET:
            template = "admin/intake/submission/preview.html"
            title = page.name
            context |= {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        return TemplateResponse(request, template, context).render()
