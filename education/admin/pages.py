"""Writing a page, looking at it as a reader will, its history, and the buttons that move it on."""

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

from education import content, differences, judging, link_check
from education.admin.forms import ReviewForm, Typed
from education.admin.lists import PageList, is_behind, judged, names, state_words
from education.models import GoneLink, Page, PageVersion
from education.services import editing, rights
from education.views import directory, page_context

SELF: Final = "'self'"
SHOWN: Final = "shown"
"""In place of a version's id: the text readers see."""

# the page that holds a preview, and the preview in it
_holds_preview = method_decorator(csp_update({"frame-src": [SELF]}))
_in_frame = method_decorator([xframe_options_sameorigin, csp_replace({"frame-ancestors": [SELF]})])

MOVES: Final[dict[str, tuple[Callable[..., None], Any]]] = {
    "ask_for_review": (editing.ask_for_review, gettext_lazy("The page is in review.")),
    "review": (editing.review, gettext_lazy("The text is reviewed. An editor can publish it.")),
    "publish": (editing.publish, gettext_lazy("Readers see this text from now on.")),
    "send_back": (editing.send_back, gettext_lazy("The page is a draft again.")),
    "take_down": (editing.take_down, gettext_lazy("Readers see the page no longer.")),
}


@admin.register(Page)
class PageAdmin(PageList):
    """One page: an editor writes, a clinician reviews, an editor publishes."""

    # --- writing ----------------------------------------------------------------------------------
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A new page, a draft at once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        typed = Typed(data=request.POST if request.method == "POST" else None)
        if request.method == "POST" and typed.is_valid():
            head = typed.head.cleaned_data
            condition = head["condition"]
            text = typed.as_text(
                condition=condition.slug, slug=head["slug"], language=head["language"]
            )
            try:
                page = editing.add_page(
                    condition=condition, text=text, by=request.user, request_id=request.request_id
                )
            except rights.ActRefused as error:
                typed.head.add_error("slug", str(error))
            else:
                messages.success(request, _("The page is there, as a draft."))
                return self._onward(request, page)
        context = {"title": _("Add a page"), "page": None, "typed": typed}
        return self._answer(request, "edit", context, status=200 if typed.data is None else 422)

    @_holds_preview
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The text to work on for who may; to read for who reviews."""
        page = self._page(request, object_id)
        if request.method != "POST":
            return self._edit(request, page)
        if not rights.may(request.user, "change"):
            raise PermissionDenied
        typed = Typed(page.as_written(), request.POST)
        if not typed.is_valid():
            return self._edit(request, page, typed=typed, status=422)
        text = typed.as_text(condition=page.condition.slug, slug=page.slug, language=page.language)
        try:
            editing.save_text(
                page=page,
                text=text,
                by=request.user,
                read=typed.read,
                request_id=request.request_id,
            )
        except rights.Changed as error:
            return self._conflict(request, page, typed, text, str(error))
        messages.success(request, _("Stored as a draft."))
        return self._onward(request, page)

    def _conflict(
        self, request: HttpRequest, page: Page, typed: Typed, text: content.Page, said: str
    ) -> HttpResponse:
        page = self._page(request, page.pk)
        there = page.as_written()
        typed = typed.renewed(there)
        typed.refused = _(
            "%(said)s What you typed is still here and is not stored. Below is how it differs from"
            " what is there now: take over what you want to keep, then store again."
        ) % {"said": said}
        differ = differences.between(there, text)
        return self._edit(request, page, typed=typed, differ=differ, status=409)

    def _edit(
        self, request: HttpRequest, page: Page, *, status: int = 200, **more: Any
    ) -> HttpResponse:
        text = page.as_written()
        context = {
            "title": page.title,
            "page": page,
            "state": state_words(page),
            "behind": is_behind(page),
            "read": text.content_hash,
            "moves": editing.allowed_moves(page, request.user),
            "wrote": rights.may(request.user, "review") and editing.has_written(request.user, page),
            "review_form": ReviewForm(),
            "judged": judged(page, names()),
            "gone": gone_links(text),
            "aim": judging.AIM,
            "typed": Typed(text) if rights.may(request.user, "change") else None,
            "differ": None,
        }
        return self._answer(request, "edit", context | more, status=status)

    def _onward(self, request: HttpRequest, page: Page) -> HttpResponse:
        name = "preview" if "preview" in request.POST else "change"
        return redirect(self.address(name, page.pk))

    # --- moving on --------------------------------------------------------------------------------
    @_holds_preview
    def move_view(self, request: HttpRequest, object_id: UUID, move: str) -> HttpResponse:
        """A button. What is refused is said on the page."""
        page = self._page(request, object_id)
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
            service(page=page, by=request.user, read=read, request_id=request.request_id, **more)
        except rights.NotPermitted:
            raise PermissionDenied from None
        except rights.ActRefused as error:
            messages.error(request, str(error))
        else:
            messages.success(request, str(done))
        return back

    # --- looking ----------------------------------------------------------------------------------
    @_holds_preview
    def preview_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """The page as readers will see it, on a phone or a wide screen, with what is wrong."""
        page = self._page(request, object_id)
        context = {
            "title": _("Preview: %(title)s") % {"title": page.title},
            "page": page,
            "wide": request.GET.get("width") == "wide",
            "judged": judged(page, names()),
            "gone": gone_links(page.as_written()),
            "aim": judging.AIM,
        }
        return self._answer(request, "preview", context)

    @_in_frame
    def shown_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """The preview itself: the public template with the text under work."""
        page = self._page(request, object_id)
        with override(page.language):
            context = page_context(page, directory(request), page.as_written())
            return TemplateResponse(request, "admin/education/page/shown.html", context).render()

    # --- history ----------------------------------------------------------------------------------
    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Every text the page ever had, who wrote it, and what differs between any two."""
        page = self._page(request, object_id)
        versions = list(page.versions.select_related("by").defer("document"))
        total = len(versions)
        told = [_version_words(row, total - place) for place, row in enumerate(versions)]
        choices = [(str(row.pk), words) for row, words in zip(versions, told, strict=True)]
        if page.shown is not None:
            day = date_format(localtime(page.published_at), "j M Y, H:i")
            choices.insert(0, (SHOWN, _("What readers see, published %(day)s") % {"day": day}))
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
                for version, words in zip(versions, told, strict=True)
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
        """An old text becomes the newest one: nothing of the history is lost."""
        page = self._page(request, object_id)
        back = redirect(self.address("history", page.pk))
        if request.method != "POST":
            return back
        if not rights.may(request.user, "change"):
            raise PermissionDenied
        text = self._text(page, request.POST.get("version", ""))
        try:
            editing.save_text(
                page=page,
                text=text,
                by=request.user,
                read=request.POST.get("read", ""),
                request_id=request.request_id,
            )
        except rights.ActRefused as error:
            messages.error(request, str(error))
            return back
        messages.success(request, _("The old text is back, as a draft."))
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

    # --- what they share --------------------------------------------------------------------------
    def _page(self, request: HttpRequest, object_id: Any) -> Page:
        if not self.has_view_permission(request):
            raise PermissionDenied
        page = self.get_object(request, str(object_id))
        if page is None:
            raise Http404
        return page

    def _answer(
        self, request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200
    ) -> HttpResponse:
        whole = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "is_popup": False,
            **context,
        }
        template = f"admin/education/page/{name}.html"
        return TemplateResponse(request, template, whole, status=status)

    def get_urls(self) -> list[URLPattern]:
        def own(view: Any, name: str, **more: str) -> URLPattern:
            view = self.admin_site.admin_view(view)
            return path(f"<uuid:object_id>/{name}/", view, more, name=f"education_page_{name}")

        looks = [
            own(self.preview_view, "preview"),
            own(self.shown_view, "shown"),
            own(self.restore_view, "restore"),
        ]
        return looks + [own(self.move_view, move, move=move) for move in MOVES] + super().get_urls()


def gone_links(text: content.Page) -> list[GoneLink]:
    """The addresses in a text that were not there any more when last asked."""
    return list(GoneLink.objects.filter(url__in=link_check.addresses(text)))


def _version_words(version: PageVersion, number: int) -> str:
    who = _("from a file")
    if version.by is not None:
        who = version.by.get_full_name() or version.by.get_username()
    day = date_format(localtime(version.at), "j M Y, H:i")
    return _("Version %(n)s: %(day)s, %(who)s") % {"n": number, "day": day, "who": who}
