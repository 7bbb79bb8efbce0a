"""People, the audit trail and the messages: the parts of the admin that show no patient.

An administrator makes accounts and gives roles, to others and never to themselves. What they do is
written into the audit trail in the same transaction; Django's own log of the admin stays empty.
"""

import re
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin, messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.forms import CheckboxSelectMultiple, ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django_tasks_db.models import DBTaskResult

from clinic import audit
from clinic.lists import FindAdmin, FixedFilter, ReadOnlyAdmin
from clinic.models import Event, Message
from clinic.outgoing import outbox
from clinic.people import attempts, leaving, sessions
from clinic.people.roles import ROLES

# Ours replaces the first; roles are a table in code; seeds of codes and counters of wrong passwords
# are nobody's to look at; tasks say no more than that there is a message.
admin.site.unregister(
    [User, Group, Authenticator, EmailAddress, AccessAttempt, AccessFailureLog, AccessLog]
)
admin.site.unregister(DBTaskResult)


def record(request: HttpRequest, action: str, subject: str = "-", **detail: Any) -> None:
    """An audit event of what the person at this page does."""
    audit.record(
        actor=audit.staff(request.user),
        action=action,
        subject=subject,
        request_id=request.request_id,
        detail=detail,
    )


# --- the audit trail ----------------------------------------------------------------------------

