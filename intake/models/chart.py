"""Store what the front desk copies into the chart. Rows are added, never edited."""

from django.conf import settings
from django.db import models

from clinic.ids import uuid7
from clinic.secrets.sealing import Json, SealedField
from intake.models.submissions import Submission


class ChartDetails(models.Model):
    """A patient's insurance, doctor, pharmacy and number for the chart. The newest row counts.

    The row belongs to the first submission of a chain, and counts for what follows it, too.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    submission = models.ForeignKey(
        Submission,
        on_delete=models.CASCADE,
        db_constraint=False,  # the release before does not know this table
        related_name="chart_details",
    )
    # All details that are known, under the names of `details.NAMES`
    details = SealedField[Json]()
    # None when the patient answered in part 2
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,  # the release before does not know this table
        related_name="+",
    )
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return str(self.id)
