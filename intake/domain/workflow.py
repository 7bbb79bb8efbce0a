"""Define the statuses of submissions, requests and appointments, and the moves between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

STATUSES: Final[Mapping[str, str]] = {
    "new": "New",
    "in_review": "In review",
    "waiting": "Waiting for an answer",
    "decided": "Decided",
    "closed": "Closed",
    "withdrawn": "Withdrawn by the patient",
}
"""Status → label.

new: no clinician has taken the submission. in_review: a clinician has taken it. waiting: for an
answer, of the patient or another person. decided: a decision is recorded, and its outcome is not
done yet. closed: all is done. withdrawn: the patient withdrew it.
"""

NEW: Final = "new"
OPEN: Final = ("new", "in_review", "waiting")
"""The statuses in which a submission is not decided."""

IN_TRIAGE: Final = ("new", "in_review")
"""The open statuses in which the clinic has the next step.

In `waiting` the clinic has the next step until the patient is asked; then the patient has it.
"""

FINISHED: Final = ("closed", "withdrawn")
"""The statuses in which a submission needs no more work."""

ACTIONS: Final[Mapping[str, str]] = {
    "assign": "Assign",
    "release": "Give back",
    "decide": "Decide",
    "ask": "Wait for more information",
    "redirect": "Send to emergency care",
    "return": "Come back to the clinic",
    "close": "Close",
    "reopen": "Open again",
    "withdraw": "Withdraw",
    "reply": "Write to the clinic",
}
"""Action → label.

redirect: a clinician decided on emergency care and has not reached the patient yet. return: the
patient answered on the phone, or did not answer in time.
"""

MOVES: Final[Mapping[tuple[str, str], str]] = {
    ("new", "assign"): "in_review",
    ("new", "decide"): "decided",
    ("new", "ask"): "waiting",
    ("in_review", "assign"): "in_review",
    ("in_review", "release"): "new",
    ("in_review", "decide"): "decided",
    ("in_review", "ask"): "waiting",
    ("waiting", "assign"): "waiting",
    ("waiting", "release"): "waiting",
    ("waiting", "decide"): "decided",
    ("waiting", "ask"): "waiting",
    ("waiting", "return"): "in_review",
    **{(status, "redirect"): "in_review" for status in ("new", "in_review", "waiting")},
    ("decided", "assign"): "decided",
    ("decided", "close"): "closed",
    ("decided", "reopen"): "in_review",
    ("closed", "reopen"): "in_review",
    ("withdrawn", "reopen"): "in_review",
    ("withdrawn", "close"): "closed",
    **{(status, "withdraw"): "withdrawn" for status in ("new", "in_review", "waiting", "decided")},
    # A patient's message does not change the status. The message gets its own target time, which
    # brings the submission to the worklist.
    **{(status, "reply"): status for status in STATUSES},
    # The exception: a patient's message that answers the clinic's question changes the status.
    ("waiting", "reply"): "in_review",
}
"""(status, action) → next status. No other move is allowed.

