"""The worklist and the submission page, for clinicians."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.lists import Context
from clinic.requests import StaffRequest
from intake import documents
from intake.desk import changes, decisions, findings, patient_messages, transitions
from intake.desk.export_page import export_page
from intake.desk.findings_page import findings_page
from intake.desk.forms import DecisionForm, MessageForm
from intake.desk.submission_page import SubmissionPage
from intake.domain import workflow
from intake.errors import Conflict
from intake.letters import sentences
from intake.models.calls import CallTask
from intake.models.people import deciders, without_clinician
from intake.models.submissions import ORDER, Fit, Submission
from intake.staff import reads
from intake.staff.filters import (
    MineFilter,
    ProtocolFilter,
    RedFlagFilter,
    SentFilter,
    StatusFilter,
    UrgencyFilter,
    protocols_of_list,
)
from intake.staff.lists import PatientAdmin, record_view, run_service
from intake.staff.owed_calls import letter_words, owed_calls_of, say_who_tells_patient
from intake.staff.reach_words import reach_words
from intake.staff.status_words import target_words
from intake.ways import calls
from intake.ways.contact import Reach, reach_of
from intake.ways.forms import CallForm
from intake.wording import advice
from intake.wording.people import person_words
from intake.wording.reading import phone_words


@admin.register(Submission)
class SubmissionAdmin(PatientAdmin[Submission]):
    """The list of submissions that wait, and the page on which clinicians decide."""

    list_display = [
        "urgency_mark", "opens", "patient", "waiting_for", "contact_by", "why", "state", "assigned"
    ]  # fmt: skip
    list_filter = [
        StatusFilter, UrgencyFilter, MineFilter, RedFlagFilter, ProtocolFilter, SentFilter
    ]  # fmt: skip
    posts = ["decide", "assign", "move", "message", "settle", "trust", "call", "findings", "print"]
    list_title = gettext_lazy("Worklist")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Submission]:
        rows = super().get_queryset(request).select_related("assignee")
        can_decide = Exists(deciders().filter(pk=OuterRef("assignee")))
        rows = rows.annotate(can_decide=can_decide)
        deferred: QuerySet[Submission] = rows.defer("answers", "search_keys")
        return deferred

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Return the columns. If there are several protocols, one column names the protocol."""
        columns = [*super().get_list_display(request)]
        if len(protocols_of_list(request)) > 1:
            columns.insert(columns.index("waiting_for"), "questions")
        return columns

    @admin.display(description=gettext_lazy("Questions"))
    def questions(self, row: Submission) -> str:
        return documents.title_of(row.protocol_id)

    def titled(self, extra_context: Context | None) -> dict[str, Any]:
        suspects = Submission.objects.filter(suspect=True).count()
        return super().titled({"suspects": suspects, **(extra_context or {})})

    @admin.display(description=gettext_lazy("Why"))
    def why(self, row: Submission) -> str:
        fired = advice.winning_rules(row.result)
        names = capfirst("; ".join(f.name for f in fired[:2]))
        more = len(row.result.fired) - min(len(fired), 2)
        return _("%(names)s, %(n)s more") % {"names": names, "n": more} if more else names

    @admin.display(description=gettext_lazy("Assigned to"), ordering=None)
    def assigned(self, row: Any) -> str:
        return holder_words(row) or "–"

    @record_view
    def change_view(
        self, request: StaffRequest, submission: Submission, **kwargs: Any
    ) -> HttpResponse:
        """Show the submission page. Staff can change a submission only by its buttons."""
        return self.show(request, submission)

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
        reads.record_read(submission=submission, by=request.user, request_id=request.request_id)
        page = SubmissionPage(submission)
        if page.part_2 is not None:
            reads.record_read(
                submission=page.part_2, by=request.user, request_id=request.request_id
            )
        may_decide = request.user.has_perm("intake.decide_submission")
        reach = reach_of(submission)
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
            "form": (form or DecisionForm(submission=submission, reach=reach))
            if may_decide
            else None,
            "call_form": (call_form or call_form_of(submission, reach=reach))
            if may_decide
            else None,
            "may_decide": may_decide,
            "fits": Fit.choices,
            "allowed": workflow.allowed(submission.status),
            "mine": submission.assignee_id == request.user.pk,
            "next": self.next_after(submission, request.user),
            "letter": letter_words(reach),
            "reach_words": reach_words(reach),
            "owed": owed_calls_of(request, submission, reach),
            "courses": findings.courses_of(submission),
            "line": (findings.WIDTH, findings.HEIGHT),
            "is_popup": False,
        }
        template = "admin/intake/submission/read.html"
        response = TemplateResponse(request, template, context, status=status)
        return response.render()

    def next_after(self, submission: Submission, by: User) -> str:
        """Return the URL of the next submission that no colleague has taken, or ''."""
        rank, target = submission.urgency, submission.target_at
        behind = Q(urgency__lt=rank) | Q(target_at__gt=target)
        behind |= Q(target_at=target, id__gt=submission.pk)
        behind &= Q(alarm=submission.alarm, urgency__lte=rank)
        if submission.alarm:
            behind |= Q(alarm=False)
        after = _free(by).filter(behind, alarm__lte=submission.alarm).first()
        after = after or self.first_waiting(submission, by)
        return self.address("change", after.pk) if after else ""

    def first_waiting(self, submission: Submission, by: User) -> Submission | None:
        """Return the first other submission on the worklist that no colleague has taken."""
        return _free(by).exclude(pk=submission.pk).first()

    def offer_next(self, request: StaffRequest, submission: Submission) -> None:
        """Say that the decision is stored, and link to the next submission.

        This is a link and no redirect, because opening a submission is recorded as reading it.
        """
        stored = _("Decision on %(ref)s stored.") % {"ref": submission.reference}
        following = self.first_waiting(submission, request.user)
        if following is None:
            messages.success(request, stored)
            return
        words = _("Open next: %(ref)s (%(urgency)s)") % {
            "ref": following.reference,
            "urgency": following.get_urgency_display(),
        }
        link = self.address("change", following.pk)
        messages.success(request, format_html('{} <a href="{}">{}</a>', stored, link, words))

    @record_view
    def decide_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        if request.method != "POST":
            return redirect(self.address("change", submission.pk))
        if not request.user.has_perm("intake.decide_submission"):
            raise PermissionDenied
        form = DecisionForm(data=request.POST, submission=submission)
        if not form.is_valid():
            return self.show(request, submission, form=form, status=422)
        try:
            with transaction.atomic():
                decisions.decide(
                    submission=submission,
                    given=form.decision_input(),
                    by=request.user,
                    revision=form.cleaned_data["revision"],
                    request_id=request.request_id,
                )
        except (Conflict, workflow.NotAllowed) as error:
            words = str(error)
            if not form.is_current and isinstance(error, workflow.NotAllowed):
                words = f"{changes.CHANGED_MEANWHILE} {words}"
            submission.refresh_from_db()
            form.refresh(submission)
            form.add_error(None, words)
            return self.show(request, submission, form=form, status=409)
        self.offer_next(request, submission)
        return redirect(self.address("change", submission.pk))

    @record_view
    def call_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        """Record a call.

        If the call reached the patient, settles the calls that staff owe for more information.
        """
        back = f"{self.address('change', submission.pk)}#call"
        if request.method != "POST":
            return redirect(back)
        if not request.user.has_perm("intake.decide_submission"):
            raise PermissionDenied
        form = call_form_of(submission, request.POST)
        if not form.is_valid():
            return self.show(request, submission, call_form=form, status=422)
        made = form.call_input()
        calls.record(
            submission=submission,
            outcome=made.outcome,
            again_at=made.again_at,
            words=made.words,
            revision=form.cleaned_data["revision"],
            by=request.user,
            request_id=request.request_id,
            tasks=submission.call_tasks.filter(settled_at=None, reason=CallTask.Reason.MORE),
        )
        submission.refresh_from_db(fields=["alarm"])
        if submission.alarm:
            messages.warning(request, _("The call is noted. What the patient wrote still waits."))
        else:
            messages.success(request, _("The call is noted."))
        return redirect(back)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name="intake_submission_export"), *super().get_urls()]

    def export_view(self, request: StaffRequest) -> HttpResponseBase:
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        return export_page(request, context)

    @record_view
    def findings_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        back = self.address("change", submission.pk)
        return findings_page(request, submission, back=back, context=context)

    @record_view
    def print_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        """Show the submission as a sheet for paper: one page, then all answers."""
        page = SubmissionPage(submission)
        for row in filter(None, (submission, page.part_2)):
            reads.record_read(
                submission=row, by=request.user, request_id=request.request_id, action="print"
            )
        context = {
            "page": page,
            "urgency_mark": self.urgency_mark(submission),
            "target": target_words(submission),
            "phone_words": phone_words(page.phone),
            "courses": findings.courses_of(submission),
            "visits": visits_of(submission),
            "by": person_words(request.user),
        }
        template = "admin/intake/submission/print.html"
        return TemplateResponse(request, template, context).render()

    @record_view
    def assign_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        to = None if request.POST.get("to") == "nobody" else request.user
        return self._act(request, submission, transitions.assign, to=to)

    @record_view
    def move_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        action, fit = (request.POST.get(name, "") for name in ("action", "fit"))
        return self._act(request, submission, transitions.move, action=action, fit=fit)

    @record_view
    def message_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        form = MessageForm(data=request.POST)
        if not form.is_valid():
            messages.error(request, _("Choose a message."))
            return redirect(self.address("change", submission.pk))
        texts = sentences.message_texts([form.cleaned_data["message"]], submission.language)
        news = (_("The message is stored."), CallTask.Reason.MESSAGE)
        return self._act(request, submission, patient_messages.send, news=news, **texts)

    @record_view
    def settle_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        return self._act(request, submission, patient_messages.settle_reply)

    @record_view
    def trust_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        return self._act(request, submission, transitions.mark_genuine)

    def _act(
        self,
        request: StaffRequest,
        submission: Submission,
        service: Callable[..., None],
        news: tuple[str, str] | None = None,
        **kwargs: Any,
    ) -> HttpResponse:
        """Run the service of a button with the revision that staff read.

        Pass `news` if the patient has to hear of the act: what was done, and the reason of the call
        that staff owe if no letter tells the patient.
        """
        if request.method == "POST":
            if not request.user.has_perm("intake.decide_submission"):
                raise PermissionDenied
            if run_service(request, submission, service, **kwargs) and news:
                say_who_tells_patient(request, submission, *news)
        return redirect(self.address("change", submission.pk))


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


def _free(by: User) -> QuerySet[Submission]:
    """Return the waiting submissions that no colleague of `by` has taken, sorted like the worklist.

    Loads no sealed column.
    """
    rows = Submission.objects.waiting().filter(Q(assignee=by) | without_clinician())
    return rows.order_by(*ORDER).only("reference", "urgency")
