"""The sections of the staff's site: the links in the header, and where one is."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clinic.people.sign_in import has_second_factor

register = template.Library()


@dataclass(frozen=True)
class Section:
    """A link of the header: its words, the list it opens, and which pages belong to it.

    `right` is the permission that opens the list. `tab` is a tab of the list, if the link opens a
    tab. `models` are the admin pages of the section besides those of the list.
    """

    label: str | Promise
    right: str
    opens: str
    tab: str = ""
    models: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        return reverse(f"admin:{self.opens}_changelist") + (f"?tab={self.tab}" if self.tab else "")

    def has(self, request: HttpRequest) -> bool:
        """Whether the page of a request belongs to this section."""
        match = request.resolver_match
        page = (match.url_name if match else None) or ""
        if self.tab:
            return page == f"{self.opens}_changelist" and request.GET.get("tab") == self.tab
        return page.startswith(tuple(f"{model}_" for model in (self.opens, *self.models)))


_TIME = ("location", "clinician", "visittype", "closure", "holiday", "oncall")
_SITE = ("clinicianprofile", "insuranceplan", "clinictext")

SECTIONS = (
    Section(_("Worklist"), "intake.view_submission", "intake_submission"),
    Section(_("Messages"), "intake.view_submission", "intake_submission", tab="replied"),
    Section(_("Front desk"), "intake.view_frontdesk", "intake_frontdesk"),
    Section(_("Red flags"), "intake.view_openredflag", "intake_openredflag"),
    Section(_("Enter a call"), "intake.enter_by_phone", "intake_phonecall"),
    Section(_("Calls to make"), "intake.view_calltask", "intake_calltask"),
    Section(_("Appointments"), "intake.view_appointment", "intake_appointment"),
    Section(_("Waiting list"), "intake.change_appointment", "intake_waitlistentry"),
    Section(
        _("Invitations"),
        "intake.view_invitation",
        "intake_invitation",
        models=("intake_invitationlist",),
    ),
    Section(
        _("Clinic time"),
        "intake.view_openinghours",
        "intake_openinghours",
        models=tuple(f"intake_{name}" for name in _TIME),
    ),
    Section(
        _("Pages"),
        "education.view_page",
        "education_page",
        models=("education_picture", "education_condition"),
    ),
    Section(
        _("Clinic pages"),
        "intake.view_locationprofile",
        "intake_locationprofile",
        models=tuple(f"intake_{name}" for name in _SITE),
    ),
    Section(_("Who read what"), "intake.view_accessreport", "intake_accessreport"),
    Section(_("Audit trail"), "clinic.view_event", "clinic_event"),
    Section(_("People"), "auth.view_user", "auth_user"),
    Section(_("Mail queue"), "clinic.view_message", "clinic_message"),
    Section(_("Leave"), "intake.view_leave", "intake_leave"),
)


@register.simple_tag(takes_context=True)
def header_links(context: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the links of the header that the user may open; `here` marks the section one is in."""
    request = context["request"]
    here = section_of(request)
    return [
        {
            "label": section.label,
            "address": section.address,
            "here": section is here,
            "counts": section.opens == "intake_calltask",
        }
        for section in SECTIONS
        if request.user.has_perm(section.right)
    ]


@register.simple_tag(takes_context=True)
def proved_factor(context: dict[str, Any]) -> bool:
    """Return whether the user has proved a second factor, so that the links of the header open."""
    request = context["request"]
    return request.user.is_authenticated and has_second_factor(request)


@register.simple_tag(takes_context=True)
def section_title(context: dict[str, Any]) -> str:
    """Return the words of the section of this page; '' for a page of no section."""
    section = section_of(context["request"])
    return str(section.label) if section else ""


def section_of(request: HttpRequest) -> Section | None:
    """Return the section to which the page of a request belongs; a tab counts before its list."""
    found = [section for section in SECTIONS if section.has(request)]
    return max(found, key=lambda section: bool(section.tab), default=None)
