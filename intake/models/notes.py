"""Store the notes that staff write about a submission for each other."""

from django.conf import settings
from django.db import models

from clinic.ids import uuid7
from clinic.secrets.sealing import SealedField, Words
from intake.models.submissions import Submission


class StaffNote(models.Model):
    """A note for colleagues, which the patient never reads. Rows are added, never edited."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # no constraint for submission and account: the release before may delete either
    submission = models.ForeignKey(
        Submission, on_delete=models.CASCADE, db_constraint=False, related_name="staff_notes"
    )
    words = SealedField[Words]()  # {"text": …}
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_constraint=False, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return str(self.id)
