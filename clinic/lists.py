"""The base of all staff lists: read only, cheap to count, and no way to guess hidden values."""

import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Field, Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from clinic.secrets import sealing

Row = TypeVar("Row", bound=Model)
Context = dict[str, Any]  # the names that a template may use

MOST_COUNTED = 1000
LONGEST_TERM = 100

# A search term is posted and kept in the session, sealed. The address of the list contains only a
# random ticket that stands for the term. So a typed name is in no browser history and no proxy's
# log, while the back button, the next page and the filters still work.
TICKET_VAR = "find"
_KEPT = "searches"
_MOST_KEPT = 20


class CappedPaginator(Paginator[Any]):
    """A paginator that counts at most a thousand rows, because counting all would take too long."""

    most = MOST_COUNTED

    @cached_property
    def count(self) -> int:
        if isinstance(self.object_list, QuerySet):
            # counts primary keys, so that the database does not compute the annotations of the rows
            return self.object_list.order_by().values("pk")[:MOST_COUNTED].count()
        return len(self.object_list)


class FixedFilter(admin.SimpleListFilter):
    """A filter with fixed choices, so that showing it costs no query."""

    template = "admin/fixed_filter.html"
    options: list[tuple[str, Any]] = []

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        return self.options

    def is_chosen(self) -> bool:
        """Return whether the address chooses an option. An unknown value chooses no option."""
        return self.value() in {str(code) for code, _label in self.options}

    def default_words(self, changelist: ChangeList) -> Any:
        """Return the label of the link that chooses no option."""
        return _("All")

    def choices(self, changelist: ChangeList) -> Any:
        """Yield the link that chooses no option, then the options; mark the current choice.

        A list that knows how many rows each option has (`facets`) shows the number beside it.
        """
        counts = getattr(changelist, "facets", {}).get(self.parameter_name, {})
        first, *options = super().choices(changelist)
        yield first | {
            "selected": not self.is_chosen(),
            "display": self.default_words(changelist),
        }
        for (code, _label), option in zip(self.lookup_choices, options, strict=True):
            yield option | {"count": counts.get(str(code))}

    @classmethod
    def condition(cls, request: HttpRequest, value: str) -> Q:
        """Return the condition for the rows of an option; by default that the field has its value.

        `value` is the code of one of the options.
        """
        return Q(**{str(cls.parameter_name): value})

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows of the chosen option; all rows without a choice."""
        if not self.is_chosen():
            return queryset
        return queryset.filter(self.condition(request, str(self.value())))


def keep_term(request: HttpRequest, term: str) -> str:
    """Keep a search term in the session. Returns the term's ticket; '' for an empty term."""
    term = term.strip()[:LONGEST_TERM]
    if not term:
        return ""
    ticket = secrets.token_urlsafe(8)
    sealed = b64encode(sealing.seal(term.encode(), _place(ticket))).decode()
    kept = [*request.session.get(_KEPT, {}).items(), (ticket, sealed)]
    request.session[_KEPT] = dict(kept[-_MOST_KEPT:])
    return ticket


def term_of(request: HttpRequest) -> str:
    """Return the search term of the list; '' if the address has no ticket or an unknown ticket."""
    ticket = request.GET.get(TICKET_VAR, "")
    sealed = request.session.get(_KEPT, {}).get(ticket) if ticket else None
    try:
        return sealing.unseal(b64decode(sealed), _place(ticket)).decode() if sealed else ""
    except sealing.SealError:  # the key that sealed the term was removed from the key ring
        return ""


def _place(ticket: str) -> str:
    return f"session|{_KEPT}|{ticket}"


class FindList(ChangeList):
    """A list whose address has the ticket of a search term. A term in the address is ignored."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.term = term_of(request)
        super().__init__(request, *args, **kwargs)

    # without this property Django would read a search term from the address
    query = property(lambda self: self.term, lambda self, value: None)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.result_count:  # a query for the rows would find none
            self.result_list = self.queryset.none()

    def get_filters_params(self, params: Any = None) -> Any:
        rest = super().get_filters_params(params)
        rest.pop(TICKET_VAR, None)
        return rest

    def without_search(self) -> str:
        """Return the query string of the list's first page: the filters without the search."""
        kept = {k: v for k, v in self.filter_params.items() if k not in (TICKET_VAR, SEARCH_VAR)}
        return "?" + urlencode(sorted(kept.items()), doseq=True)


class FindAdmin(admin.ModelAdmin[Row]):
    """A list whose search term is posted and does not appear in its address."""

    # a subclass sets False to leave its list out of the admin index; another page links to the list
    is_in_index = True

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.is_in_index and super().has_module_permission(request)

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        """Turn autocomplete off, because staff do not type their own name or address here."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, (forms.TextInput, forms.EmailInput, forms.Textarea)):
            field.widget.attrs.setdefault("autocomplete", "off")
        return field

    changelist: type[FindList] = FindList

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return self.changelist

    def changelist_view(
        self, request: HttpRequest, extra_context: Context | None = None
    ) -> HttpResponse:
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


class ReadOnlyAdmin(FindAdmin[Row]):
    """A list in which the admin changes no record. Records are changed by services only."""

    actions: Sequence[Any] | None = None
    list_per_page = 25
    list_max_show_all = 0
    list_display_links = None
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    list_title: str | Promise = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only the filters in `list_filter`.

        With any other filter in the address, the number of rows could reveal a hidden column.
        """
        return lookup in {getattr(fixed, "parameter_name", None) for fixed in self.list_filter}

    def changelist_view(
        self, request: HttpRequest, extra_context: Context | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, self.titled(extra_context))

    def titled(self, extra_context: Context | None) -> Context:
        """Return the context of the page, with `list_title` in place of 'Select … to view'."""
        return {"title": self.list_title, **(extra_context or {})}

    def record_or_404(self, request: HttpRequest, object_id: UUID | str) -> Row:
        """Return a record. Raises Http404, or PermissionDenied when the user may not see it."""
        record = self.get_object(request, str(object_id))
        if record is None:
            raise Http404
        if not self.has_view_permission(request, record):
            raise PermissionDenied
        return record

    def address(self, name: str, object_id: UUID | str | None = None) -> str:
        """Return the address of the page `name` of this admin, such as `changelist`."""
        args = [object_id] if object_id else []
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)


class RecordedAdmin(ReadOnlyAdmin[Row]):
    """A list that records in the audit trail which rows it shows, before the page is sent."""

    def changelist_view(
        self, request: HttpRequest, extra_context: Context | None = None
    ) -> HttpResponse:
        with transaction.atomic():
            response = super().changelist_view(request, extra_context)
            context = getattr(response, "context_data", None) or {}
            if isinstance(response, TemplateResponse) and "cl" in context:
                self.record_list(request, context["cl"])
                response.render()
        return response

    def record_list(self, request: HttpRequest, changelist: ChangeList) -> None:
        """Record in the audit trail which rows the list shows."""
        raise NotImplementedError


class ListOnly(ReadOnlyAdmin[Row]):
    """A list whose rows have no page of their own: each row shows its whole record."""

    def change_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kw: Any
    ) -> HttpResponse:
        """Redirect to the list, because a row has no page of its own."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return redirect(self.address("changelist"))

    def history_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kw: Any
    ) -> HttpResponse:
        return self.change_view(request, object_id)
