"""The staff's side: the worklist, the submission page, the front desk's pages.

No patient's record is edited through the admin's own forms. What staff do goes through one service
each, and every page that shows a person records who saw it before it is sent.
"""

from intake.admin import banner  # noqa: F401  (registers itself)
from intake.admin.appointments import AppointmentAdmin
from intake.admin.calls import CallTaskAdmin
from intake.admin.clinic_time import (
    ClinicianAdmin,
    ClosureAdmin,
    LocationAdmin,
    OpeningHoursAdmin,
    VisitTypeAdmin,
)
from intake.admin.frontdesk import FrontDeskAdmin
from intake.admin.waitlist import WaitlistAdmin
from intake.admin.worklist import SubmissionAdmin

__all__ = [
    "AppointmentAdmin",
    "CallTaskAdmin",
    "ClinicianAdmin",
    "ClosureAdmin",
    "FrontDeskAdmin",
    "LocationAdmin",
    "OpeningHoursAdmin",
    "SubmissionAdmin",
    "VisitTypeAdmin",
    "WaitlistAdmin",
]
