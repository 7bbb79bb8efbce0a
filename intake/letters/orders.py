"""Choose the letters to send after a new submission."""

from clinic.outgoing.outbox import Order
from intake.models.submissions import Kind, Submission
from intake.ways import on_call
from intake.ways.contact import way_to


def for_submission(submission: Submission, *, confirm: bool) -> list[Order]:
    """Return the letters to order for a submission that was just sent.

    With `confirm`, the patient gets a confirmation, if the clinic has an address for it. A stopped
    form and part 2 are not confirmed. Staff get an alert if they must read the submission the same
    day, and at night the person on call also gets a text.
    """
    occasion, orders = str(submission.pk), []
    is_confirmed = confirm and submission.kind not in (Kind.STOPPED, Kind.PART_2)
    if is_confirmed and way_to(submission.person):
        orders.append(Order(kind="confirmation", occasion=occasion))
    if submission.is_for_today:
        orders.append(Order(kind="alert", occasion=occasion))
        orders += on_call.orders(submission.submitted_at, submission.location_id)
    return orders
