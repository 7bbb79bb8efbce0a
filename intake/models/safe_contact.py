"""Store how patients said that the clinic may reach them. Rows are added, never edited."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.ids import uuid7
from clinic.secrets.sealing import Json, SealedField
from intake.models.submissions import Submission


class SafeContact(models.Model):
    """What a patient said about the ways to reach the patient. The newest row counts.

    The row belongs to the first submission of a chain, and counts for what follows it, too: for its
    additions, its part 2, and the questionnaire after a request.
    """

    class Source(models.TextChoices):
        FORM = "form", _("said in a form")
        OWN_PAGE = "own_page", _("said on the own page")
        PHONE = "phone", _("said by phone")
        DESK = "desk", _("said in the clinic")
        WRITTEN = "written", _("written to us")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    submission = models.ForeignKey(
        Submission,
        on_delete=models.CASCADE,
        db_constraint=False,  # the release before does not know this table
        related_name="safe_contacts",
    )
    source = models.CharField(_("who said so"), max_length=8, choices=Source.choices)
    # What was said, under the names of `safe_contact.NAMES`. What was not said has no name here.
    said = SealedField[Json]()
    # None when the patient wrote the row alone
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
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return str(self.id)
