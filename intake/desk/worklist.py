"""The worklist and the submission page, for clinicians."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake.desk import decisions
from intake.desk.decision_form import DecisionForm
from intake.desk.submission_page import MessageForm, SubmissionPage
from intake.domain import workflow
from intake.errors import Conflict
from intake.letters import sentences
from intake.models.calls import CallTask
from intake.models.people import deciders, without_clinician
from intake.models.submissions import ORDER, Submission
from intake.staff import reads
from intake.staff.lists import (
    MineFilter,
    PatientAdmin,
    RedFlagFilter,
    SentFilter,
    StatusFilter,
    UrgencyFilter,
    act,
    served,
    target_words,
)
from intake.staff.owed_calls import letter_words, owed_to, say_told
from intake.ways import calls
from intake.ways.forms import CallForm
from intake.wording import advice
from intake.wording.people import person_words
from intake.wording.reading import phone_words


@admin.register(Submission)
class SubmissionAdmin(PatientAdmin):
    """The worklist and the submission page, for clinicians."""

    list_display = [
        "urgency_mark", "opens", "patient", "waiting_for", "contact_by", "why", "state", "assigned"
    ]  # fmt: skip
    list_filter = [StatusFilter, UrgencyFilter, MineFilter, RedFlagFilter, SentFilter]
    posts = ["decide", "assign", "move", "message", "settle", "trust", "call"]
    list_title = gettext_lazy("Worklist")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Submission]:
        rows = super().get_queryset(request).select_related("assignee")
        can_decide = Exists(deciders().filter(pk=OuterRef("assignee")))
        return rows.annotate(can_decide=can_decide).defer("answers", "search_keys")

    def titled(self, extra_context: Any) -> dict[str, Any]:
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

    @served
    def change_view(
        self, request: HttpRequest, submission: Submission, **kwargs: Any
    ) -> HttpResponse:
        """The submission page; there is nothing to change on it but by its buttons."""
        return self.show(request, submission)

    def show(
        self,
        request: HttpRequest,
        submission: Submission,
        *,
        form: DecisionForm | None = None,
        call_form: CallForm | None = None,
        status: int = 200,
    ) -> HttpResponse:
        reads.record_read(submission=submission, by=request.user, request_id=request.request_id)
        page = SubmissionPage(submission)
        may_decide = request.user.has_perm("intake.decide_submission")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": submission.reference,
            "page": page,
            "target": target_words(submission),
            "urgency_mark": self.urgency_mark(submission),
            "waiting": self.waiting_for(submission),
            "phone_words": phone_words(page.phone),
            "assignee": holder_words(submission),
            "message_form": MessageForm() if may_decide else None,
            "form": (form or DecisionForm(submission=submission)) if may_decide else None,
            "call_form": (call_form or call_form_of(submission)) if may_decide else None,
            "may_decide": may_decide,
            "allowed": workflow.allowed(submission.status),
            "mine": submission.assignee_id == request.user.pk,
            "next": self.next_after(submission, request.user),
            "letter": letter_words(submission),
            "owed": owed_to(request, submission),
            "is_popup": False,
        }
        template = "admin/intake/submission/read.html"
        response = TemplateResponse(request, template, context, status=status)
        return response.render()

    def next_after(self, submission: Submission, by: Any) -> str:
        """The address of what follows in the worklist and nobody else has taken, '' if nothing."""
        rank, target = submission.urgency, submission.target_at
        behind = Q(urgency__lt=rank) | Q(target_at__gt=target)
        behind |= Q(target_at=target, id__gt=submission.pk)
        behind &= Q(alarm=submission.alarm, urgency__lte=rank)
        if submission.alarm:
            behind |= Q(alarm=False)
        after = _free(by).filter(behind, alarm__lte=submission.alarm).first()
        after = after or self.first_waiting(submission, by)
        return self.address("change", after.pk) if after else ""

    def first_waiting(self, submission: Submission, by: Any) -> Submission | None:
        """What comes first in the worklist of all others that nobody else has taken."""
        return _free(by).exclude(pk=submission.pk).first()

    def offer_next(self, request: HttpRequest, submission: Submission) -> None:
        """Say that a decision is stored, and lead to the next one. It opens when a person follows:
        nobody has read what nobody asked for."""
        told = _("Decision on %(ref)s stored.") % {"ref": submission.reference}
        following = self.first_waiting(submission, request.user)
        if following is None:
            messages.success(request, told)
            return
        words = _("Open next: %(ref)s (%(urgency)s)") % {
            "ref": following.reference,
            "urgency": following.get_urgency_display(),
        }
        link = self.address("change", following.pk)
        messages.success(request, format_html('{} <a href="{}">{}</a>', told, link, words))

    @served
    def decide_view(self, request: HttpRequest, submission: Submission) -> HttpResponse:
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
                    verdict=form.verdict(),
                    by=request.user,
                    revision=form.cleaned_data["revision"],
                    request_id=request.request_id,
                )
        except (Conflict, workflow.NotAllowed) as error:
            submission.refresh_from_db()
            form.renew(submission)
            form.add_error(None, str(error))
            return self.show(request, submission, form=form, status=409)
        self.offer_next(request, submission)
        return redirect(self.address("change", submission.pk))

    @served
    def call_view(self, request: HttpRequest, submission: Submission) -> HttpResponse:
        """Note a call to the patient, who heard what we ask of them if they were reached."""
        back = f"{self.address('change', submission.pk)}#call"
        if request.method != "POST":
            return redirect(back)
        if not request.user.has_perm("intake.decide_submission"):
            raise PermissionDenied
        form = call_form_of(submission, request.POST)
        if not form.is_valid():
            return self.show(request, submission, call_form=form, status=422)
        made = form.made()
        calls.note(
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

    @served
    def assign_view(self, request: HttpRequest, submission: Submission) -> HttpResponse:
        to = None if request.POST.get("to") == "nobody" else request.user
        return self._act(request, submission, decisions.assign, to=to)

    @served
    def move_view(self, request: HttpRequest, submission: Submission) -> HttpResponse:
        return self._act(request, submission, decisions.move, action=request.POST.get("action", ""))

    @served
    def message_view(self, request: HttpRequest, submission: Submission) -> HttpResponse:
        form = MessageForm(data=request.POST)
        if not form.is_valid():
            messages.error(request, _("Choose a message."))
            return redirect(self.address("change", submission.pk))
        given = sentences.told([form.cleaned_data["message"]], submission.language)
        told = (_("The message is stored."), CallTask.Reason.MESSAGE)
        return self._act(request, submission, decisions.message_patient, told=told, **given)

    @served
    def settle_view(self, request: HttpRequest, submission: Submission) -> HttpResponse:
        return self._act(request, submission, decisions.settle_reply)

    @served
    def trust_view(self, request: HttpRequest, submission: Submission) -> HttpResponse:
        return self._act(request, submission, decisions.mark_genuine)

    def _act(
        self,
        request: HttpRequest,
        submission: Submission,
        service: Callable[..., None],
        told: tuple[str, str] | None = None,
        **kwargs: Any,
    ) -> HttpResponse:
        """One button: a POST with the revision that was read. `told`: what was done that the
        patient has to hear of, and for which reason a call would be owed."""
        if request.method == "POST":
            if not request.user.has_perm("intake.decide_submission"):
                raise PermissionDenied
            if act(request, submission, service, **kwargs) and told:
                say_told(request, submission, *told)
        return redirect(self.address("change", submission.pk))


def holder_words(row: Any) -> str:
    """Who has taken a submission, and whether they can still decide; '' for nobody."""
    if row.assignee is None:
        return ""
    if not row.assignee.is_active:
        return _("%(name)s (account closed)") % {"name": person_words(row.assignee)}
    if not row.can_decide:
        return _("%(name)s (has another role now)") % {"name": person_words(row.assignee)}
    return person_words(row.assignee)


def call_form_of(submission: Submission, data: QueryDict | None = None) -> CallForm:
    """The call form beside the decision form, whose call has the same names: ids of its own."""
    return CallForm(submission=submission, data=data, auto_id="call_%s")


def _free(by: Any) -> QuerySet[Submission]:
    """Those that wait and are nobody else's, in the order of the worklist; nothing sealed."""
    rows = Submission.objects.waiting().filter(Q(assignee=by) | without_clinician())
    return rows.order_by(*ORDER).only("reference", "urgency")
