"""The pictures in the admin."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.lists import Context, ReadOnlyAdmin
from clinic.requests import request_id, signed_in_user
from education import image_format
from education.admin.forms import NameField
from education.models import Picture
from education.services import pictures, rights

ACCEPTED = ",".join(f"image/{kind}" for kind in image_format.KINDS)
LIST = "admin:education_picture_changelist"


class WordsForm(forms.Form):
    """The words that describe a picture."""

    alt = forms.CharField(
        label=gettext_lazy("What it shows"),
        help_text=gettext_lazy("For blind readers: what they have to know about the picture."),
        max_length=300,
        widget=forms.Textarea({"rows": 2}),
        error_messages={"required": gettext_lazy("Describe what the picture shows.")},
    )


class PictureForm(WordsForm):
    """A new picture: the file, the name that texts use for it, and the words that describe it."""

    field_order = ["file", "slug", "alt"]
    file = forms.FileField(
        label=gettext_lazy("Picture"),
        help_text=gettext_lazy("PNG, JPEG or WebP, up to 300 kB."),
        widget=forms.FileInput(
            {"accept": ",".join(f"image/{kind}" for kind in image_format.KINDS)}
        ),
        error_messages={
            "required": gettext_lazy("Choose a picture."),
            "empty": gettext_lazy("This file is empty."),
        },
    )
    slug = NameField(
        label=gettext_lazy("Name in texts"),
        help_text=gettext_lazy("Small letters, digits and hyphens, such as leg-veins."),
        missing=gettext_lazy("Give the picture a name."),
    )


@admin.register(Picture)
class PictureAdmin(ReadOnlyAdmin[Picture]):
    """The list of pictures. Editors add pictures and change the words, but never the file."""

    list_title = gettext_lazy("Pictures")
    is_in_index = False
    list_display = ["preview", "markdown", "alt", "size"]
    ordering = ["slug"]
    sortable_by = []
    list_filter = []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Picture]:
        return super().get_queryset(request).defer("data")

    def has_view_permission(self, request: HttpRequest, obj: Picture | None = None) -> bool:
        return request.user.has_perm("education.view_page")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return rights.may(request.user, "change")

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        return ["alt"] if self.has_add_permission(request) else None

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Context | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        posted = request.method == "POST"
        form = PictureForm(request.POST if posted else None, request.FILES if posted else None)
        if posted and form.is_valid():
            data = form.cleaned_data
            try:
                pictures.add(
                    slug=data["slug"],
                    alt=data["alt"],
                    # one byte above the limit is enough for the service to refuse the picture
                    data=data["file"].read(image_format.MAX_BYTES + 1),
                    by=signed_in_user(request),
                    request_id=request_id(request),
                )
            except rights.ActRefused as error:
                form.add_error("file", str(error))
            else:
                messages.success(request, _("The picture is stored."))
                return redirect(LIST)
        return self._answer(request, form, {"title": _("Add a picture")})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Context | None = None,
    ) -> HttpResponse:
        """Change the words of a picture. Staff who may only read are redirected to the list."""
        posted, may = request.method == "POST", rights.may(request.user, "change")
        if not self.has_view_permission(request) or (posted and not may):
            raise PermissionDenied
        if not may:
            return redirect(LIST)
        row = self.record_or_404(request, object_id)
        form = WordsForm(request.POST if posted else None, initial={"alt": row.alt})
        if posted and form.is_valid():
            pictures.describe(
                picture=row,
                alt=form.cleaned_data["alt"],
                by=signed_in_user(request),
                request_id=request_id(request),
            )
            messages.success(request, _("The words are stored. Readers see them at once."))
            return redirect(LIST)
        context = {
            "title": row.slug,
            "row": row,
            "shown_on": pictures.pages_with(picture=row),
            "earlier": row.earlier.select_related("by"),
        }
        return self._answer(request, form, context)

    def _answer(
        self, request: HttpRequest, form: forms.Form, context: dict[str, Any]
    ) -> HttpResponse:
        context |= {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "is_popup": False,
            "form": form,
        }
        template = "admin/education/picture/edit.html"
        status = 422 if form.is_bound else 200
        return TemplateResponse(request, template, context, status=status)

    def history_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kw: Any
    ) -> HttpResponse:
        """Redirect to the page for changing the words, which also lists all earlier words."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return redirect("admin:education_picture_change", object_id)

    # --- columns ----------------------------------------------------------------------------------
    @admin.display(description=gettext_lazy("Picture"))
    def preview(self, row: Picture) -> str:
        return format_html(
            '<img class="thumb" src="{}" alt="" width="{}" height="{}" loading="lazy">',
            row.get_absolute_url(),
            row.width,
            row.height,
        )

    @admin.display(description=gettext_lazy("In a text"))
    def markdown(self, row: Picture) -> str:
        return format_html("<code>![](picture:{})</code>", row.slug)

    @admin.display(description=gettext_lazy("Size"))
    def size(self, row: Picture) -> str:
        return f"{row.width} × {row.height}"
