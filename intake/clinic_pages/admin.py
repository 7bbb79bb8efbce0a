"""The admin pages of what the public pages say of the clinic: places, people, plans, short texts.

Content editors and administrators keep these lists. Each list names what the pages still lack.
"""

from typing import Any, TypeVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.lists import Context
from clinic.requests import request_id, signed_in_user
from intake.clinic_pages import missing, storing, words
from intake.models.clinic_pages import ClinicianProfile, ClinicText, InsurancePlan, LocationProfile
from intake.staff.plain_forms import PlainFormAdmin

LISTS = [
    ("locationprofile", gettext_lazy("Places")),
    ("clinicianprofile", gettext_lazy("People")),
    ("insuranceplan", gettext_lazy("Insurance plans")),
    ("clinictext", gettext_lazy("Short texts")),
]
Kept = TypeVar("Kept", bound=storing.Row)


class ClinicPagesAdmin(PlainFormAdmin[Kept]):
    """The base of the four lists, which intake.clinic_pages.storing stores."""

    is_in_index = False
    lists = LISTS
    change_list_template = "admin/intake/clinic_pages.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: Context | None = None
    ) -> HttpResponse:
        context = {"missing": missing.find(), **(extra_context or {})}
        return super().changelist_view(request, context)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        storing.save_row(
            row=form.instance,
            fields=form.changed_data,
            by=signed_in_user(request),
            request_id=request_id(request),
        )


class LocationProfileForm(forms.ModelForm[LocationProfile]):
    access = forms.MultipleChoiceField(
        label=gettext_lazy("Access to the building"),
        choices=list(words.ACCESS.items()),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=gettext_lazy("Tick only what a person has checked at the place."),
    )


@admin.register(LocationProfile)
class LocationProfileAdmin(ClinicPagesAdmin[LocationProfile]):
    list_display = ["location", "fax"]
    list_select_related = ["location"]
    form = LocationProfileForm
    fields = [
        "location", "fax", "latitude", "longitude", "way", "picture", "transport", "parking",
        "access", "access_note",
    ]  # fmt: skip


@admin.register(ClinicianProfile)
class ClinicianProfileAdmin(ClinicPagesAdmin[ClinicianProfile]):
    list_display = ["clinician", "role_words", "is_published"]
    list_select_related = ["clinician"]
    fields = [
        "clinician", "is_published", "order", "credentials", "role", "sees", "languages",
        "takes_new", "picture",
    ]  # fmt: skip

    @admin.display(description=gettext_lazy("Role"))
    def role_words(self, row: ClinicianProfile) -> str:
        return str(row.role)


@admin.register(InsurancePlan)
class InsurancePlanAdmin(ClinicPagesAdmin[InsurancePlan]):
    list_display = ["name", "needs_referral", "is_accepted"]
    fields = ["name", "is_accepted", "needs_referral", "note"]


@admin.register(ClinicText)
class ClinicTextAdmin(ClinicPagesAdmin[ClinicText]):
    list_display = ["subject", "is_written"]
    list_display_links = ["subject"]
    fields = ["kind", "text"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClinicText]:
        return super().get_queryset(request).order_by("kind")

    @admin.display(description=gettext_lazy("Subject"))
    def subject(self, row: ClinicText) -> str:
        return row.get_kind_display()

    @admin.display(description=gettext_lazy("Text"))
    def is_written(self, row: ClinicText) -> str:
        return str(row.text)[:80] or _("empty")
