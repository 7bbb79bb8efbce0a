"""The conditions in the admin: their titles and their order."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.lists import Context, ReadOnlyAdmin
from clinic.requests import request_id, signed_in_user
from education.admin.forms import NameField
from education.models import Condition
from education.services import editing, rights
from education.shelves import FAMILIES

LIST = "admin:education_condition_changelist"
OTHERS = [(code, name) for code, name in settings.LANGUAGES if code != "en"]


class ConditionForm(forms.Form):
    """The titles of a condition and its place in the list. Its name in addresses never changes."""

    slug = NameField(
        label=gettext_lazy("Name in the address"),
        help_text=gettext_lazy(
            "Small letters, digits and hyphens, such as leg-ulcers. It cannot be changed later."
        ),
        missing=gettext_lazy("Give the name for the address."),
    )
    title = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=80,
        error_messages={"required": gettext_lazy("Give the title that readers see.")},
    )
    order = forms.IntegerField(
        label=gettext_lazy("Place among the conditions"),
        min_value=0,
        max_value=999,
        error_messages={"required": gettext_lazy("Give a number from 0 to 999.")},
    )

    family = forms.ChoiceField(
        label=gettext_lazy("Family"),
        choices=[("", gettext_lazy("None")), *FAMILIES.items()],
        help_text=gettext_lazy("Lists show the conditions of one family below one heading."),
        required=False,
    )

    def __init__(self, row: Condition | None, data: QueryDict | None = None) -> None:
        initial: dict[str, Any] = {}
        if row is not None:
            initial = {"title": row.title, "order": row.order, "family": row.family}
            initial |= {f"title_{code}": row.titles.get(code, "") for code, _name in OTHERS}
        super().__init__(data, initial=initial)
        if row is not None:
            del self.fields["slug"]
        for code, name in OTHERS:
            self.fields[f"title_{code}"] = forms.CharField(
                label=_("Title in %(language)s") % {"language": name},
                help_text=_("Without this title, readers in this language see the English title."),
                max_length=80,
                required=False,
            )

    def titles(self) -> dict[str, str]:
        data = self.cleaned_data
        return {code: data[f"title_{code}"] for code, _name in OTHERS if data[f"title_{code}"]}


@admin.register(Condition)
class ConditionAdmin(ReadOnlyAdmin[Condition]):
    """The list of conditions. None can be deleted, because addresses of pages contain its name."""

    list_title = gettext_lazy("Conditions")
    is_in_index = False
    list_display = ["named", "other_titles", "slug", "order", "number"]
    ordering = ["order", "slug"]
    sortable_by = []
    list_filter = []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Condition]:
        return super().get_queryset(request).annotate(number_of_pages=Count("pages"))

    def has_view_permission(self, request: HttpRequest, obj: Condition | None = None) -> bool:
        return rights.may(request.user, "change")

    has_add_permission = has_view_permission

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Context | None = None
    ) -> HttpResponse:
        return self._edit(request, None)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Context | None = None,
    ) -> HttpResponse:
        return self._edit(request, self.record_or_404(request, object_id))

    def history_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kw: Any
    ) -> HttpResponse:
        """Redirect to the list. Changes are in the audit trail, not in Django's history."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return redirect(LIST)

    def _edit(self, request: HttpRequest, row: Condition | None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        posted = request.method == "POST"
        form = ConditionForm(row, request.POST if posted else None)
        if posted and form.is_valid():
            data = form.cleaned_data
            try:
                editing.save_condition(
                    slug=row.slug if row else data["slug"],
                    title=data["title"],
                    titles=form.titles(),
                    order=data["order"],
                    family=data["family"],
                    is_new=row is None,
                    by=signed_in_user(request),
                    request_id=request_id(request),
                )
            except rights.ActRefused as error:
                form.add_error("slug" if row is None else None, str(error))
            else:
                messages.success(request, _("The condition is stored. Readers see it at once."))
                return redirect(LIST)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "is_popup": False,
            "title": row.title if row else _("Add a condition"),
            "form": form,
        }
        template = "admin/education/condition/edit.html"
        return TemplateResponse(request, template, context, status=422 if posted else 200)

    # --- columns ----------------------------------------------------------------------------------
    @admin.display(description=gettext_lazy("Title"))
    def named(self, row: Condition) -> str:
        address = reverse("admin:education_condition_change", args=[row.pk])
        return format_html('<a href="{}">{}</a>', address, row.title)

    @admin.display(description=gettext_lazy("In other languages"))
    def other_titles(self, row: Condition) -> str:
        return "; ".join(row.titles.values()) or "–"

    @admin.display(description=gettext_lazy("Pages"))
    def number(self, row: Any) -> int:
        return int(row.number_of_pages)
