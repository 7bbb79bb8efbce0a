"""A page in the admin: its text, preview and history, and the buttons that change its state."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from csp.decorators import csp_replace, csp_update
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.clickjacking import xframe_options_sameorigin
from msgspec import structs

from clinic.lists import Context
from clinic.requests import request_id, signed_in_user
from education import content, differences, grading, link_check
from education.admin.forms import PageForm, ReviewForm
from education.admin.lists import PageList, is_behind, judgement, known_names, state_words
from education.models import GoneLink, Page, PageVersion
from education.services import editing, rights
from education.views import directory, page_context

SELF: Final = "'self'"
SHOWN: Final = "shown"
"""The name of the text that readers see. The names of all other texts are ids of versions."""

# the first is for a page that contains a preview, the second for the preview inside its frame
_holds_preview = method_decorator(csp_update({"frame-src": [SELF]}))
_in_frame = method_decorator([xframe_options_sameorigin, csp_replace({"frame-ancestors": [SELF]})])

MOVES: Final[dict[str, tuple[Callable[..., None], Any]]] = {
    "ask_for_review": (editing.ask_for_review, gettext_lazy("The page is in review.")),
    "review": (editing.review, gettext_lazy("The text is reviewed. An editor can publish it.")),
    "publish": (editing.publish, gettext_lazy("Readers see this text from now on.")),
    "send_back": (editing.send_back, gettext_lazy("The page is a draft again.")),
    "take_down": (editing.take_down, gettext_lazy("Readers no longer see the page.")),
}


@admin.register(Page)
class PageAdmin(PageList):
    """The admin of pages: an editor writes, a clinician reviews, an editor publishes."""

    # --- writing ----------------------------------------------------------------------------------
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Context | None = None
    ) -> HttpResponse:
        """Show the form for a new page, and store the new page as a draft."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        typed = PageForm(data=request.POST if request.method == "POST" else None)
        if request.method == "POST" and typed.is_valid():
            head = typed.head.cleaned_data
            condition = head["condition"]
            text = typed.as_text(
                condition=condition.slug, slug=head["slug"], language=head["language"]
            )
            try:
                page = editing.add_page(
                    condition=condition,
                    text=text,
                    by=signed_in_user(request),
                    request_id=request_id(request),
                )
            except rights.ActRefused as error:
                typed.head.add_error("slug", str(error))
            else:
                messages.success(request, _("The page is stored as a draft."))
                return self._onward(request, page)
        context = {"title": _("Add a page"), "page": None, "typed": typed}
        return self._answer(request, "edit", context, status=200 if typed.data is None else 422)

    @_holds_preview
    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Context | None = None,
    ) -> HttpResponse:
        """Show the page, to editors as a form, to others as a preview. Store a posted form."""
        page = self.record_or_404(request, object_id)
        if request.method != "POST":
            return self._edit(request, page)
        if not rights.may(request.user, "change"):
            raise PermissionDenied
        typed = PageForm(page.as_written(), request.POST)
        if not typed.is_valid():
            return self._edit(request, page, typed=typed, status=422)
        text = typed.as_text(condition=page.condition.slug, slug=page.slug, language=page.language)
        try:
            editing.save_text(
                page=page,
                text=text,
                by=signed_in_user(request),
                read=typed.read,
                request_id=request_id(request),
            )
        except rights.Changed as error:
            return self._conflict(request, page, typed, text, str(error))
        messages.success(request, _("Stored as a draft."))
        return self._onward(request, page)

    def _conflict(
        self, request: HttpRequest, page: Page, typed: PageForm, text: content.Page, reason: str
    ) -> HttpResponse:
        page = self.record_or_404(request, page.pk)
        stored = page.as_written()
        typed = typed.rebased(stored)
        typed.refused = _(
            "%(reason)s Your text is still here, but it is not stored. Below you see how it differs"
            " from the stored text. Take over the changes that you want to keep, then store again."
        ) % {"reason": reason}
        differ = differences.between(stored, text)
        return self._edit(request, page, typed=typed, differ=differ, status=409)

    def _edit(
        self, request: HttpRequest, page: Page, *, status: int = 200, **more: Any
    ) -> HttpResponse:
        text, by = page.as_written(), signed_in_user(request)
        context = {
            "title": page.title,
            "page": page,
            "state": state_words(page),
            "behind": is_behind(page),
            "read": text.content_hash,
            "moves": editing.allowed_moves(page, by),
            "has_written": rights.may(by, "review") and editing.has_written(by, page),
            "review_form": ReviewForm(),
            "judgement": judgement(page, known_names()),
            "gone": gone_links(text),
            "aim": grading.AIM,
            "typed": PageForm(text) if rights.may(by, "change") else None,
            "differ": None,
        }
        return self._answer(request, "edit", context | more, status=status)

    def _onward(self, request: HttpRequest, page: Page) -> HttpResponse:
        name = "preview" if "preview" in request.POST else "change"
        return redirect(self.address(name, page.pk))

    # --- state ------------------------------------------------------------------------------------
    @_holds_preview
    def move_view(self, request: HttpRequest, object_id: UUID, move: str) -> HttpResponse:
        """Change the state of the page as the pressed button says. Show why a change is refused."""
        page = self.record_or_404(request, object_id)
        back = redirect(self.address("change", page.pk))
        if request.method != "POST":
            return back
        more: dict[str, Any] = {}
        if move == "review":
            form = ReviewForm(request.POST)
            if not form.is_valid() and rights.may(request.user, "review"):
                return self._edit(request, page, review_form=form, status=422)
            more["next_on"] = form.cleaned_data.get("next_on")
        service, done = MOVES[move]
        read = request.POST.get("read", "")
        try:
            service(
                page=page,
                by=signed_in_user(request),
                read=read,
                request_id=request_id(request),
                **more,
            )
        except rights.NotPermitted:
            raise PermissionDenied from None
        except rights.ActRefused as error:
            messages.error(request, str(error))
        else:
            messages.success(request, str(done))
        return back

    # --- preview ----------------------------------------------------------------------------------
    @_holds_preview
    def preview_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Show the page as on a reader's phone or wide screen, and list its problems."""
        page = self.record_or_404(request, object_id)
        context = {
            "title": _("Preview: %(title)s") % {"title": page.title},
            "page": page,
            "wide": request.GET.get("width") == "wide",
            "judgement": judgement(page, known_names()),
            "gone": gone_links(page.as_written()),
            "aim": grading.AIM,
        }
        return self._answer(request, "preview", context)

    @_in_frame
    def shown_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Show the text that editors work on in the public template, for the preview's frame."""
        page = self.record_or_404(request, object_id)
        with override(page.language):
            context = page_context(page, directory(request), page.as_written())
            return TemplateResponse(request, "admin/education/page/shown.html", context).render()

    # --- history ----------------------------------------------------------------------------------
    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Context | None = None
    ) -> HttpResponse:
        """Show all texts of the page, their writers, and the differences between two of them."""
        page = self.record_or_404(request, object_id)
        versions = list(page.versions.select_related("by").defer("document"))
        total = len(versions)
        descriptions = [_version_words(row, total - place) for place, row in enumerate(versions)]
        choices = [(str(row.pk), words) for row, words in zip(versions, descriptions, strict=True)]
        if page.shown is not None:
            day = date_format(localtime(page.published_at), "j M Y, H:i")
            choices.insert(
                0, (SHOWN, _("The text that readers see, published %(day)s") % {"day": day})
            )
        newest = str(versions[0].pk) if versions else ""
        before = str(versions[1].pk) if len(versions) > 1 else newest
        old = request.GET.get("old", SHOWN if page.shown is not None else before)
        new = request.GET.get("new", newest)
        chosen = [self._text(page, which) for which in (old, new) if which in dict(choices)]
        context = {
            "title": _("History: %(title)s") % {"title": page.title},
            "page": page,
            "versions": [
                {"row": version, "words": words, "is_newest": str(version.pk) == newest}
                for version, words in zip(versions, descriptions, strict=True)
            ],
            "choices": choices,
            "old": old,
            "new": new,
            "read": page.as_written().content_hash,
            "may_change": rights.may(request.user, "change"),
            "differ": differences.between(*chosen) if len(chosen) == 2 else None,
        }
        return self._answer(request, "history", context)

    def restore_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Store an earlier text again as the newest text. All texts stay in the history."""
        page = self.record_or_404(request, object_id)
        back = redirect(self.address("history", page.pk))
        if request.method != "POST":
            return back
        if not rights.may(request.user, "change"):
            raise PermissionDenied
        text = self._text(page, request.POST.get("version", ""))
        text = structs.replace(text, topic=page.topic)
        try:
            editing.save_text(
                page=page,
                text=text,
                by=signed_in_user(request),
                read=request.POST.get("read", ""),
                request_id=request_id(request),
            )
        except rights.ActRefused as error:
            messages.error(request, str(error))
            return back
        messages.success(request, _("The old text is restored as a draft."))
        return redirect(self.address("change", page.pk))

    @staticmethod
    def _text(page: Page, which: str) -> content.Page:
        if which == SHOWN and page.shown is not None:
            return page.as_read()
        try:
            version = page.versions.get(pk=UUID(which))
        except (ValueError, PageVersion.DoesNotExist):
            raise Http404 from None
        return version.as_written()

    # --- shared --------------------------------------------------------------------------------
    def _answer(
        self, request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200
    ) -> HttpResponse:
        full_context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "is_popup": False,
            **context,
        }
        template = f"admin/education/page/{name}.html"
        return TemplateResponse(request, template, full_context, status=status)

    def get_urls(self) -> list[URLPattern]:
        def own(view: Callable[..., HttpResponse], name: str, **more: str) -> URLPattern:
            view = self.admin_site.admin_view(view)
            return path(f"<uuid:object_id>/{name}/", view, more, name=f"education_page_{name}")

        urls = [
            own(self.preview_view, "preview"),
            own(self.shown_view, "shown"),
            own(self.restore_view, "restore"),
        ]
        return urls + [own(self.move_view, move, move=move) for move in MOVES] + super().get_urls()


def gone_links(text: content.Page) -> list[GoneLink]:
    """Return the addresses in a text that did not answer any more at the last check."""
    return list(GoneLink.objects.filter(url__in=link_check.addresses(text)))


def _version_words(version: PageVersion, number: int) -> str:
    writer = _("from a file")
    if version.by is not None:
        writer = version.by.get_full_name() or version.by.get_username()
    day = date_format(localtime(version.at), "j M Y, H:i")
    return _("Version %(n)s: %(day)s, %(writer)s") % {"n": number, "day": day, "writer": writer}
