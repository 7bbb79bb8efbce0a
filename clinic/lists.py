"""What every list of the staff's side shares: read only, counted cheaply, no way round a filter."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

MOST_COUNTED = 1000


class CappedPaginator(Paginator):
    """Counts up to a thousand rows: nobody leafs through more, and counting all costs a scan."""

    most = MOST_COUNTED

    @cached_property
    def count(self) -> int:
        if isinstance(self.object_list, QuerySet):
            return self.object_list.order_by()[:MOST_COUNTED].count()
        return len(self.object_list)


class FixedFilter(admin.SimpleListFilter):
    """A filter whose choices are fixed, so that showing it asks the database nothing."""

    template = "admin/fixed_filter.html"
    options: list[tuple[str, Any]] = []

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return self.options

    def choices(self, changelist: ChangeList) -> Any:
        """As Django's, but an unknown value in the address counts as none, as it does below."""
        for number, choice in enumerate(super().choices(changelist)):
            known = self.value() in (str(code) for code, _label in self.options)
            yield choice if number or known else {**choice, "selected": True}


class ReadOnlyAdmin(admin.ModelAdmin):
    """A list that is looked at. What is done to a record goes through a service."""

    actions = None
    list_per_page = 25
    list_max_show_all = 0
    list_display_links = None
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    list_title: Any = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Our own filters only: a changing row count would tell what a hidden column holds."""
        return lookup in {fixed.parameter_name for fixed in self.list_filter}

    def titled(self, extra_context: Any) -> dict[str, Any]:
        """The context of the list's page, with its own title for 'Select … to view'."""
        return {"title": self.list_title, **(extra_context or {})}
