"""Store the letters that clinicians write about a submission."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.ids import uuid7
from clinic.secrets.sealing import Json, SealedField
from intake.models.submissions import Submission


class ClinicalLetter(models.Model):
    """One version of a letter to a referring doctor, or for the chart. Rows are never edited.

    A change and the signature are new rows that `replaces` the version before. `content` maps "to"
    and "text" to what the clinician wrote.
    """

    class Kind(models.TextChoices):
        REFERRING = "referring", _("To a referring doctor")
        CHART = "chart", _("For the patient’s chart")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # no constraint for submission and account: the release before may delete either
    submission = models.ForeignKey(
        Submission, on_delete=models.CASCADE, db_constraint=False, related_name="clinical_letters"
    )
    kind = models.CharField(max_length=9, choices=Kind.choices)
    content = SealedField[Json]()
    signed = models.BooleanField(default=False)
    # The database refuses a second change of the same version.
    replaces = models.OneToOneField(
        "self", null=True, on_delete=models.CASCADE, related_name="replaced_by"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_constraint=False, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        permissions = [("sign_letter", "Can write and sign clinical letters")]
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return str(self.id)
