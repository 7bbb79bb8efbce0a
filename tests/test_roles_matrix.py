"""Which role may open which address of the admin. TABLE must contain every address."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import URLResolver, reverse
from django.utils import timezone

from clinic.models import Message
from clinic.people.roles import ROLES
from education.services import pictures
from intake.appointments import waiting_list
from intake.invitations import lists
from intake.invitations.csv_file import Read
from intake.models.appointments import Appointment, WaitlistEntry
from intake.models.calls import CallTask
from intake.models.clinic_pages import ClinicianProfile, ClinicText, InsurancePlan, LocationProfile
from intake.models.clinic_time import Clinician, Closure, Holiday, Location, OpeningHours, VisitType
from intake.models.invitations import Invitation, InvitationList
from intake.models.phone_calls import PhoneCall
from intake.models.rota import Leave, OnCall
from intake.phone import entering
from intake.ways import calls
from tests import builders
from tests.desk import WORKLIST, waiting
from tests.education.conftest import load
from tests.education.samples import png
from tests.intake import book
from tests.intake.invitations import invited
from tests.trail import recorded, unchained

pytestmark = pytest.mark.django_db

WHO = ["clinician", "duty", "front desk", "content editor", "auditor", "administrator"]
HOUR = timedelta(hours=1)
NONE = "403 403 403 403 403 403"
# name of an address → status of a GET by each role in WHO, in the order of WHO. test_looking.py
# opens each address.
TABLE = {
    "index": "302 302 302 302 200 302",
    "app_list intake": "200 200 200 404 200 404",
    "app_list clinic": "404 404 404 404 200 404",
    "app_list auth": "404 404 404 404 404 200",
    "app_list education": "404 404 404 200 404 404",
    "login": "302 302 302 302 302 302",
    "logout": "405 405 405 405 405 405",
    "password_change": "302 302 302 302 302 302",
    "password_change_done": "200 200 200 200 200 200",
    "autocomplete": NONE,
    "jsi18n": "200 200 200 200 200 200",
    "view_on_site": "404 404 404 404 404 404",
    "intake_submission_changelist": "200 200 403 403 403 403",
    "intake_submission_change": "200 200 403 403 403 403",
    "intake_submission_history": "302 302 403 403 403 403",
    "intake_submission_add": NONE,
    "intake_submission_delete": NONE,
    "intake_submission_decide": "302 302 403 403 403 403",
    "intake_submission_undo": "302 302 403 403 403 403",
    "intake_submission_together": "200 200 403 403 403 403",
    "intake_submission_assign": "302 302 403 403 403 403",
    "intake_submission_move": "302 302 403 403 403 403",
    "intake_submission_message": "302 302 403 403 403 403",
    "intake_submission_settle": "302 302 403 403 403 403",
    "intake_submission_trust": "302 302 403 403 403 403",
    "intake_submission_call": "302 302 403 403 403 403",
    "intake_submission_reach": "200 200 403 403 403 403",
    "intake_submission_chart": "200 200 403 403 403 403",
    "intake_submission_findings": "200 200 403 403 403 403",
    "intake_submission_print": "200 200 403 403 403 403",
    "intake_submission_same": "200 200 403 403 403 403",
    "intake_submission_preview": "200 200 403 403 403 403",
    "intake_submission_changed": "200 200 403 403 403 403",
    "intake_submission_save_filter": "302 302 403 403 403 403",
    "intake_submission_saved": "302 302 403 403 403 403",
    "intake_submission_delete_filter": "302 302 403 403 403 403",
    "intake_submission_letters": "200 200 403 403 403 403",
    "intake_submission_letter": "302 302 403 403 403 403",
    "intake_submission_pdf": "200 200 403 403 403 403",
    "intake_submission_export": "200 403 403 403 403 403",
    "intake_frontdesk_preview": "403 403 200 403 403 403",
    "intake_frontdesk_changelist": "403 403 200 403 403 403",
    "intake_frontdesk_change": "403 403 200 403 403 403",
    "intake_frontdesk_history": "403 403 302 403 403 403",
    "intake_frontdesk_add": NONE,
    "intake_frontdesk_delete": NONE,
    "intake_frontdesk_progress": "403 403 302 403 403 403",
    "intake_frontdesk_offer": "403 403 302 403 403 403",
    "intake_frontdesk_call": "403 403 302 403 403 403",
    "intake_frontdesk_withdraw": "403 403 302 403 403 403",
    "intake_frontdesk_overbook": "403 403 302 403 403 403",
    "intake_frontdesk_wait": "403 403 302 403 403 403",
    "intake_frontdesk_reach": "403 403 200 403 403 403",
    "intake_frontdesk_correct": "403 403 200 403 403 403",
    "intake_frontdesk_number": "403 403 302 403 403 403",
    "intake_frontdesk_tell": "403 403 302 403 403 403",
    "intake_frontdesk_noted": "403 403 302 403 403 403",
    "intake_frontdesk_chart": "403 403 200 403 403 403",
    "intake_appointment_changelist": "200 403 200 403 403 403",
    "intake_appointment_change": "403 403 200 403 403 403",
    "intake_appointment_history": "302 403 302 403 403 403",
    "intake_appointment_add": NONE,
    "intake_appointment_delete": NONE,
    "intake_appointment_move": "403 403 200 403 403 403",
    "intake_appointment_cancel": "403 403 302 403 403 403",
    "intake_appointment_complete": "403 403 302 403 403 403",
    "intake_appointment_miss": "403 403 302 403 403 403",
    "intake_appointment_arrive": "403 403 302 403 403 403",
    "intake_appointment_call_in": "403 403 302 403 403 403",
    "intake_appointment_leave": "403 403 302 403 403 403",
    "intake_waitlistentry_changelist": "403 403 200 403 403 403",
    "intake_waitlistentry_change": "403 403 302 403 403 403",
    "intake_waitlistentry_history": "403 403 302 403 403 403",
    "intake_waitlistentry_leave": "403 403 302 403 403 403",
    "intake_waitlistentry_add": NONE,
    "intake_waitlistentry_delete": NONE,
    "intake_calltask_changelist": "200 200 200 403 403 403",
    "intake_calltask_change": "302 302 302 403 403 403",
    "intake_calltask_history": "302 302 302 403 403 403",
    "intake_calltask_reached": "302 302 302 403 403 403",
    "intake_calltask_left_word": "302 302 302 403 403 403",
    "intake_calltask_not_reached": "302 302 302 403 403 403",
    "intake_calltask_wrong": "302 302 302 403 403 403",
    "intake_calltask_procedure": "200 200 200 403 403 403",
    "intake_calltask_told": "302 302 302 403 403 403",
    "intake_calltask_texts": "302 302 302 403 403 403",
    "intake_calltask_add": NONE,
    "intake_calltask_delete": NONE,
    "intake_invitation_changelist": "200 403 200 403 403 403",
    "intake_invitation_change": "200 403 200 403 403 403",
    "intake_invitation_history": "302 403 302 403 403 403",
    "intake_invitation_add": "200 403 200 403 403 403",
    "intake_invitation_delete": NONE,
    "intake_invitation_again": "302 403 302 403 403 403",
    "intake_invitation_withdraw": "302 403 302 403 403 403",
    "intake_invitation_decline": "302 403 302 403 403 403",
    "intake_invitation_reached": "302 403 302 403 403 403",
    "intake_invitation_not_reached": "302 403 302 403 403 403",
    "intake_invitation_code": "302 403 302 403 403 403",
    "intake_invitationlist_add": "200 403 200 403 403 403",
    "intake_invitationlist_change": "200 403 200 403 403 403",
    "intake_phonecall_changelist": "200 403 200 403 403 403",
    "intake_phonecall_add": "200 403 200 403 403 403",
    "intake_phonecall_change": "302 403 302 403 403 403",
    "intake_phonecall_history": "302 403 302 403 403 403",
    "intake_phonecall_delete": NONE,
    "intake_phonecall_caller": "302 403 302 403 403 403",
    "intake_phonecall_later": "302 403 302 403 403 403",
    "intake_phonecall_remove": "302 403 302 403 403 403",
    "intake_phonecall_back": "302 403 302 403 403 403",
    "intake_phonecall_take": "302 403 302 403 403 403",
    "intake_phonecall_walk": "302 403 302 403 403 403",
    "intake_location_changelist": "403 403 200 403 403 403",
    "intake_location_add": "403 403 200 403 403 403",
    "intake_location_change": "403 403 200 403 403 403",
    "intake_location_history": "403 403 200 403 403 403",
    "intake_location_delete": NONE,
    "intake_clinician_changelist": "403 403 200 403 403 403",
    "intake_clinician_add": "403 403 200 403 403 403",
    "intake_clinician_change": "403 403 200 403 403 403",
    "intake_clinician_history": "403 403 200 403 403 403",
    "intake_clinician_delete": NONE,
    "intake_locationprofile_changelist": "403 403 403 200 403 200",
    "intake_locationprofile_add": "403 403 403 200 403 200",
    "intake_locationprofile_change": "403 403 403 200 403 200",
    "intake_locationprofile_history": "403 403 403 200 403 200",
    "intake_locationprofile_delete": NONE,
    "intake_clinicianprofile_changelist": "403 403 403 200 403 200",
    "intake_clinicianprofile_add": "403 403 403 200 403 200",
    "intake_clinicianprofile_change": "403 403 403 200 403 200",
    "intake_clinicianprofile_history": "403 403 403 200 403 200",
    "intake_clinicianprofile_delete": NONE,
    "intake_insuranceplan_changelist": "403 403 403 200 403 200",
    "intake_insuranceplan_add": "403 403 403 200 403 200",
    "intake_insuranceplan_change": "403 403 403 200 403 200",
    "intake_insuranceplan_history": "403 403 403 200 403 200",
    "intake_insuranceplan_delete": NONE,
    "intake_clinictext_changelist": "403 403 403 200 403 200",
    "intake_clinictext_add": "403 403 403 200 403 200",
    "intake_clinictext_change": "403 403 403 200 403 200",
    "intake_clinictext_history": "403 403 403 200 403 200",
    "intake_clinictext_delete": NONE,
    "intake_visittype_changelist": "403 403 200 403 403 403",
    "intake_visittype_add": "403 403 200 403 403 403",
    "intake_visittype_change": "403 403 200 403 403 403",
    "intake_visittype_history": "403 403 200 403 403 403",
    "intake_visittype_delete": NONE,
    "intake_openinghours_changelist": "403 403 200 403 403 403",
    "intake_openinghours_add": "403 403 200 403 403 403",
    "intake_openinghours_week": "403 403 200 403 403 403",
    "intake_openinghours_change": "403 403 200 403 403 403",
    "intake_openinghours_history": "403 403 200 403 403 403",
    "intake_openinghours_delete": "403 403 200 403 403 403",
    "intake_closure_changelist": "403 403 200 403 403 403",
    "intake_closure_add": "403 403 200 403 403 403",
    "intake_closure_change": "403 403 200 403 403 403",
    "intake_closure_history": "403 403 200 403 403 403",
    "intake_closure_delete": "403 403 200 403 403 403",
    "intake_oncall_changelist": "403 200 200 403 403 403",
    "intake_oncall_add": "403 200 200 403 403 403",
    "intake_oncall_change": "403 200 200 403 403 403",
    "intake_oncall_history": "403 200 200 403 403 403",
    "intake_oncall_delete": "403 200 200 403 403 403",
    # the leave of a colleague, which only an administrator may open
    "intake_leave_changelist": "200 200 403 403 403 200",
    "intake_leave_add": "200 200 403 403 403 200",
    "intake_leave_change": "302 302 403 403 403 200",
    "intake_leave_history": "302 302 403 403 403 200",
    "intake_leave_delete": "302 302 403 403 403 200",
    "intake_openredflag_changelist": "200 200 403 403 403 403",
    "intake_openredflag_change": "302 302 403 403 403 403",
    "intake_openredflag_history": "302 302 403 403 403 403",
    "intake_openredflag_add": NONE,
    "intake_openredflag_delete": NONE,
    "intake_holiday_changelist": "403 403 200 403 403 403",
    "intake_holiday_change": "403 403 200 403 403 403",
    "intake_holiday_history": "403 403 200 403 403 403",
    "intake_holiday_add": NONE,
    "intake_holiday_delete": NONE,
    "intake_holiday_closed": "403 403 302 403 403 403",
    "intake_holiday_open": "403 403 302 403 403 403",
    "intake_accessreport_changelist": "403 403 403 403 200 403",
    "intake_accessreport_change": "403 403 403 403 302 403",
    "intake_accessreport_history": "403 403 403 403 302 403",
    "intake_accessreport_export": "403 403 403 403 302 403",
    "intake_accessreport_check": "403 403 403 403 302 403",
    "intake_accessreport_add": NONE,
    "intake_accessreport_delete": NONE,
    "clinic_event_changelist": "403 403 403 403 200 403",
    "clinic_event_change": "403 403 403 403 302 403",
    "clinic_event_history": "403 403 403 403 302 403",
    "clinic_event_add": NONE,
    "clinic_event_delete": NONE,
    "clinic_message_changelist": "200 200 200 403 200 403",
    "clinic_message_change": "302 302 302 403 302 403",
    "clinic_message_history": "302 302 302 403 302 403",
    "clinic_message_add": NONE,
    "clinic_message_delete": NONE,
    "clinic_message_again": "302 302 302 403 403 403",
    "clinic_message_aside": "302 302 302 403 403 403",
    "auth_user_changelist": "403 403 403 403 403 200",
    "auth_user_add": "403 403 403 403 403 200",
    "auth_user_change": "403 403 403 403 403 200",
    "auth_user_history": "403 403 403 403 403 200",
    "auth_user_delete": NONE,
    "auth_user_password": "403 403 403 403 403 200",
    "auth_user_factor": "403 403 403 403 403 302",
    "education_page_changelist": "200 403 403 200 403 403",
    "education_page_change": "200 403 403 200 403 403",
    "education_page_history": "200 403 403 200 403 403",
    "education_page_add": "403 403 403 200 403 403",
    "education_page_delete": NONE,
    "education_page_preview": "200 403 403 200 403 403",
    "education_page_shown": "200 403 403 200 403 403",
    "education_page_restore": "302 403 403 302 403 403",
    "education_page_ask_for_review": "302 403 403 302 403 403",
    "education_page_review": "302 403 403 302 403 403",
    "education_page_publish": "302 403 403 302 403 403",
    "education_page_send_back": "302 403 403 302 403 403",
    "education_page_take_down": "302 403 403 302 403 403",
    "education_condition_changelist": "403 403 403 200 403 403",
    "education_condition_change": "403 403 403 200 403 403",
    "education_condition_history": "403 403 403 302 403 403",
    "education_condition_add": "403 403 403 200 403 403",
    "education_condition_delete": NONE,
    "education_picture_changelist": "200 403 403 200 403 403",
    "education_picture_change": "302 403 403 200 403 403",
    "education_picture_history": "302 403 403 302 403 403",
    "education_picture_add": "403 403 403 200 403 403",
    "education_picture_delete": NONE,
}
POSTS = {
    "intake_submission_letters": "200 403 403 403 403 403",
    "intake_submission_decide": "422 422 403 403 403 403",
    "intake_submission_undo": "302 302 403 403 403 403",
    "intake_submission_together": "422 422 403 403 403 403",
    "intake_submission_assign": "302 302 403 403 403 403",
    "intake_submission_move": "302 302 403 403 403 403",
    "intake_submission_message": "302 302 403 403 403 403",
    "intake_submission_settle": "302 302 403 403 403 403",
    "intake_submission_trust": "302 302 403 403 403 403",
    "intake_submission_call": "422 422 403 403 403 403",
    "intake_submission_reach": "422 422 403 403 403 403",
    "intake_submission_chart": NONE,
    "intake_submission_findings": "200 200 403 403 403 403",
    "intake_submission_same": "404 404 403 403 403 403",
    "intake_frontdesk_progress": "403 403 302 403 403 403",
    "intake_frontdesk_offer": "403 403 422 403 403 403",
    "intake_frontdesk_call": "403 403 422 403 403 403",
    "intake_frontdesk_withdraw": "403 403 302 403 403 403",
    "intake_frontdesk_overbook": "403 403 422 403 403 403",
    "intake_frontdesk_wait": "403 403 302 403 403 403",
    "intake_frontdesk_reach": "403 403 422 403 403 403",
    "intake_frontdesk_correct": "403 403 422 403 403 403",
    "intake_frontdesk_number": "403 403 409 403 403 403",
    "intake_frontdesk_tell": "403 403 409 403 403 403",
    "intake_frontdesk_noted": "403 403 422 403 403 403",
    "intake_frontdesk_chart": "403 403 302 403 403 403",
    "intake_appointment_move": "403 403 422 403 403 403",
    "intake_appointment_cancel": "403 403 422 403 403 403",
    "intake_appointment_complete": "403 403 409 403 403 403",
    "intake_appointment_miss": "403 403 409 403 403 403",
    "intake_appointment_arrive": "403 403 409 403 403 403",
    "intake_appointment_call_in": "403 403 409 403 403 403",
    "intake_appointment_leave": "403 403 302 403 403 403",
    "intake_calltask_reached": "302 302 302 403 403 403",
    "intake_calltask_left_word": "302 302 302 403 403 403",
    "intake_calltask_not_reached": "302 302 302 403 403 403",
    "intake_calltask_procedure": "422 403 403 403 403 403",
    "intake_calltask_wrong": "302 302 302 403 403 403",
    "intake_calltask_told": "302 302 302 403 403 403",
    "intake_invitation_add": "422 403 422 403 403 403",
    "intake_invitation_again": "302 403 302 403 403 403",
    "intake_invitation_withdraw": "302 403 302 403 403 403",
    "intake_invitation_decline": "302 403 302 403 403 403",
    "intake_invitation_reached": "302 403 302 403 403 403",
    "intake_invitation_not_reached": "302 403 302 403 403 403",
    "intake_invitation_code": "409 403 409 403 403 403",
    "intake_invitationlist_add": "422 403 422 403 403 403",
    "intake_invitationlist_change": "302 403 302 403 403 403",
    "intake_phonecall_add": "422 403 422 403 403 403",
    "intake_phonecall_caller": "302 403 302 403 403 403",
    "intake_phonecall_later": "302 403 302 403 403 403",
    "intake_phonecall_remove": "302 403 302 403 403 403",
    "intake_phonecall_back": "302 403 302 403 403 403",
    "intake_phonecall_take": "302 403 302 403 403 403",
    "intake_phonecall_walk": "302 403 302 403 403 403",
    "intake_calltask_texts": "302 302 302 403 403 403",
    "intake_location_add": "403 403 200 403 403 403",
    "intake_clinician_add": "403 403 200 403 403 403",
    "intake_locationprofile_add": "403 403 403 200 403 200",
    "intake_clinicianprofile_add": "403 403 403 200 403 200",
    "intake_insuranceplan_add": "403 403 403 200 403 200",
    "intake_clinictext_add": "403 403 403 200 403 200",
    "intake_visittype_add": "403 403 200 403 403 403",
    "intake_openinghours_week": "403 403 422 403 403 403",
    "intake_openinghours_add": "403 403 200 403 403 403",
    "intake_closure_add": "403 403 200 403 403 403",
    "intake_oncall_add": "403 200 200 403 403 403",
    "intake_leave_add": "200 200 403 403 403 200",
    "intake_accessreport_changelist": "403 403 403 403 302 403",
    "intake_accessreport_export": "403 403 403 403 200 403",
    "intake_accessreport_check": "403 403 403 403 302 403",
    "clinic_message_again": "302 302 302 403 403 403",
    "clinic_message_aside": "302 302 302 403 403 403",
    "auth_user_password": "403 403 403 403 403 200",
    "auth_user_factor": "403 403 403 403 403 302",
    "education_page_change": "403 403 403 422 403 403",
    "education_page_add": "403 403 403 422 403 403",
    "education_picture_add": "403 403 403 422 403 403",
    "education_picture_change": "403 403 403 422 403 403",
    "education_condition_change": "403 403 403 422 403 403",
    "education_condition_add": "403 403 403 422 403 403",
    "education_page_restore": "403 403 403 404 403 403",
    "education_page_ask_for_review": "403 403 403 302 403 403",
    "education_page_review": "422 403 403 403 403 403",
    "education_page_publish": "403 403 403 302 403 403",
    "education_page_send_back": "302 403 403 302 403 403",
    "education_page_take_down": "403 403 403 302 403 403",
    "intake_submission_save_filter": "302 302 403 403 403 403",
    "intake_submission_delete_filter": "302 302 403 403 403 403",
    "intake_waitlistentry_leave": "403 403 302 403 403 403",
    "intake_holiday_open": "403 403 302 403 403 403",
    "intake_holiday_closed": "403 403 302 403 403 403",
}

# opening one of these pages writes an audit event
RECORDED = {
    *("intake_submission_changelist", "intake_submission_change", "intake_submission_findings"),
    "intake_submission_same",
    *("intake_submission_print", "intake_submission_reach", "intake_frontdesk_reach"),
    "intake_frontdesk_correct",
    *("intake_submission_preview", "intake_frontdesk_preview"),
    *("intake_submission_chart", "intake_frontdesk_chart"),
    "intake_submission_pdf",
    "intake_submission_together",
    *("intake_frontdesk_changelist", "intake_frontdesk_change"),
    *("intake_appointment_changelist", "intake_appointment_change", "intake_appointment_move"),
    *("intake_waitlistentry_changelist", "intake_calltask_changelist"),
    *("intake_invitation_changelist", "intake_invitation_change", "intake_invitationlist_change"),
    *("intake_phonecall_changelist", "intake_openredflag_changelist"),
    "intake_openinghours_delete",
    *("clinic_event_changelist", "clinic_message_changelist"),
    "intake_accessreport_changelist",
    "intake_submission_letters",
}


def names(patterns) -> set[str]:
    """Return the names of the admin's addresses.

    Addresses without a name are left out: they are redirects and the 404 page.
    """
    found = set()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            found |= names(pattern.url_patterns)
        elif pattern.name:
            found.add(pattern.name)
    return found


def addresses_of(submission: Any, user: Any, page: Any, picture: Any) -> dict[str, str]:
    """Return the address of each name in TABLE and POSTS, for one stored row of each model."""
    places = (Location, Clinician, VisitType, Closure, Holiday, LocationProfile, ClinicianProfile)
    places += (InsurancePlan, ClinicText, OnCall, Leave)
    alone = (Appointment, CallTask, PhoneCall, WaitlistEntry, Invitation, InvitationList, *places)
    rows = [*(model.objects.get() for model in alone), OpeningHours.objects.all()[0]]
    keys = {
        "submission": submission.pk,
        "frontdesk": submission.pk,
        "openredflag": submission.pk,
        "event": 1,
        "accessreport": 1,
        "message": Message.objects.order_by("pk").values_list("pk", flat=True)[0],
        "user": user.pk,
        "page": page.pk,
        "picture": picture.pk,
        "condition": page.condition_id,
        **{row._meta.model_name: row.pk for row in rows},
    }
    found = {}
    for told in {**TABLE, **POSTS}:
        name, _space, app = told.partition(" ")
        model = name.split("_")[1] if "_" in name else ""
        if app:
            args = [app]
        elif name == "view_on_site":
            args = [1, submission.pk]
        elif name.endswith(("_saved", "_delete_filter")):
            args = ["mornings"]
        elif model in keys and not name.endswith(
            (
                "_changelist",
                "_add",
                "_export",
                "_texts",
                "_procedure",
                "_check",
                "_changed",
                "_save_filter",
                "_week",
            )
        ):
            args = [keys[model], *(["intake/legs/p/safety/"] if name.endswith("_walk") else [])]
        else:
            args = []
        found[told] = reverse(f"admin:{name}", args=args)
    return found


@pytest.fixture
def addresses(things) -> dict[str, str]:
    """The address of each name in TABLE and POSTS."""
    return addresses_of(*things)


@pytest.fixture
def things():
    submission = waiting("Quentin Canary")
    book.clinician()
    book.booked(submission)
    waiting_list.join_waitlist(submission=submission)
    calls.owe(submission=submission, reason="message", occasion="1")
    invited.invite()
    lists.keep(
        found=Read([], "utf-8"),
        protocol="legs",
        language="en",
        by=builders.member("front desk"),
        request_id="r",
    )
    entering.begin(by=builders.member("front desk", "caller"), phone="+12025550199", request_id="")
    Closure(first_day=date(2020, 1, 1), last_day=date(2020, 1, 1)).save()
    Holiday(day=date(2030, 1, 1), name="New Year’s Day").save()
    LocationProfile(location=book.location()).save()
    ClinicianProfile(clinician=Clinician.objects.get()).save()
    InsurancePlan(name="A plan").save()
    ClinicText(kind="referral", text={"en": "Not needed"}).save()
    page = load()["knees/creaking"]
    colleague = builders.member("content editor", "colleague")
    OnCall(person=colleague, starts_at=timezone.now(), ends_at=timezone.now() + HOUR).save()
    Leave(person=colleague, first_day=date(2020, 1, 1), last_day=date(2020, 1, 1)).save()
    picture = pictures.add(slug="knee", alt="A knee", data=png(), by=colleague)
    return submission, colleague, page, picture


def test_every_address_of_the_admin_is_in_the_table():
    known = {name.partition(" ")[0] for name in TABLE}

    assert names(admin.site.urls[0]) == known
    assert set(WHO) == set(ROLES)


@pytest.mark.parametrize("number", range(len(WHO)), ids=WHO)
def test_each_role_presses_its_own_buttons_and_no_other(number, addresses):
    client = builders.staff_client(WHO[number])
    for name, statuses in POSTS.items():
        response = client.post(addresses[name])
        assert response.status_code == int(statuses.split()[number]), name


@pytest.mark.django_db(transaction=True)
def test_no_page_is_sent_whose_event_is_lost_at_the_commit(addresses):
    """Open each page as the first role that may open it, and a page that no role may open."""
    clients = {role: builders.staff_client(role) for role in WHO}
    opened = {name: told.split().index("200") for name, told in TABLE.items() if "200" in told}
    got, wanted = {}, {}
    with unchained():
        for name, number in {**opened, "intake_submission_add": 0}.items():
            with recorded() as events:
                response = clients[WHO[number]].get(addresses[name])
            got[name] = response.status_code
            wanted[name] = 403 if name not in opened else 503 if events else 200
            assert response.status_code == 200 or b"Canary" not in response.content

    assert got == wanted
    assert set(got.values()) == {200, 403, 503}
    assert {name for name in got if got[name] == 503} == RECORDED


def test_strangers_are_sent_to_the_sign_in_whatever_they_ask_for(addresses):
    for name in sorted(TABLE):
        if name == "logout":
            continue
        response = Client().get(addresses[name])
        if name == "jsi18n":  # this public address serves only texts for the admin's scripts
            continue
        assert response.status_code == 302, name
        assert "/login/" in response.headers["Location"], name
        assert b"Canary" not in response.content


def test_a_password_alone_opens_nothing(addresses):
    client = Client()
    client.force_login(
        builders.member("clinician"),
        backend="clinic.people.sign_in.RoleBackend",
    )
    for name in sorted(TABLE):
        response = client.get(addresses[name])
        assert b"Canary" not in response.content
        if name not in ("logout", "jsi18n"):
            assert response.status_code == 302, name


def test_somebody_with_no_role_gets_an_empty_desk():
    user = builders.member("clinician", "fresh")
    user.groups.clear()
    page = builders.sign_in(Client(), user).get("/admin/")

    assert b"There is nothing here for your account yet." in page.content


def test_a_permission_given_to_a_person_by_hand_opens_nothing():
    user = builders.member("auditor", "favoured")
    user.user_permissions.set(Permission.objects.all())
    client = builders.sign_in(Client(), user)

    assert client.get(WORKLIST).status_code == 403
    assert client.get(reverse("admin:clinic_message_changelist")).status_code == 200
