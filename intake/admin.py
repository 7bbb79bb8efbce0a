"""Register the staff's pages, whose code is in the rooms.

No patient's record is edited through the admin's own forms: each button calls one service. Each
page that shows a patient's data records the member of staff who opens it, before the page is sent.
"""

from intake.appointments.admin.clinic_time import (
    ClinicianAdmin,
    ClosureAdmin,
    LocationAdmin,
    OpeningHoursAdmin,
    VisitTypeAdmin,
)
from intake.appointments.admin.holidays import HolidayAdmin
from intake.appointments.admin.rota import OnCallAdmin
from intake.appointments.admin.visits import AppointmentAdmin
from intake.appointments.admin.waiting_list import WaitlistAdmin
from intake.clinic_pages.admin import (
    ClinicianProfileAdmin,
    ClinicTextAdmin,
    InsurancePlanAdmin,
    LocationProfileAdmin,
)
from intake.desk import banner  # noqa: F401  (registers itself)
from intake.desk.access_report_page import AccessReportAdmin
from intake.desk.call_list import CallTaskAdmin
from intake.desk.front_desk import FrontDeskAdmin
from intake.desk.red_flags import OpenRedFlagAdmin
from intake.desk.worklist import SubmissionAdmin
from intake.invitations.admin import InvitationAdmin
from intake.phone.admin import PhoneCallAdmin
from intake.staff.leave import LeaveAdmin

__all__ = [
    "AccessReportAdmin",
    "AppointmentAdmin",
    "CallTaskAdmin",
    "ClinicTextAdmin",
    "ClinicianAdmin",
    "ClinicianProfileAdmin",
    "ClosureAdmin",
    "FrontDeskAdmin",
    "HolidayAdmin",
    "InsurancePlanAdmin",
    "InvitationAdmin",
    "LeaveAdmin",
    "LocationAdmin",
    "LocationProfileAdmin",
    "OnCallAdmin",
    "OpenRedFlagAdmin",
    "OpeningHoursAdmin",
    "PhoneCallAdmin",
    "SubmissionAdmin",
    "VisitTypeAdmin",
    "WaitlistAdmin",
]
