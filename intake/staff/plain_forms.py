"""The base of admin pages with plain forms for what the clinic says of itself: no health data."""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise

from clinic.lists import Context, FindAdmin, FixedFilter, Row


class PlainFormAdmin(FindAdmin[Row]):
    """Django's admin pages without JavaScript, each list with links to the lists beside it.

    Rows can be looked up only by the filters of the list. A subclass stores a row through a service
    in `save_related`.
    """

    # model name and title of the lists that are shown as tabs
    lists: ClassVar[Sequence[tuple[str, str | Promise]]] = ()
    actions = None
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 100
    sortable_by = []
    change_form_template = "admin/intake/time/change_form.html"
    change_list_template = "admin/intake/time/change_list.html"
    formfield_overrides = {
        models.DateField: {"widget": forms.DateInput({"type": "date"}, format="%Y-%m-%d")},
        models.TimeField: {"widget": forms.TimeInput({"type": "time"}, format="%H:%M")},
    }

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        filters = cast(list[type[FixedFilter]], self.list_filter)
        return lookup in {fixed.parameter_name for fixed in filters}

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        """Forbid deleting, because other rows refer to the row. Staff put it out of use instead."""
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: Context | None = None
    ) -> HttpResponse:
        places = [
            (name, text, reverse(f"admin:intake_{name}_changelist"))
            for name, text in self.lists
            if request.user.has_perm(f"intake.view_{name}")
        ]
        title = dict(self.lists)[str(self.opts.model_name)]
        context = {"title": title, "places": places, **(extra_context or {})}
        return super().changelist_view(request, context)

    def formfield_for_dbfield(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kw: Any
    ) -> forms.Field | None:
        """Show plain choices, without the admin's buttons that open another window."""
        field = super().formfield_for_dbfield(db_field, request, **kw)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def formfield_for_manytomany(
        self, db_field: models.ManyToManyField[Any, Any], request: HttpRequest, **kw: Any
    ) -> forms.ModelMultipleChoiceField[Any] | None:
        return super().formfield_for_manytomany(
            db_field, request, widget=forms.CheckboxSelectMultiple, **kw
        )

    def save_model(self, request: HttpRequest, obj: Row, form: Any, change: bool) -> None:
        """Do nothing, because save_related stores the row together with its many-to-many links."""

    def log_addition(self, request: HttpRequest, obj: Row, message: Any) -> Any:
        """Write nothing to the admin's log, because the audit trail records more."""

    def log_change(self, request: HttpRequest, obj: Row, message: Any) -> Any:
        """Write nothing to the admin's log, because the audit trail records more."""

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Write nothing to the admin's log, because the audit trail records more."""

    def history_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kw: Any
    ) -> HttpResponse:
        """Show the form instead, because the audit trail holds the history."""
        return self.change_view(request, object_id)
