"""The accounts of staff in the admin.

Administrators make accounts and give roles to others, never to themselves. Each change is recorded
in the audit trail in the same transaction. Django's own log of the admin stays empty.
"""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin, messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, ManyToManyField, OuterRef, QuerySet
from django.forms import CheckboxSelectMultiple, ModelForm, ModelMultipleChoiceField
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters

from clinic import audit
from clinic.lists import Context, FindAdmin, FixedFilter
from clinic.people import attempts, leaving, sessions
from clinic.people.roles import ROLE_WORDS, ROLES
from clinic.requests import request_id, signed_in_user

# Remove the admin pages that packages bring: PersonAdmin shows the accounts, roles are a table in
# code, and nobody shall see the seeds of second factors or the counted wrong passwords.
admin.site.unregister(
    [User, Group, Authenticator, EmailAddress, AccessAttempt, AccessFailureLog, AccessLog]
)


class ActiveFilter(FixedFilter):
    title = gettext_lazy("account")
    parameter_name = "account"
    options = [("active", gettext_lazy("Active")), ("closed", gettext_lazy("Closed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = self.value() in dict(self.options)
        return queryset.filter(is_active=self.value() == "active") if known else queryset


class GivesBack(Exception):
    """Raised before a change that takes work from an account, so that the administrator confirms.

    `words` lists the work.
    """

    def __init__(self, words: list[str]) -> None:
        super().__init__("gives back")
        self.words = words


class PersonForm(ModelForm[User]):
    """The form of an account. Refuses a name that differs from another only in spelling."""

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        for other, pk in attempts.alike(name).items():
            if pk != self.instance.pk:
                raise ValidationError(_("There is an account %(name)s already.") % {"name": other})
        return name


class RolesField(ModelMultipleChoiceField[Group]):
    """The roles of an account, each with what it may do."""

    def label_from_instance(self, obj: Group) -> str:
        return f"{obj.name.capitalize()}: {ROLE_WORDS[obj.name]}"


@admin.register(User)
class PersonAdmin(FindAdmin[User]):
    """The accounts of staff. Administrators cannot change their own account or make superusers."""

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

    def changelist_view(
        self, request: HttpRequest, extra_context: Context | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": _("People"), **(extra_context or {})})

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj is not None and (obj.pk == request.user.pk or obj.is_superuser):
            return False
        return super().has_change_permission(request, obj)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only our own filter.

        With any other filter in the address, the number of rows could reveal a password's hash.
        """
        return lookup == ActiveFilter.parameter_name

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Refuse, because accounts are closed instead: audit events must still lead to a name."""
        return False

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> list[Any]:
        return [name for name in self.fields if obj or name != "is_active"]

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kw: Any
    ) -> ModelMultipleChoiceField[Any] | None:
        roles = Group.objects.filter(name__in=ROLES).order_by("name")
        return super().formfield_for_manytomany(
            db_field,
            request,
            queryset=roles,
            form_class=RolesField,
            widget=CheckboxSelectMultiple,
            label=_("Roles"),
            help_text=_("An account has the rights of all of its roles."),
            **kw,
        )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Context | None = None
    ) -> HttpResponse:
        context = {"title": _("New account"), **(extra_context or {})}
        return super().add_view(request, form_url, context)

    # --- a change that takes work away ------------------------------------------------------------
    def change_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kw: Any
    ) -> HttpResponse:
        """Ask the administrator to confirm a change that takes work from an account.

        Nothing is stored before the confirmation.
        """
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

    # --- what is recorded, in the transaction of the change --------------------------------------
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
        back = leaving.give_back(
            user=user, by=signed_in_user(request), request_id=request_id(request)
        )
        if back and "give_back" not in request.POST:
            raise GivesBack(back)
        if back:
            messages.info(request, _("Given back: %(what)s.") % {"what": "; ".join(back)})
        ends = before != after or "is_active" in form.changed_data
        ended = sessions.end(user) if ends else 0
        subject = audit.staff(user)
        changed = sorted(set(form.changed_data) - {"groups", "is_active"})
        if changed:
            audit.record_request(request, "update" if change else "create", subject, fields=changed)
        if "is_active" in form.changed_data:
            state = "active" if user.is_active else "closed"
            audit.record_request(request, "role", subject, kind="account", to=state)
        if before != after:
            audit.record_request(
                request, "role", subject, kind="roles", **{"from": before, "to": after}
            )
        self._report_ended(request, user, ended)

    def _report_ended(self, request: HttpRequest, user: User, count: int) -> None:
        if not count:
            return
        audit.record_request(request, "logout", audit.staff(user), count=count)
        sentence = ngettext(
            "%(n)s session of %(name)s has ended.", "%(n)s sessions of %(name)s have ended.", count
        )
        messages.info(request, sentence % {"n": count, "name": user.get_username()})

    def log_addition(self, request: HttpRequest, obj: User, message: Any) -> Any:
        """Write nothing into Django's own log, because the audit trail records more."""

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
        """Set a colleague's password."""
        user = self._changeable(request, pk)
        form = SetPasswordForm(user, request.POST if request.method == "POST" else None)
        if form.is_valid():
            with transaction.atomic():
                form.save()
                ended = sessions.end(user)
                audit.record_request(request, "role", audit.staff(user), kind="password")
                self._report_ended(request, user, ended)
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
        """Delete the second factor of a colleague who lost it and will enrol a new one."""
        user = self._changeable(request, pk)
        if request.method == "POST":
            with transaction.atomic():
                Authenticator.objects.filter(user=user).delete()
                ended = sessions.end(user)
                audit.record_request(request, "mfa", audit.staff(user), step="reset")
                self._report_ended(request, user, ended)
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
        return bool(row.has_factor)


def role_names(user: User) -> list[str]:
    """Return the names of an account's roles, in alphabetical order."""
    return sorted(user.groups.values_list("name", flat=True))
