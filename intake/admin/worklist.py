"""The worklist and the submission page, for clinicians."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake import advice, communications, services
from intake.admin.lists import (
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
from intake.admin.page import DecisionForm, MessageForm, SubmissionPage, person_words
from intake.admin.telling import letter_words, owed_to, say_told
from intake.domain import workflow
from intake.models import CallTask, Submission
from intake.reading import phone_words


@admin.register(Submission)
class SubmissionAdmin(PatientAdmin):
    """The worklist and the submission page, for clinicians."""

    list_display = [
        "urgency_mark", "opens", "patient", "waiting_for", "contact_by", "why", "state", "assigned"
    ]  # fmt: skip
    list_filter = [StatusFilter, UrgencyFilter, MineFilter, RedFlagFilter, SentFilter]
    posts = ["decide", "assign", "move", "message", "settle", "trust"]
    list_title = gettext_lazy("Worklist")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Submission]:
        rows = super().get_queryset(request).select_related("assignee")
        return rows.defer("answers", "search_keys")

    def titled(self, extra_context: Any) -> dict[str, Any]:
        suspects = Submission.objects.filter(suspect=True).count()
        return super().titled({"suspects": suspects, **(extra_context or {})})

    @admin.display(description=gettext_lazy("Why"))
    def why(self, row: Submission) -> str:
        fired = advice.top(row.result)
        names = capfirst("; ".join(f.name for f in fired[:2]))
        more = len(row.result.fired) - min(len(fired), 2)
        return _("%(names)s, %(n)s more") % {"names": names, "n": more} if more else names

    @admin.display(description=gettext_lazy("Assigned to"), ordering=None)
    def assigned(self, row: Submission) -> str:
        return person_words(row.assignee) if row.assignee else "–"

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
        status: int = 200,
    ) -> HttpResponse:
        services.open_submission(
            submission=submission, by=request.user, request_id=request.request_id
        )
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
            "assignee": person_words(submission.assignee) if submission.assignee else "",
            "message_form": MessageForm() if may_decide else None,
            "form": (form or DecisionForm(submission=submission)) if may_decide else None,
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
        after = _free(by).filter(behind, urgency__lte=rank).first()
        return self._page_of(after) or self.first_waiting(submission, by)

    def first_waiting(self, submission: Submission, by: Any) -> str:
        """The address of the most urgent other one that nobody else has taken, '' if none."""
        return self._page_of(_free(by).exclude(pk=submission.pk).first())

    def _page_of(self, pk: Any) -> str:
        return self.address("change", pk) if pk else ""

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
                services.decide(
                    submission=submission,
                    verdict=form.verdict(),
                    by=request.user,
                    revision=form.cleaned_data["revision"],
                    request_id=request.request_id,
                )
        except (services.Conflict, workflow.NotAllowed) as error:
            submission.refresh_from_db()
            form.renew(submission)
            form.add_error(None, str(error))
            return self.show(request, submission, form=form, status=409)
        messages.success(request, _("Decision on %(ref)s stored.") % {"ref": submission.reference})
        following = self.first_waiting(submission, request.user)
        return HttpResponseRedirect(following or self.address("changelist"))

    @served
    def assign_view(self, request: HttpRequest, submission: Submission) -> HttpResponse:
        to = None if request.POST.get("to") == "nobody" else request.user
        return self._act(request, submission, services.assign, to=to)

    @served
    def move_view(self, request: HttpRequest, submission: Submission) -> HttpResponse:
        return self._act(request, submission, services.move, action=request.POST.get("action", ""))

    @served
    def message_view(self, request: HttpRequest, submission: Submission) -> HttpResponse:
        form = MessageForm(data=request.POST)
        if not form.is_valid():
            messages.error(request, _("Choose a message."))
            return redirect(self.address("change", submission.pk))
        code = form.cleaned_data["message"]
        text = communications.words(code, submission.language)
        english = communications.words(code)
        given = {"text": text} | ({"english": english} if english != text else {})
        told = (_("The message is stored."), CallTask.Reason.MESSAGE)
        return self._act(request, submission, services.message_patient, told=told, **given)

    @served
    def settle_view(self, request: HttpRequest, submission: Submission) -> HttpResponse:
        return self._act(request, submission, services.settle_reply)

    @served
    def trust_view(self, request: HttpRequest, submission: Submission) -> HttpResponse:
        return self._act(request, submission, services.trust)

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


def _free(by: Any) -> QuerySet[Any, Any]:
    """The ids that wait and are nobody else's, in the order of the worklist."""
    mine_or_nobodys = Q(assignee=None) | Q(assignee=by)
    rows = Submission.objects.waiting().filter(mine_or_nobodys)
    return rows.order_by("-urgency", "target_at", "id").values_list("pk", flat=True)
