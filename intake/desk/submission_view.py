"""Show one submission to clinicians."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from clinic.requests import StaffRequest
from intake.desk import findings, list_place, pending
from intake.desk.forms import DecisionForm, MessageForm
from intake.desk.list_place import Place
from intake.desk.same_person_page import same_person_page
from intake.desk.submission_page import SubmissionPage
from intake.domain import workflow
from intake.models.pending import PendingDecision
from intake.models.submissions import Fit, Submission
from intake.staff import reads
from intake.staff.lists import PatientAdmin, record_view
from intake.staff.owed_calls import letter_words, owed_calls_of
from intake.staff.reach_words import reach_words
from intake.staff.status_words import target_words
from intake.staff.told import told_words
from intake.ways.contact import Reach
from intake.ways.forms import CallForm
from intake.wording.people import person_words
from intake.wording.reading import phone_words

HOLDS = "holds_decision"
"""Marks a session whose person may have a decision that can be undone."""


DECIDED = "decided"
"""Keeps in a session what was just decided and what comes next, by ids: a session names nobody."""


class SubmissionView(PatientAdmin[Submission]):
    """Shows a submission, and finds the next one of the worklist."""

    @record_view
    def change_view(
        self, request: StaffRequest, submission: Submission, **kwargs: Any
    ) -> HttpResponse:
        """Show the submission page. Staff can change a submission only by its buttons."""
        self.apply_held(request, but=submission.pk)
        self.say_decided(request, submission)
        return self.show(request, submission)

    def say_decided(self, request: StaffRequest, submission: Submission) -> None:
        """Say for whom which decision is stored, and link to the next submission of the list.

        This is a link and no redirect, because opening a submission is recorded as reading it. That
        the page names the next patient is recorded, too.
        """
        decided = request.session.pop(DECIDED, {})
        if decided.get("pk") != str(submission.pk):
            return
        stored = _("Stored for %(name)s: %(outcome)s.") % {
            "name": SubmissionPage(submission).name,
            "outcome": workflow.OUTCOMES[decided["outcome"]],
        }
        rows = Submission.objects.only("reference", "urgency", "person")
        following = rows.filter(pk=decided["next"]).first() if decided["next"] else None
        if following is None:
            messages.success(request, stored)
            return
        reads.record_list(
            submissions=[following], by=request.user, request_id=request.request_id, page="next"
        )
        words = _("Open next: %(name)s (%(urgency)s)") % {
            "name": SubmissionPage(following).name,
            "urgency": following.get_urgency_display(),
        }
        place = list_place.asked_place(request)
        link = list_place.with_place(self.address("change", following.pk), place)
        messages.success(
            request,
            format_html('{} <a class="next" data-key="n" href="{}">{}</a>', stored, link, words),
        )

    def apply_held(self, request: StaffRequest, *, but: UUID | None = None) -> None:
        """Let the decisions take effect that this person could undo until now.

        Says which could not, because the submission was changed meanwhile.
        """
        if not request.session.pop(HOLDS, False):
            return
        for row in pending.apply_of(by=request.user, but=but):
            words = _("Your decision for %(name)s is not stored: the submission was changed.")
            words %= {"name": SubmissionPage(row.submission).name}
            link = self.address("change", row.submission_id)
            messages.error(
                request, format_html('{} <a href="{}">{}</a>', words, link, _("Decide again"))
            )
        if but and PendingDecision.objects.filter(by=request.user, failed_at=None).exists():
            request.session[HOLDS] = True

    def let_take_effect(self, request: StaffRequest, submission: Submission) -> Submission:
        """Let a held decision take effect before another act on its submission.

        Returns the submission as it is then. The act was posted by a page that showed the held
        decision, so it counts as made after it.
        """
        row = getattr(submission, "pending_decision", None)
        if row is None or row.failed_at or not pending.apply(pk=row.pk):
            return submission
        fresh = self.record_or_404(request, submission.pk)
        if request.POST.get("revision") == str(row.revision):
            posted = request.POST.copy()
            posted["revision"] = str(fresh.revision)
            request.POST = posted  # type: ignore[assignment] # as Django reads it: a QueryDict
        return fresh

    def show(
        self,
        request: StaffRequest,
        submission: Submission,
        *,
        form: DecisionForm | None = None,
        call_form: CallForm | None = None,
        status: int = 200,
    ) -> HttpResponse:
        """Record the read and show the submission page, if need be with a form that was refused."""
        page = SubmissionPage(submission)
        reads.record_read(
            submission=submission,
            by=request.user,
            request_id=request.request_id,
            besides=page.part_2,
        )
        may_decide = request.user.has_perm("intake.decide_submission")
        reach = page.reach
        owed = owed_calls_of(request, submission, reach, page.calls, page.acts.tasks)
        place = list_place.asked_place(request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": submission.reference,
            "page": page,
            "target": target_words(submission),
            "urgency_mark": self.urgency_mark(submission),
            "waiting": self.waiting_for(submission),
            "phone": reach.phone,
            "phone_words": phone_words(reach.phone),
            "assignee": holder_words(submission),
            "message_form": MessageForm() if may_decide else None,
            "form": (form or DecisionForm(submission=submission, reach=reach, page=page))
            if may_decide
            else None,
            "call_form": (call_form or call_form_of(submission, reach=reach))
            if may_decide
            else None,
            "may_decide": may_decide,
            "held": held_of(submission, request.user),
            "fits": Fit.choices,
            "allowed": workflow.allowed(submission.status),
            "mine": submission.assignee_id == request.user.pk,
            "place": place,
            **self.neighbours(request, submission, place),
            "letter": letter_words(reach),
            "reach_words": reach_words(reach),
            "told": "" if owed else told_words(submission),
            "owed": owed,
            "courses": findings.courses_of(submission, page.findings),
            "line": (findings.WIDTH, findings.HEIGHT),
            "is_popup": False,
        }
        template = "admin/intake/submission/read.html"
        response = TemplateResponse(request, template, context, status=status)
        return response.render()

    def neighbours(
        self, request: StaffRequest, submission: Submission, place: Place
    ) -> dict[str, Any]:
        """Return the place of the submission in its list in words, and the links beside it."""
        at = list_place.position(submission, place, request)
        if at is None:
            return {"position": ""}
        links = {
            name: list_place.with_place(self.address("change", pk), place)
            for name, pk in (("before", at.before), ("after", at.after))
            if pk
        }
        return {"position": at.words, **links}

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Submission | None:
        """Return the submission with what its page reads of other tables, in one query."""
        rows = self.get_queryset(request).defer(None).defer("search_keys")
        rows = rows.select_related("assignee", "pending_decision__by")
        rows = rows.select_related("appointment_request__waiting", "phone_call__by")
        try:
            return rows.filter(pk=object_id).first()
        except ValidationError:  # the address has no UUID
            return None

    @record_view
    def same_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        """Show which submissions may be of the same person."""
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        return same_person_page(request, submission, context)


def held_of(submission: Submission, reader: User) -> dict[str, Any] | None:
    """Return the decision on a submission that has not taken effect, in words; None without one.

    A clinician who reads a decision that could not take effect sees what was typed, too.
    """
    row = getattr(submission, "pending_decision", None)
    if row is None:
        return None
    return {
        "row": row,
        "by": person_words(row.by),
        "mine": row.by_id == reader.pk,
        "typed": [words for words in (row.given["reason"], row.given["note"]) if words]
        if row.failed_at
        else [],
    }


def visits_of(submission: Submission) -> list[Any]:
    """Return the booked visits of a submission, the earliest first."""
    rows = submission.appointments.for_reading().filter(status__in=workflow.VISITS)
    return list(rows.order_by("during"))


def holder_words(row: Any) -> str:
    """Return the assignee's name, and why the assignee cannot decide; '' without an assignee."""
    if row.assignee is None:
        return ""
    if not row.assignee.is_active:
        return _("%(name)s (account closed)") % {"name": person_words(row.assignee)}
    if not row.can_decide:
        return _("%(name)s (has another role now)") % {"name": person_words(row.assignee)}
    return person_words(row.assignee)


def call_form_of(
    submission: Submission, data: QueryDict | None = None, *, reach: Reach | None = None
) -> CallForm:
    """Return the call form, with HTML ids that the decision form does not use."""
    return CallForm(submission=submission, data=data, reach=reach, auto_id="call_%s")
