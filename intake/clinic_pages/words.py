"""Words of the public pages about the clinic that patients read."""

from django.utils.translation import gettext_lazy as _

from intake.models.clinic_pages import Access
from intake.models.clinic_time import VisitKind

ACCESS = {
    Access.STEP_FREE: _("A way in without steps"),
    Access.DOOR: _("Doors that open by themselves"),
    Access.LIFT: _("An elevator to every floor that we use"),
    Access.TOILET: _("A restroom with room for a wheelchair"),
    Access.PARKING: _("Marked parking spaces for people with disabilities"),
    Access.TABLE: _("An examination table that goes up and down"),
    Access.SEATS: _("Wide chairs without arms"),
    Access.LOOP: _("A hearing loop at the front desk"),
}
VISITS = {
    VisitKind.IN_PERSON: _("in person"),
    VisitKind.VIDEO: _("by video"),
    VisitKind.PHONE: _("by phone"),
}