_REQUEST = re.compile(r"[0-9a-f]{32}", re.ASCII)
_SUBJECT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class ActionFilter(FixedFilter):
    title = gettext_lazy("what")
    parameter_name = "action"
    options = [(action, action) for action in sorted(audit.ACTIONS)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = self.value() in audit.ACTIONS
        return queryset.filter(action=self.value()) if known else queryset


class WhenFilter(FixedFilter):
    title = gettext_lazy("when")
    parameter_name = "days"
    options = [
        ("1", gettext_lazy("Last 24 hours")),
        ("7", gettext_lazy("Last 7 days")),
        ("30", gettext_lazy("Last 30 days")),
    ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in dict(self.options):
            return queryset
        return queryset.filter(at__gte=timezone.now() - timedelta(days=int(self.value())))


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Who read or changed what. Looking at it is an event as well."""

    list_title = gettext_lazy("Audit trail")
    list_display = ["at", "who", "action", "subject", "purpose", "what_else", "request_id"]
    list_filter = [ActionFilter, WhenFilter]
    list_per_page = 50
    sortable_by: list[str] = []
    search_fields = ["subject"]  # shows the box; get_search_results does the work
    search_help_text = gettext_lazy(
        "The whole of it: id of a record, request id, user name, staff:7, or a patient’s reference"
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        person = User.objects.annotate(
            key=Concat(Value("staff:"), Cast("pk", CharField()), output_field=CharField())
        ).filter(key=OuterRef("actor"))
        rows = super().get_queryset(request)
        return rows.annotate(username=Subquery(person.values("username")[:1]))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if _REQUEST.fullmatch(term):
            return queryset.filter(request_id=term), False
        if _SUBJECT.fullmatch(term):
            return queryset.filter(subject=term), False
        names = [term, f"patient:{term.upper()}", f"system:{term}"]
        if user := User.objects.filter(username=term).first():
            names.append(audit.staff(user))
        return queryset.filter(Q(actor__in=names) | Q(subject__in=names)), False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        with transaction.atomic():
            response = super().changelist_view(request, self.titled(extra_context))
            if "cl" in (getattr(response, "context_data", None) or {}):
                shown = len(response.context_data["cl"].result_list)
                record(request, "list", page="event", count=shown)
                response.render()
        return response

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kw: Any) -> Any:
        """The list shows all there is."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return redirect("admin:clinic_event_changelist")

    def history_view(self, request: HttpRequest, object_id: str, *args: Any, **kw: Any) -> Any:
        return self.change_view(request, object_id)

    @admin.display(description=gettext_lazy("Who"))
    def who(self, row: Event) -> str:
        return f"{row.username} ({row.actor})" if row.username else row.actor

    @admin.display(description=gettext_lazy("Detail"))
    def what_else(self, row: Event) -> str:
        return (
            "; ".join(f"{key}: {_few(value)}" for key, value in sorted(row.detail.items())) or "–"
        )


def _few(value: Any) -> str:
    """A detail to read: a long list as its length."""
    if isinstance(value, list):
        long = len(value) > 4
        return _("%(n)s of them") % {"n": len(value)} if long else ", ".join(map(str, value)) or "–"
    return str(value)


# --- messages -----------------------------------------------------------------------------------


class StateFilter(FixedFilter):
    title = gettext_lazy("state")
    parameter_name = "state"
    options = list(Message.State.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = self.value() in Message.State.values
        return queryset.filter(state=self.value()) if known else queryset


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """What was sent and what was not. No address and no text is stored, so none is shown."""

    list_title = gettext_lazy("Messages")
    list_display = [
        "what", "about", "status", "attempts", "error", "due_at", "next_try", "finished_at", "acts"
    ]  # fmt: skip
    list_filter = [StateFilter]
    ordering = ["-id"]
    sortable_by: list[str] = []
    posts = {"again": outbox.try_again, "aside": outbox.set_aside}

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Not a place of work of its own: the head of each page leads here."""
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        with transaction.atomic():
            response = super().changelist_view(request, self.titled(extra_context))
            if "cl" in (getattr(response, "context_data", None) or {}):
                shown = list(response.context_data["cl"].result_list)
                known, may_settle = outbox.abouts(shown), may(request, "settle")
                for row in shown:
                    row.known, row.may_settle = known[row.pk], may_settle
                response.context_data["cl"].result_list = shown
                record(request, "list", page="message", count=len(shown))
                response.render()
        return response

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kw: Any) -> Any:
        """The list shows all there is."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return redirect("admin:clinic_message_changelist")

    def history_view(self, request: HttpRequest, object_id: str, *args: Any, **kw: Any) -> Any:
        return self.change_view(request, object_id)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<uuid:pk>/{name}/",
                self.admin_site.admin_view(self.settle_view),
                {"name": name},
                name=f"clinic_message_{name}",
            )
            for name in self.posts
        ]
        return own + super().get_urls()

    def settle_view(self, request: HttpRequest, pk: Any, name: str) -> HttpResponse:
        """A button beside a failed message."""
        if not may(request, "settle"):
            raise PermissionDenied
        message = self.get_object(request, str(pk))
        if message is None:
            raise Http404
        if request.method == "POST":
            try:
                self.posts[name](message=message, by=request.user, request_id=request.request_id)
            except outbox.Settled as error:
                messages.error(request, str(error))
            else:
                messages.success(request, _("Done."))
        return redirect("admin:clinic_message_changelist")

    # --- columns ----------------------------------------------------------------------------------
    @admin.display(description=gettext_lazy("What"))
    def what(self, row: Message) -> str:
        """The kind in words: `appointment_offer` reads 'Appointment offer'."""
        return row.kind.replace("_", " ").capitalize()

    @admin.display(description=gettext_lazy("About"))
    def about(self, row: Any) -> str:
        return row.known or "–"

    @admin.display(description=gettext_lazy("State"))
    def status(self, row: Message) -> str:
        mark = format_html('<strong class="overdue">{}</strong>', row.get_state_display())
        return mark if row.state == Message.State.FAILED else row.get_state_display()

    @admin.display(description=gettext_lazy("Next try"))
    def next_try(self, row: Message) -> Any:
        return row.next_at if row.state == Message.State.WAITING else None

    @admin.display(description="", empty_value="")
    def acts(self, row: Any) -> str | None:
        if row.state != Message.State.FAILED or not row.may_settle:
            return None
        # the list stands in a form of the admin's own, with its token
        return format_html_join(
            " ",
            '<button class="button" formaction="{}">{}</button>',
            [
                (reverse("admin:clinic_message_again", args=[row.pk]), _("Try again")),
                (reverse("admin:clinic_message_aside", args=[row.pk]), _("Dealt with")),
            ],
        )


def may(request: HttpRequest, what: str) -> bool:
    return request.user.has_perm(f"clinic.{what}_message")


# --- people -------------------------------------------------------------------------------------


class ActiveFilter(FixedFilter):
    title = gettext_lazy("account")
    parameter_name = "account"
    options = [("active", gettext_lazy("Active")), ("closed", gettext_lazy("Closed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = self.value() in dict(self.options)
        return queryset.filter(is_active=self.value() == "active") if known else queryset


class GivesBack(Exception):
    """A change of an account takes work from it (`words`), and nobody has confirmed that."""

    def __init__(self, words: list[str]) -> None:
        super().__init__("gives back")
        self.words = words


class PersonForm(ModelForm):
    """Two people whose names differ in capitals alone could not be told apart at the sign-in."""

    def clean_username(self) -> str:
        name = self.cleaned_data["username"]
        for other, pk in attempts.alike(name).items():
            if pk != self.instance.pk:
                raise ValidationError(_("There is an account %(name)s already.") % {"name": other})
        return name


@admin.register(User)
class PersonAdmin(FindAdmin):
    """The accounts of staff. Nobody changes their own, and nobody is made a superuser here."""

    list_display = ["username", "name", "roles", "second_factor", "is_active", "last_login"]
    list_filter = [ActiveFilter]
    search_fields = ["username", "first_name", "last_name", "email"]
    search_help_text = gettext_lazy("User name, name or e-mail")
    form = PersonForm
    fields = ["username", "first_name", "last_name", "email", "groups", "is_active"]
    ordering = ["username"]
    actions = None
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=("totp", "webauthn"))
        rows = super().get_queryset(request).prefetch_related("groups")
        return rows.annotate(has_factor=Exists(factors))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("People"), **(extra_context or {})})

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and (obj.pk == request.user.pk or obj.is_superuser):
            return False
        return super().has_change_permission(request, obj)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Our own filter only: a row count must not tell how a password's hash begins."""
        return lookup == ActiveFilter.parameter_name

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What somebody did stays theirs: an account is closed, not deleted."""
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for name in self.fields if obj or name != "is_active"]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kw: Any) -> Any:
        roles = Group.objects.filter(name__in=ROLES).order_by("name")
        return super().formfield_for_manytomany(
            db_field, request, queryset=roles, widget=CheckboxSelectMultiple, **kw
        )

    # --- what somebody gives back ----------------------------------------------------------------
    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kw: Any) -> Any:
        """Asks before a change that takes work from somebody: until then nothing is stored."""
        try:
            return super().change_view(request, object_id, *args, **kw)
        except GivesBack as asking:
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": _("This gives work back"),
                "person": self.get_object(request, object_id),
                "given": asking.words,
                "posted": [
                    (name, value)
                    for name, values in request.POST.lists()
                    for value in values
                    if name != "csrfmiddlewaretoken"
                ],
                "is_popup": False,
            }
            return TemplateResponse(request, "admin/auth/user/gives_back.html", context)

    # --- what is written down, in the transaction of the change ----------------------------------
    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.is_staff = True
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        user = form.instance
        before = role_names(user)
        super().save_related(request, form, formsets, change)
        after = role_names(user)
        back = leaving.give_back(user=user, by=request.user, request_id=request.request_id)
        if back and "give_back" not in request.POST:
            raise GivesBack(back)
        if back:
            messages.info(request, _("Given back: %(what)s.") % {"what": "; ".join(back)})
        ends = before != after or "is_active" in form.changed_data
        ended = sessions.end(user) if ends else 0
        subject = audit.staff(user)
        changed = sorted(set(form.changed_data) - {"groups", "is_active"})
        if changed:
            record(request, "update" if change else "create", subject, fields=changed)
        if "is_active" in form.changed_data:
            state = "active" if user.is_active else "closed"
            record(request, "role", subject, kind="account", to=state)
        if before != after:
            record(request, "role", subject, kind="roles", **{"from": before, "to": after})
        self._say_ended(request, user, ended)

    def _say_ended(self, request: HttpRequest, user: User, count: int) -> None:
        if not count:
            return
        record(request, "logout", audit.staff(user), count=count)
        told = ngettext(
            "%(n)s session of %(name)s has ended.", "%(n)s sessions of %(name)s have ended.", count
        )
        messages.info(request, told % {"n": count, "name": user.get_username()})

    def log_addition(self, *args: Any) -> None:
        """The audit trail says it, and says more."""

    log_change = log_addition

    def response_add(self, request: HttpRequest, obj: User, *args: Any, **kw: Any) -> HttpResponse:
        messages.success(request, _("The account is there. Now give it a first password."))
        return redirect("admin:auth_user_password", obj.pk)

    # --- password and second factor --------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(getattr(self, f"{name}_view")),
                name=f"auth_user_{name}",
            )
            for name in ("password", "factor")
        ]
        return own + super().get_urls()

    def _changeable(self, request: HttpRequest, pk: int) -> User:
        user = self.get_object(request, str(pk))
        if user is None:
            raise Http404
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        return user

    @method_decorator(sensitive_post_parameters())
    def password_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Set a colleague's password. They change it at their first sign-in if they are wise."""
        user = self._changeable(request, pk)
        form = SetPasswordForm(user, request.POST if request.method == "POST" else None)
        if form.is_valid():
            with transaction.atomic():
                form.save()
                ended = sessions.end(user)
                record(request, "role", audit.staff(user), kind="password")
                self._say_ended(request, user, ended)
            messages.success(request, _("The password is set. Tell it to them in person."))
            return redirect("admin:auth_user_change", user.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Password of %(name)s") % {"name": user.get_username()},
            "person": user,
            "form": form,
            "is_popup": False,
        }
        return TemplateResponse(request, "admin/auth/user/password.html", context)

    def factor_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a colleague's second factor away, for a lost phone; they enrol a new one."""
        user = self._changeable(request, pk)
        if request.method == "POST":
            with transaction.atomic():
                Authenticator.objects.filter(user=user).delete()
                ended = sessions.end(user)
                record(request, "mfa", audit.staff(user), step="reset")
                self._say_ended(request, user, ended)
            messages.success(request, _("The second factor is reset. Set a new password, too."))
        return redirect("admin:auth_user_change", user.pk)

    # --- columns ----------------------------------------------------------------------------------
    @admin.display(description=gettext_lazy("Name"))
    def name(self, row: User) -> str:
        return row.get_full_name() or "–"

    @admin.display(description=gettext_lazy("Roles"))
    def roles(self, row: User) -> str:
        return ", ".join(sorted(group.name for group in row.groups.all())) or "–"

    @admin.display(description=gettext_lazy("Second factor"), boolean=True)
    def second_factor(self, row: Any) -> bool:
        return row.has_factor


def role_names(user: User) -> list[str]:
    return sorted(user.groups.values_list("name", flat=True))
