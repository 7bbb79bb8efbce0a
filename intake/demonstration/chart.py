"""Details for the chart of a few invented patients with a visit, as the front desk typed them."""

from django.contrib.auth.models import User

from intake.chart import details
from intake.domain.stored import CHART_NUMBER, DOCTOR, MEMBER, PAYER, PHARMACY
from intake.models.submissions import Submission

KNOWN = (
    {PAYER: "Example Health Plan", MEMBER: "ECX 100 200 300", CHART_NUMBER: "007713"},
    {DOCTOR: "Dr. Petra Finch, Exampletown", PHARMACY: "Corner Drugs, 5 Example Street"},
    {PAYER: "Canary Mutual", MEMBER: "CM-4410-77", DOCTOR: "Dr. Otto Wren, Exampletown"},
)


def load(*, by: User) -> None:
    """Store what is known of the first patients with a visit."""
    visitors = Submission.objects.filter(appointments__status="confirmed").order_by("pk").distinct()
    for row, known in zip(visitors[: len(KNOWN)], KNOWN, strict=False):
        whole = dict.fromkeys(details.NAMES, "") | known
        details.correct(submission=row, details=whole, seen="", by=by, request_id="demo")
