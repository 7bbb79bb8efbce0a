"""Store what the front desk corrected of a patient's contact. Rows are added, never edited."""

from django.conf import settings
from django.db import models

from clinic.ids import uuid7
from clinic.secrets.sealing import Json, SealedField
from intake.models.submissions import Submission


class ContactCorrection(models.Model):
    """A corrected name, birth date, phone number or e-mail address of one submission.

    The submission has the corrected contact. The first row has the contact as it was sent.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    submission = models.ForeignKey(
        Submission,
        on_delete=models.CASCADE,
        db_constraint=False,  # the release before does not know this table
        related_name="corrections",
    )
    # {"before": whole contact, "after": whole contact, "reason": …, "told": the addresses that hear
    # of the correction, as pairs of channel and address}
    words = SealedField[Json]()
    # the names of the details by which the caller was identified
    checked = models.CharField(max_length=80)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
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
