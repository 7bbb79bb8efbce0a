"""Show one row of a list in more words: what decides, or what the front desk needs."""

from typing import Any

from django.contrib import admin
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.requests import StaffRequest
from intake.desk.list_place import asked_place, with_place
from intake.desk.submission_page import SubmissionPage
from intake.desk.submission_view import SubmissionView, visits_of
from intake.models.submissions import FrontDesk, Submission
from intake.staff import reads
from intake.staff.lists import PatientAdmin, record_view
from intake.staff.reach_words import reach_words
from intake.staff.status_words import day_words
from intake.ways.contact import reach_of
from intake.wording.reading import phone_words


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


class FrontPreview(PatientAdmin[FrontDesk]):
    """Shows the front desk's preview: contact, wish and visits, but no words, flags or values."""

    @admin.display(description=gettext_lazy("Preview"))
    def look(self, row: FrontDesk) -> str:
        name = row.person.get("name") or row.reference
        return preview_link(self.address("preview", row.pk), str(name))

    @record_view
    def preview_view(self, request: StaffRequest, row: FrontDesk) -> HttpResponse:
        reads.record_read(
            submission=row, by=request.user, request_id=request.request_id, page="preview"
        )
        page = SubmissionPage(row)
        context: dict[str, Any] = {
            "page": page,
            "urgency_mark": self.urgency_mark(row),
            "born": day_words(row.person["birth_date"]) if row.person.get("birth_date") else "",
            "phone_words": phone_words(page.phone),
            "reach_words": reach_words(reach_of(row)),
            "visits": visits_of(row),
            "open": self.address("change", row.pk),
        }
        template = "admin/intake/frontdesk/preview_part.html"
        if "part" not in request.GET:
            template = "admin/intake/frontdesk/preview.html"
            title, back = page.name, self.address("changelist")
            context |= {**self.admin_site.each_context(request), "opts": self.opts}
            context |= {"title": title, "back": back}
        return TemplateResponse(request, template, context).render()


def preview_link(address: str, name: str) -> str:
    """Return the link to a preview, which a script may show below the row."""
    label = _("Preview: %(name)s") % {"name": name}
    link = '<a class="peek" href="{}" aria-label="{}" data-preview>{}</a>'
    return format_html(link, address, label, _("Preview"))
