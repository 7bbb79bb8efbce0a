"""Store what clinicians found when they examined a patient."""

from django.conf import settings
from django.db import models

from clinic.ids import uuid7
from clinic.secrets.sealing import Json, SealedField
from intake.models.submissions import Submission


class Finding(models.Model):
    """One total, code or result of an examination. Rows are added, never edited.

    A correction is a new row that `replaces` the wrong one. In `content`, `scale` is an id of
    findings.yaml, `leg` is "L", "R" or "", `on` is the day of the examination, and `value` maps the
    parts of the scale to what was found. `value` is empty in a row that only takes back another.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # no constraint for submission and account: the release before may delete either
    submission = models.ForeignKey(
        Submission, on_delete=models.CASCADE, db_constraint=False, related_name="findings"
    )
    content = SealedField[Json]()
    # The database refuses a second correction of the same row.
    replaces = models.OneToOneField(
        "self", null=True, on_delete=models.CASCADE, related_name="replaced_by"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_constraint=False, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        default_permissions = ("add",)
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return str(self.id)
