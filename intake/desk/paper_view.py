"""Show a submission as a sheet for paper, and as PDF."""

from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse

from clinic.requests import StaffRequest
from intake.desk import findings, pdf
from intake.desk.submission_page import SubmissionPage
from intake.desk.submission_view import visits_of
from intake.models.submissions import Submission
from intake.staff import reads
from intake.staff.lists import PatientAdmin, record_view
from intake.staff.status_words import target_words
from intake.wording.people import person_words
from intake.wording.reading import phone_words

SHEET = "admin/intake/submission/print.html"


class PaperView(PatientAdmin[Submission]):
    """Prints a submission: one page in short, then all answers."""

    @record_view
    def print_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        """Show the submission as a sheet for paper: one page, then all answers."""
        return TemplateResponse(request, SHEET, self._sheet(request, submission)).render()

    @record_view
    def pdf_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        """Send the sheet as PDF. Without WeasyPrint, shows the sheet, which a browser can print."""
        if not pdf.is_available():
            return TemplateResponse(request, SHEET, self._sheet(request, submission)).render()
        context = self._sheet(request, submission, format="pdf")
        data = pdf.from_html(render_to_string(SHEET, context, request))
        headers = {
            "Content-Disposition": f'attachment; filename="{submission.reference}.pdf"',
            "Cache-Control": "no-store",
        }
        return HttpResponse(data, content_type="application/pdf", headers=headers)

    def _sheet(
        self, request: StaffRequest, submission: Submission, format: str = ""
    ) -> dict[str, Any]:
        """Record the print and return what the sheet says. `format` is '' for the sheet itself."""
        page = SubmissionPage(submission)
        reads.record_read(
            submission=submission,
            by=request.user,
            request_id=request.request_id,
            action="print",
            besides=page.part_2,
            **({"format": format} if format else {}),
        )
        return {
            "page": page,
            "urgency_mark": self.urgency_mark(submission),
            "target": target_words(submission),
            "phone_words": phone_words(page.phone),
            "courses": findings.courses_of(submission),
            "visits": visits_of(submission),
            "by": person_words(request.user),
            "is_pdf": format == "pdf",
            "may_pdf": pdf.is_available(),
        }
