"""Put visits to book and an e-mail address that a patient told by phone into the demonstration."""

from django.contrib.auth.models import User

from intake.desk import correcting, decisions
from intake.desk.decisions import DecisionInput
from intake.models.submissions import Submission, Urgency
from intake.ways.contact import reach_of

TO_BOOK = ("book_soon", "book_routine")


def load(*, clinician: User, desk: User) -> None:
    """Decide on two visits that nobody has booked, and add the address of a patient without one.

    No letter reached that patient before, so none is sent about the correction.
    """
    waiting = Submission.objects.filter(status="new", urgency__lt=Urgency.SAME_DAY, suspect=False)
    waiting = waiting.filter(appointment_request__progress="requested", follows=None)
    rows = list(waiting.order_by("submitted_at", "pk"))
    for row, outcome in zip(rows, TO_BOOK, strict=False):
        decisions.decide(
            submission=row,
            given=DecisionInput(Urgency(row.urgency), outcome, "", ""),
            by=clinician,
            revision=row.revision,
            request_id="",
        )
    for row in [each for each in rows[len(TO_BOOK) :] if not reach_of(each).way][:1]:
        correcting.correct(
            submission=row,
            told={name: row.person.get(name, "") for name in ("name", "birth_date")},
            new={"email": "told-by-phone@example.org"},
            reason="Has an address now.",
            by=desk,
            revision=row.revision,
            request_id="",
        )