Only a decided or withdrawn submission can be closed, so that every submission ends with a decision
of a clinician or of the patient.
"""

OUTCOMES: Final[Mapping[str, str]] = {
    "call_today": "Call the patient today",
    "book_urgent": "Book an urgent visit",
    "book_soon": "Book a visit soon",
    "book_routine": "Book a regular visit",
    "redirect_emergency": "Send to emergency care",
    "refer_elsewhere": "Refer to another service",
    "advice_only": "Advice only, no visit",
    "need_more_information": "Need more information",
}
"""Outcome of a decision → label."""

NEED_INFORMATION: Final = "need_more_information"
EMERGENCY_CARE: Final = "redirect_emergency"
TO_BOOK: Final = ("book_urgent", "book_soon", "book_routine")
NO_VISIT: Final = ("redirect_emergency", "refer_elsewhere", "advice_only")
"""The outcomes after which this clinic plans no visit."""


REQUESTED: Final = "requested"
REQUEST_STATUSES: Final[Mapping[str, str]] = {
    "requested": "Requested",
    "called": "Patient called",
    "offered": "Times offered",
    "booked": "Booked",
    "done": "Visit done",
    "missed": "Did not come",
    "withdrawn": "Not wanted any more",
}
"""Progress of an appointment request → label."""

REQUEST_ACTIONS: Final[Mapping[str, str]] = {
    "call": "Note a call",
    "offer": "Offer times",
    "return": "Give back",
    "book": "Book",
    "complete": "Visit done",
    "miss": "Did not come",
    "withdraw": "Withdraw the request",
    "reopen": "Ask again",
}
"""Action → label. The action `return` means that the offer or the booking has ended and the patient
still wants a visit."""

REQUEST_MOVES: Final[Mapping[tuple[str, str], str]] = {
    ("requested", "call"): "called",
    ("called", "call"): "called",
    ("requested", "offer"): "offered",
    ("called", "offer"): "offered",
    ("offered", "offer"): "offered",
    # a patient with a booking is offered an earlier slot that became free
    ("booked", "offer"): "booked",
    ("offered", "return"): "requested",
    ("booked", "return"): "requested",
    **{
        (status, "book"): "booked"
        for status in ("requested", "called", "offered", "booked", "missed")
    },
    ("booked", "complete"): "done",
    ("booked", "miss"): "missed",
    # staff correct a wrong entry
    ("missed", "complete"): "done",
    ("done", "miss"): "missed",
    **{
        (status, "withdraw"): "withdrawn"
        for status in ("requested", "called", "offered", "booked", "missed", "withdrawn")
    },
    **{(status, "reopen"): "requested" for status in ("withdrawn", "missed", "called")},
}
"""(progress, action) → next progress. No other move is allowed."""

REQUEST_OPEN: Final = ("requested", "called", "offered", "booked")
"""The progress of the requests that count against the limit per person."""

FRONT_DESK_ACTIONS: Final[Mapping[str, str]] = {
    "requested": "reopen",
    "called": "call",
    "withdrawn": "withdraw",
}
"""Progress that the front desk can set → its action. Offers and visits set every other progress."""

VISIT_STATUSES: Final[Mapping[str, str]] = {
    "held": "Held",
    "confirmed": "Confirmed",
    "cancelled": "Cancelled",
    "expired": "Hold ended",
    "completed": "Completed",
    "no_show": "Did not come",
}
"""Status of an appointment → label."""

OCCUPYING: Final = ("held", "confirmed")
"""The statuses of an appointment that occupies clinic time."""

VISITS: Final = ("confirmed", "completed", "no_show")
"""The statuses of an appointment that is or was a visit, not only a held slot."""

MAY_LACK_PATIENT: Final = ("held", "cancelled", "expired")
"""The statuses in which an appointment may have no patient yet."""

VISIT_MOVES: Final[Mapping[tuple[str, str], str]] = {
    ("held", "confirm"): "confirmed",
    ("held", "release"): "cancelled",
    ("held", "expire"): "expired",
    ("confirmed", "move"): "confirmed",
    ("confirmed", "cancel"): "cancelled",
    ("confirmed", "complete"): "completed",
    ("confirmed", "miss"): "no_show",
    # An arrival does not change the status. A patient who comes after the no-show is here, too, but
    # the clinic no longer keeps the time of the visit.
    **{
        (status, action): status
        for status in ("confirmed", "no_show")
        for action in ("arrive", "call_in")
    },
    **{(status, "leave"): status for status in VISITS},
    # staff correct a wrong entry
    ("completed", "miss"): "no_show",
    ("no_show", "complete"): "completed",
}
"""(status, action) → next status of an appointment."""

VISIT_STATES: Final[Mapping[str, str]] = {
    **VISIT_STATUSES,
    "confirmed": "Booked",
    "here": "Here",
    "called_in": "In",
    "completed": "Kept",
}
"""State of a visit on the list of the day → label: the status, or how far the patient has come."""


class NotAllowed(Exception):
    """The current status does not allow the action. `message` tells staff why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def move(status: str, action: str) -> str:
    """Return the status of a submission after the action. Raises NotAllowed."""
    try:
        return MOVES[status, action]
    except KeyError:
        label = ACTIONS.get(action, action).lower()
        raise NotAllowed(
            f"You cannot choose “{label}” here: the submission is"
            f" “{STATUSES.get(status, status).lower()}”."
        ) from None


def move_request(progress: str, action: str) -> str:
    """Return the progress of an appointment request after the action. Raises NotAllowed."""
    try:
        return REQUEST_MOVES[progress, action]
    except KeyError:
        raise NotAllowed(
            f"You cannot choose “{REQUEST_ACTIONS.get(action, action).lower()}” here: the request"
            f" is “{REQUEST_STATUSES.get(progress, progress).lower()}”."
        ) from None


def move_visit(status: str, action: str) -> str:
    """Return the status of an appointment after the action. Raises NotAllowed."""
    try:
        return VISIT_MOVES[status, action]
    except KeyError:
        raise NotAllowed(
            "This cannot be done any more: the appointment is"
            f" “{VISIT_STATUSES.get(status, status).lower()}”."
        ) from None


def state_of_visit(status: str, *, is_here: bool, is_called_in: bool) -> str:
    """Return the state of a visit, a key of VISIT_STATES."""
    if (status, "call_in") not in VISIT_MOVES or not is_here:
        return status
    return "called_in" if is_called_in else "here"


def allowed(status: str) -> tuple[str, ...]:
    """Return the actions that this status of a submission allows, in the order of MOVES."""
    return tuple(action for (of, action) in MOVES if of == status)


def action_of(outcome: str) -> str:
    """Return the action that an outcome means: "ask" for more information, else "decide".

    Raises NotAllowed for an unknown outcome.
    """
    if outcome not in OUTCOMES:
        raise NotAllowed(f"There is no outcome “{outcome}”.")
    return "ask" if outcome == NEED_INFORMATION else "decide"
