"""Count, for each rule, how often clinicians found the urgency of the rules right."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from clinic import audit
from intake.documents import protocol_of
from intake.domain.bounds import upper_bound
from intake.models.submissions import Fit, RuleCount, Submission


@dataclass(frozen=True)
class RuleFit:
    """How often one rule of a protocol was right.

    `fits` counts the clinicians' answers for the submissions whose urgency this rule gave, alone or
    with others. `untold` counts the times that the rule stopped the form and the patient did not
    tell the clinic; whether the rule was right is then unknown.
    """

    protocol: str
    rule: str
    fits: Counter[str]
    untold: int

    @property
    def judged(self) -> int:
        return self.fits.total()

    def share(self, fit: Fit) -> tuple[int, float]:
        """Return how many answers are `fit`, and the upper 95 % bound of the share of `fit`."""
        return self.fits[fit], upper_bound(self.fits[fit], self.judged)


def of_rules(*, since: datetime) -> list[RuleFit]:
    """Return the counts of all rules for the submissions sent from `since` on.

    Opens the assessment of each closed submission that a clinician has judged, and records that in
    the audit trail as one event without names.
    """
    fits: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    untold: Counter[tuple[str, str]] = Counter()
    rows = Submission.objects.exclude(urgency_fit="").filter(submitted_at__gte=since)
    with transaction.atomic():
        opened = 0
        for row in rows.only("protocol", "assessment", "urgency_fit").iterator():
            result, opened = row.result, opened + 1
            for fired in result.fired:
                if fired.level == result.urgency:
                    fits[protocol_of(row.protocol_id).name, fired.id][row.urgency_fit] += 1
        for count in RuleCount.objects.filter(day__gte=since.date(), untold__gt=0):
            untold[protocol_of(count.protocol_hash).name, count.rule] += count.untold
        audit.record(
            actor=audit.system("urgency-fit"),
            action="read",
            detail={"kind": "assessment", "count": opened},
        )
    keys = sorted({*fits, *untold})
    return [RuleFit(*key, fits=fits[key], untold=untold[key]) for key in keys]
