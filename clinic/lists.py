"""What every list of the staff's side shares: read only, counted cheaply, no way round a filter."""

import secrets
from base64 import b64decode, b64encode
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from clinic.secrets import sealing

MOST_COUNTED = 1000
LONGEST_TERM = 100

# A search is sent in a form and kept with the session, sealed; the address holds its ticket alone.
# So a name typed here is in no history of a browser and no log of a proxy, and going back, to the
# next page, to another filter still works.
TICKET_VAR = "find"
_KEPT = "searches"
_MOST_KEPT = 20


class CappedPaginator(Paginator):
    """Counts up to a thousand rows: nobody leafs through more, and counting all costs a scan."""

    most = MOST_COUNTED

    @cached_property
    def count(self) -> int:
        if isinstance(self.object_list, QuerySet):
            # by keys alone: what a row shows besides is not worked out to be counted
            return self.object_list.order_by().values("pk")[:MOST_COUNTED].count()
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


def keep_term(request: HttpRequest, term: str) -> str:
    """Keep what was searched for with the session; its ticket, '' when nothing was."""
    term = term.strip()[:LONGEST_TERM]
    if not term:
        return ""
    ticket = secrets.token_urlsafe(8)
    sealed = b64encode(sealing.seal(term.encode(), _place(ticket))).decode()
    kept = [*request.session.get(_KEPT, {}).items(), (ticket, sealed)]
    request.session[_KEPT] = dict(kept[-_MOST_KEPT:])
    return ticket


def term_of(request: HttpRequest) -> str:
    """What this list is searched for, '' when for nothing or when the session knows no more."""
    ticket = request.GET.get(TICKET_VAR, "")
    sealed = request.session.get(_KEPT, {}).get(ticket) if ticket else None
    try:
        return sealing.unseal(b64decode(sealed), _place(ticket)).decode() if sealed else ""
    except sealing.SealError:  # its key has been taken out of the ring since
        return ""


def _place(ticket: str) -> str:
    return f"session|{_KEPT}|{ticket}"


class FindList(ChangeList):
    """Searched by the ticket in the address. A term in the address is not looked at."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.term = term_of(request)
        super().__init__(request, *args, **kwargs)

    # Django's sets it from the address
    query = property(lambda self: self.term, lambda self, value: None)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.result_count:  # nothing was counted, so nothing is looked for again
            self.result_list = self.queryset.none()

    def get_filters_params(self, params: Any = None) -> Any:
        rest = super().get_filters_params(params)
        rest.pop(TICKET_VAR, None)
        return rest

    def without_search(self) -> str:
        """The query of this list with its filters, on its first page, searched for nothing."""
        kept = {k: v for k, v in self.filter_params.items() if k not in (TICKET_VAR, SEARCH_VAR)}
        return "?" + urlencode(sorted(kept.items()), doseq=True)


class FindAdmin(admin.ModelAdmin):
    """A list whose search is sent in a form."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Nobody types their own name or address here, so a browser must not offer them."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, (forms.TextInput, forms.EmailInput, forms.Textarea)):
            field.widget.attrs.setdefault("autocomplete", "off")
        return field

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return FindList

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        if request.method == "POST" and SEARCH_VAR in request.POST:
            query = request.GET.copy()
            for name in (PAGE_VAR, SEARCH_VAR, TICKET_VAR):
                query.pop(name, None)
            if ticket := keep_term(request, request.POST[SEARCH_VAR]):
                query[TICKET_VAR] = ticket
            return redirect(f"{request.path}?{query.urlencode()}")
        if request.GET.get(TICKET_VAR) and not term_of(request):
            messages.warning(request, _("That search is over. This is the whole list."))
        return super().changelist_view(request, extra_context)


class ReadOnlyAdmin(FindAdmin):
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
