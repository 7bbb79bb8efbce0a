"""The staff's pages of phone calls: begin one, find one's own again, and what to say at the end."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clinic import audit, limits
from clinic.context import phone_link
from clinic.lists import Context, ReadOnlyAdmin
from clinic.requests import StaffRequest, request_id, signed_in_user
from intake.errors import Refused
from intake.models.calls import Call
from intake.models.phone_calls import PhoneCall
from intake.models.submissions import Kind
from intake.phone import entering, mount
from intake.phone.forms import NO, CallBackForm, CallerForm, OpeningForm, StepForm
from intake.protocols import named
from intake.questionnaire import drafts
from intake.questionnaire.by_phone import may_hear_reference
from intake.questionnaire.views.browser import redirect_to
from intake.questionnaire.views.receipt import sent_context
from intake.staff import reads
from intake.staff.entered_by_phone import caller_words, entered_words, step_rows
from intake.ways.calls import next_try
from intake.wording.aloud import closing_words
from intake.wording.people import person_words
from intake.wording.reading import phone_words

View = Callable[..., HttpResponse]
HOUR = timedelta(hours=1)
GONE = gettext_lazy(
    "This call is not open any more: it was sent or deleted. Nothing of that page was saved."
)


def own_call(method: Callable[..., HttpResponse]) -> View:
    """Turn a method into the view of a call, which only the member of staff who began it opens."""

    @wraps(method)
    def view(
        self: "PhoneCallAdmin", request: StaffRequest, object_id: UUID | str, **kwargs: Any
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = PhoneCall.objects.select_related("draft", "submission", "by")
        call = rows.filter(pk=object_id).first()
        if call is None:
            messages.error(request, GONE)
            return redirect(self.address("changelist"))
        if call.by_id != request.user.pk:
            with transaction.atomic():
                audit.record_request(request, "deny", str(call.pk), page="phonecall")
            words = _("%(name)s has this call, and only %(name)s can open it.")
            messages.error(request, words % {"name": person_words(call.by)})
            return redirect(self.address("changelist"))
        try:
            return method(self, request, call, **kwargs)
        except Refused as refused:
            messages.error(request, str(refused))
            return redirect(self.address("changelist"))

    return view


@admin.register(PhoneCall)
class PhoneCallAdmin(ReadOnlyAdmin[PhoneCall]):
    """The list of unfinished calls, and the pages of a call before and after the questionnaire."""

    is_in_index = False

    def has_view_permission(self, request: HttpRequest, obj: PhoneCall | None = None) -> bool:
        return request.user.has_perm(entering.RIGHT)

    has_add_permission = has_view_permission

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<uuid:object_id>/{name.replace('_', '-')}/{more}",
                self.admin_site.admin_view(getattr(self, f"{name}_view")),
                name=f"intake_phonecall_{name}",
            )
            for name, more in [
                *((name, "") for name in ("caller", "later", "back", "take", "remove")),
                ("walk", "<path:rest>"),
            ]
        ]
        return own + super().get_urls()

    def page(
        self, request: HttpRequest, template: str, context: Context, status: int = 200
    ) -> HttpResponse:
        each = self.admin_site.each_context(request)
        whole = {**each, "opts": self.opts, "list": self.address("changelist"), **context}
        template = f"admin/intake/phonecall/{template}.html"
        return TemplateResponse(request, template, whole, status=status).render()

    def record(self, request: StaffRequest, call: PhoneCall) -> None:
        """Record that a member of staff saw what is stored of a call."""
        with transaction.atomic():
            audit.record(
                actor=audit.staff(request.user),
                action="read",
                subject=str(call.pk),
                purpose="TREAT",
                request_id=request.request_id,
                detail={"kind": "phone"},
            )

    # --- the list --------------------------------------------------------------------------------
    def changelist_view(
        self, request: HttpRequest, extra_context: Context | None = None
    ) -> HttpResponse:
        """Show the own unfinished calls, who has the others, and whom to call back."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        calls = list(PhoneCall.objects.unfinished())
        owed = list(PhoneCall.objects.to_call_back())
        me = signed_in_user(request)
        mine = [call for call in calls if call.by_id == me.pk]
        with transaction.atomic():
            shown = [str(call.pk) for call in (*mine, *owed)]
            audit.record_request(request, "list", page="phonecall", ids=shown)
        context = {
            "title": _("Calls"),
            "mine": [self.row(call) for call in mine],
            "others": [
                (call, person_words(call.by), entering.may_take_over(call, me))
                for call in calls
                if call.by_id != me.pk
            ],
            "owed": [
                {
                    "call": call,
                    "phone": phone_words(call.phone),
                    "link": phone_link(call.phone.partition(";")[0]),
                    "late": call.call_back_at and call.call_back_at <= timezone.now(),
                }
                for call in owed
            ],
            "days": settings.DRAFT_DAYS,
        }
        return self.page(request, "list", context)

    def row(self, call: PhoneCall) -> Context:
        """Return what the list shows of an own call: number, caller, and where it stands."""
        stands = _("The questions are not begun.")
        if call.draft:
            walk = drafts.walk_of(call.draft)
            if walk.interrupting_rules:
                stands = _("Stopped at an emergency, and not recorded yet.")
            elif walk.first_open is None:
                stands = _("All is answered, and not sent.")
            else:
                done = sum(walk.done(step) for step in walk.steps)
                words = {"done": done, "all": len(walk.steps)}
                stands = _("%(done)s of %(all)s pages are answered.") % words
        return {
            "call": call,
            "phone": phone_words(call.phone),
            "caller": caller_words(call),
            "stands": stands,
        }

    # --- before the questionnaire ----------------------------------------------------------------
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Context | None = None
    ) -> HttpResponse:
        """Ask for the number to call back, and whether the caller can talk freely."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = OpeningForm(request.POST if request.method == "POST" else None)
        context = {"title": _("Enter a call"), "form": form, "notice": ""}
        if request.method != "POST" or not form.is_valid():
            return self.page(request, "opening", context, 422 if form.errors else 200)
        me = signed_in_user(request)
        limit = limits.Limit(f"phone:{me.pk}", settings.LIMIT_PHONE_CALLS, HOUR)
        if seconds := limits.take_all(limit):
            minutes = -(-seconds // 60)
            context["notice"] = ngettext(
                "You have begun too many calls within the hour. Try again in %(n)s minute.",
                "You have begun too many calls within the hour. Try again in %(n)s minutes.",
                minutes,
            ) % {"n": minutes}
            return self.page(request, "opening", context, 429)
        phone = form.cleaned_data["phone"]
        call = entering.begin(by=me, phone=phone, request_id=request_id(request))
        free = form.cleaned_data["freely"] != NO
        return redirect(self.address("caller" if free else "later", call.pk))

    @own_call
    def later_view(self, request: StaffRequest, call: PhoneCall) -> HttpResponse:
        """Agree with a caller who cannot talk freely when to call back, and what may be said."""
        if call.draft or call.submission:
            return redirect(self.address("change", call.pk))
        initial = {"phone": phone_words(call.phone), "day": timezone.localdate()}
        form = CallBackForm(request.POST if request.method == "POST" else None, initial=initial)
        if request.method == "POST" and form.is_valid():
            entering.call_back_later(
                call=call,
                at=form.at,
                phone=form.cleaned_data["phone"],
                say=form.cleaned_data["say"],
                by=request.user,
                request_id=request.request_id,
            )
            messages.success(request, _("Noted: the clinic owes this call."))
            return redirect(self.address("changelist"))
        context = {"title": _("Call back later"), "form": form, "call": call}
        return self.page(request, "later", context, 422 if form.errors else 200)

    @own_call
    def caller_view(self, request: StaffRequest, call: PhoneCall) -> HttpResponse:
        """Ask who calls, by what right, with which interpreter. Then the questions begin."""
        if call.draft or call.submission:
            return redirect(self.address("change", call.pk))
        form = CallerForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            protocol = named(given["topic"])
            assert protocol is not None  # the form offers only protocols that are served
            entering.begin_answers(
                call=call,
                **form.about(),
                protocol=protocol,
                kind=given["kind"],
                language=given["language"],
                by=request.user,
                request_id=request.request_id,
            )
            return redirect(self.address("change", call.pk))
        context = {
            "title": _("Who is calling?"),
            "form": form,
            "call": call,
            "phone": phone_words(call.phone),
            "colleagues": self.same_number(call),
        }
        return self.page(request, "caller", context, 422 if form.errors else 200)

    def same_number(self, call: PhoneCall) -> list[tuple[str, str]]:
        """Return colleagues who enter a call from this number now: name, and reference if any."""
        others = PhoneCall.objects.unfinished().exclude(pk=call.pk)
        return [
            (person_words(each.by), (each.draft.reference if each.draft else "") or "")
            for each in others
            if each.phone == call.phone
        ]

    # --- the questionnaire -----------------------------------------------------------------------
    @own_call
    def walk_view(self, request: StaffRequest, call: PhoneCall, rest: str) -> HttpResponse:
        """Serve a step of the questionnaire. A call that was sent opens its last page instead."""
        draft = drafts.find_draft_of_call(call)
        if draft is None:
            if request.method == "POST":
                messages.error(request, GONE)
            return redirect(self.address("change", call.pk))
        entering.leave_out_what_may_not_be_asked(call=call, draft=draft)
        if request.method != "POST":
            self.record(request, call)
        addresses = {
            "walk": self.walk_address(call),
            "open": self.address("change", call.pk),
            "saved": self.address("changelist"),
            "remove": self.address("remove", call.pk),
        }
        return mount.serve(request, call, rest, addresses)

    def walk_address(self, call: PhoneCall) -> str:
        return self.address("change", call.pk).removesuffix("change/") + "walk/"

    @own_call
    def change_view(self, request: StaffRequest, call: PhoneCall, **kwargs: Any) -> HttpResponse:
        """Open a call where it stands: who calls, the first open step, or the end."""
        if call.submission:
            return self.end(request, call)
        if call.call_back_at:
            return redirect(self.address("changelist"))
        draft = drafts.find_draft_of_call(call)
        if draft is None:
            return redirect(self.address("caller", call.pk))
        walk = drafts.walk_of(draft)
        with translation.override(draft.language), mount.mounted_at(self.walk_address(call)):
            return redirect_to(walk.protocol, walk.first_open)

    def end(self, request: StaffRequest, call: PhoneCall) -> HttpResponse:
        """Say what to tell the caller. After an emergency, note what was done since."""
        submission = call.submission
        assert submission is not None
        stopped = submission.kind == Kind.STOPPED
        form = StepForm(request.POST if request.method == "POST" else None) if stopped else None
        if form is not None and request.method == "POST" and form.is_valid():
            entering.record_step(
                call=call,
                came_of=form.cleaned_data["came_of"],
                place=form.cleaned_data["place"],
                by=request.user,
                request_id=request.request_id,
            )
            messages.success(request, _("Noted."))
            return redirect(self.address("change", call.pk))
        reads.record_read(submission=submission, by=request.user, request_id=request.request_id)
        may_hear = may_hear_reference(call, submission)
        with translation.override(submission.language):
            receipt = sent_context(submission, left_alone=False)
            closing = closing_words(
                reference=submission.reference if may_hear else "",
                nurse_asks=bool(submission.assessment.get("not_asked")),
            )
        home = "submission" if request.user.has_perm("intake.view_submission") else "frontdesk"
        context = {
            "title": _("The call is sent"),
            "call": call,
            "submission": submission,
            "entered": entered_words(call),
            "stopped": stopped,
            "form": form,
            "steps": step_rows(call),
            "may_hear": may_hear,
            "receipt": receipt,
            "closing": closing,
            "language": "" if submission.language == "en" else submission.language,
            "home": f"admin:intake_{home}_change",
        }
        return self.page(request, "end", context, 422 if form and form.errors else 200)

    # --- its buttons -----------------------------------------------------------------------------
    def back_view(self, request: StaffRequest, object_id: object) -> HttpResponse:
        """Note whether a caller who could not talk freely was reached, and go on with the call."""
        return self.button(request, self.call_back, object_id)

    def call_back(self, request: StaffRequest, pk: Any) -> str:
        given: dict[str, Any] = {"pk": pk, "by": request.user, "request_id": request.request_id}
        if request.POST.get("go") == Call.Outcome.REACHED:
            entering.call_back(**given)
            return self.address("change", pk)
        if request.POST.get("go") == "not_needed":
            entering.drop_call_back(**given)
            messages.success(request, _("Noted: no call is needed any more."))
            return self.address("changelist")
        entering.call_back(**given, again_at=next_try(timezone.now()))
        messages.success(request, _("Noted: not reached. The call stays on the list."))
        return self.address("changelist")

    def take_view(self, request: StaffRequest, object_id: object) -> HttpResponse:
        """Go on with the call of a colleague who cannot go on any more."""
        return self.button(request, self.take_over, object_id)

    def take_over(self, request: StaffRequest, pk: Any) -> str:
        entering.take_over(pk=pk, by=request.user, request_id=request.request_id)
        return self.address("change", pk)

    def button(
        self, request: StaffRequest, act: Callable[[StaffRequest, Any], str], pk: object
    ) -> HttpResponse:
        """Do what a button of the list asks for. If the service refuses, the list says why."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        address = self.address("changelist")
        if request.method == "POST":
            try:
                address = act(request, pk)
            except Refused as refused:
                messages.error(request, str(refused))
        return redirect(address)

    @own_call
    def remove_view(self, request: StaffRequest, call: PhoneCall) -> HttpResponse:
        """Ask once, then delete a call whose answers are not sent."""
        if request.method == "POST":
            entering.delete(call=call, by=request.user, request_id=request.request_id)
            messages.success(request, _("The call and its answers are deleted."))
            return redirect(self.address("changelist"))
        context = {"title": _("Delete this call?"), "call": call, "row": self.row(call)}
        return self.page(request, "remove", context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Context | None = None
    ) -> HttpResponse:
        return self.change_view(request, object_id)
