"""Appointments: from a wish to a visit that is never sold twice. See docs/decisions/0017."""

from intake.services.appointments.booking import (
    Standing,
    confirm_by_call,
    confirm_hold,
    held_by,
    hold,
    overbook,
    prune_holds,
    release,
    standing_of,
)
from intake.services.appointments.changing import (
    cancel,
    complete,
    drop_all,
    no_show,
    reschedule,
    time_to_move_to,
)
from intake.services.appointments.common import SlotGone, allow_one_more, open_requests
from intake.services.appointments.ending import Arranged, arranged_for, end
from intake.services.appointments.offers import (
    accept,
    decline,
    lapse,
    offer,
    open_offers,
    withdraw_offers,
)
from intake.services.appointments.times import (
    FreeTime,
    find_slot,
    fitting,
    free_slots,
    may_be_offered,
    menu,
    nearest,
    nearest_for,
    slots_for,
)
from intake.services.appointments.waitlist import join_waitlist, leave_waitlist
from intake.services.appointments.week import CalendarDay, calendar

__all__ = [
    "Arranged",
    "CalendarDay",
    "FreeTime",
    "SlotGone",
    "Standing",
    "accept",
    "allow_one_more",
    "arranged_for",
    "calendar",
    "cancel",
    "complete",
    "confirm_by_call",
    "confirm_hold",
    "decline",
    "drop_all",
    "end",
    "find_slot",
    "fitting",
    "free_slots",
    "held_by",
    "hold",
    "join_waitlist",
    "lapse",
    "leave_waitlist",
    "may_be_offered",
    "menu",
    "nearest",
    "nearest_for",
    "no_show",
    "offer",
    "open_offers",
    "open_requests",
    "overbook",
    "prune_holds",
    "release",
    "reschedule",
    "slots_for",
    "standing_of",
    "time_to_move_to",
    "withdraw_offers",
]
