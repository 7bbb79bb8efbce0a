"""The list of pages in the admin: state, problems, reading grade and next review of each page."""

from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clinic.lists import Context, FixedFilter, ReadOnlyAdmin
from clinic.requests import request_id, signed_in_user
from education import judging
from education.models import Condition, Page, PageQuerySet, Picture, Status
from education.services import editing, rights

SOON = timedelta(days=30)


class StateFilter(FixedFilter):
    title = gettext_lazy("state")
    parameter_name = "state"
    options = [
        *Status.choices,
        ("unread", gettext_lazy("Never published")),
        ("ahead", gettext_lazy("Readers see an older text")),
    ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in Status.values:
            return queryset.filter(status=self.value())
        if self.value() == "unread":
            return queryset.filter(shown__isnull=True)
        if self.value() == "ahead":
            return queryset.filter(shown__isnull=False).exclude(status=Status.PUBLISHED)
        return queryset


class ConditionFilter(FixedFilter):
    title = gettext_lazy("condition")
    parameter_name = "about"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        self.options = list(Condition.objects.values_list("slug", "title"))
        return self.options

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = self.value() in dict(self.options)
        return queryset.filter(condition__slug=self.value()) if known else queryset


class LanguageFilter(FixedFilter):
    title = gettext_lazy("language")
    parameter_name = "language"
    options = [
        *settings.LANGUAGES,
        ("behind", gettext_lazy("The English page changed since")),
    ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "behind":
            return queryset.filter(english_at__gt=F("changed_at"))
        known = self.value() in dict(settings.LANGUAGES)
        return queryset.filter(language=self.value()) if known else queryset


class ReviewFilter(FixedFilter):
    title = gettext_lazy("review")
    parameter_name = "review"
    options = [
        ("overdue", gettext_lazy("Overdue")),
        ("soon", gettext_lazy("Due within 30 days")),
        ("never", gettext_lazy("No day set")),
    ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        today = timezone.localdate()
        if self.value() == "overdue":
            return cast(PageQuerySet, queryset).overdue(today)
        if self.value() == "soon":
            return queryset.filter(next_review_on__range=(today, today + SOON))
        return queryset.filter(next_review_on=None) if self.value() == "never" else queryset


class ProblemFilter(FixedFilter):
    """Filter pages by problems. Every page is judged in Python: quick enough for some dozens."""

    title = gettext_lazy("problems")
    parameter_name = "problems"
    options = [("yes", gettext_lazy("With problems")), ("no", gettext_lazy("Without"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in dict(self.options):
            return queryset
        known = known_names()
        found = [page.pk for page in queryset if judgement(page, known).problems]
        chosen = queryset.filter if self.value() == "yes" else queryset.exclude
        return chosen(pk__in=found)


class PageList(ReadOnlyAdmin[Page]):
    """The columns and filters of the list. The views of a single page are in pages.py."""

    list_title = gettext_lazy("Pages")
    list_display = [
        "page_title", "tongue", "group", "state", "faults", "grade", "reviewed", "due", "changed"
    ]  # fmt: skip
    list_filter = [StateFilter, ConditionFilter, LanguageFilter, ReviewFilter, ProblemFilter]
    list_per_page = 100
    ordering = ["condition__order", "order", "slug", "language"]
    sortable_by = []
    empty_value_display = ""
    actions = ["publish_chosen"]
    actions_selection_counter = False  # it would need a script to count

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return rights.may(request.user, "publish")

    @admin.action(permissions=["publish"], description=gettext_lazy("Publish the chosen pages"))
    def publish_chosen(self, request: HttpRequest, chosen: QuerySet[Page]) -> None:
        """Publish each chosen page like its own button, and say which ones are refused, and why."""
        done = 0
        for page in chosen:
            read = page.as_written().content_hash
            try:
                editing.publish(
                    page=page, by=signed_in_user(request), read=read, request_id=request_id(request)
                )
            except rights.ActRefused as error:
                messages.error(request, f"{page.title} ({page.language}): {error}")
            else:
                done += 1
        if done:
            said = ngettext("%(n)s page is published.", "%(n)s pages are published.", done)
            messages.success(request, said % {"n": done})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Page]:
        original = Page.objects.filter(
            condition=OuterRef("condition"), slug=OuterRef("slug"), language="en"
        ).exclude(pk=OuterRef("pk"))
        rows = Page.objects.with_texts().select_related("reviewed_by")
        rows = rows.annotate(english_at=Subquery(original.values("changed_at")[:1]))
        return rows.order_by(*self.ordering)

    def changelist_view(
        self, request: HttpRequest, extra_context: Context | None = None
    ) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None) or {}
        if "cl" in context:
            known, shown = known_names(), list(context["cl"].result_list)
            for row in shown:
                row.judgement = judgement(row, known)
            context["cl"].result_list = shown
        return response

    # --- columns ----------------------------------------------------------------------------------
    @admin.display(description=gettext_lazy("Page"))
    def page_title(self, row: Page) -> str:
        return format_html('<a href="{}">{}</a>', self.address("change", row.pk), row.title)

    @admin.display(description=gettext_lazy("Language"))
    def tongue(self, row: Any) -> str:
        name = dict(settings.LANGUAGES).get(row.language, row.language)
        if is_behind(row):
            return _("%(language)s; the English page changed since") % {"language": name}
        return str(name)

    @admin.display(description=gettext_lazy("Condition"))
    def group(self, row: Page) -> str:
        return row.condition.title

    @admin.display(description=gettext_lazy("State"))
    def state(self, row: Page) -> str:
        return state_words(row)

    @admin.display(description=gettext_lazy("Problems"))
    def faults(self, row: Any) -> str:
        number = len(row.judgement.problems)
        mark = format_html('<strong class="overdue">{}</strong>', number)
        return _labelled(_("problems:"), mark) if number else ""

    @admin.display(description=gettext_lazy("Reading grade"))
    def grade(self, row: Any) -> str:
        grade = row.judgement.whole.grade
        return "" if grade is None else _labelled(_("reading grade:"), f"{grade:g}")

    @admin.display(description=gettext_lazy("Last review"))
    def reviewed(self, row: Page) -> str:
        at = row.shown_reviewed_at
        return _labelled(_("last review:"), date_format(localtime(at), "j M Y")) if at else ""

    @admin.display(description=gettext_lazy("Next review"))
    def due(self, row: Page) -> str:
        if row.next_review_on is None:
            return ""
        day = date_format(row.next_review_on, "j M Y")
        if row.shown is not None and row.next_review_on < timezone.localdate():
            return format_html('<strong class="overdue">{}</strong>', _("overdue: %s") % day)
        return _labelled(_("next review:"), day)

    @admin.display(description=gettext_lazy("Changed"))
    def changed(self, row: Page) -> str:
        return _labelled(_("changed:"), date_format(localtime(row.changed_at), "j M Y"))

    # --- permissions ------------------------------------------------------------------------------
    def has_add_permission(self, request: HttpRequest) -> bool:
        return rights.may(request.user, "change")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the list in the admin index to editors only; others open it from the header."""
        return rights.may(request.user, "change")


def _labelled(label: str, value: str) -> str:
    """Return a cell with a label that only phones show, on which column headings are hidden."""
    return format_html('<span class="on-phone">{}</span> {}', label, value)


KnownNames = tuple[frozenset[str], frozenset[str]]


def known_names() -> KnownNames:
    """Return the names of all pages and of all pictures."""
    rows = Page.objects.values_list("condition__slug", "slug")
    pictures = Picture.objects.values_list("slug", flat=True)
    return frozenset(f"{condition}/{slug}" for condition, slug in rows), frozenset(pictures)


def judgement(page: Page, known: KnownNames) -> judging.Judgement:
    """Judge the text that editors work on (not the text that readers see)."""
    return judging.judge(page.as_written(), *known)


def is_behind(page: Any) -> bool:
    """Whether the English page was changed after this translation was changed last."""
    return page.english_at is not None and page.english_at > page.changed_at


def state_words(page: Page) -> str:
    """Return a page's state in words, which say if readers see an older text."""
    words = page.get_status_display()
    if page.status == Status.IN_REVIEW and page.reviewed_by_id:
        words = _("Reviewed, not yet published")
    if page.shown is not None and page.status != Status.PUBLISHED:
        return _("%(state)s; readers see an older text") % {"state": words}
    return words
