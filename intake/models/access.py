"""Store the one-time codes of returning patients, and what a browser may open after a code."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from clinic.ids import uuid7
from clinic.secrets.sealing import Json, SealedField, Words
from intake.models.submissions import Draft, Submission


class Challenge(models.Model):
    """A one-time code that was requested in one browser.

    A row is also stored when the reference or the address is unknown, so that the response does not
    reveal which references and addresses are known.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    browser_hash = models.BinaryField(max_length=32, db_index=True)
    # The code opens one unsent draft or some submissions. `draft` and `submissions` are empty when
    # nothing fits the address.
    draft = models.ForeignKey(Draft, null=True, on_delete=models.CASCADE, related_name="+")
    submissions = ArrayField(models.UUIDField(), default=list)
    # Blind token of the address that the patient typed, so that a new code can go to the same
    # address.
    address_key = models.BigIntegerField()
    # The reference that the patient typed, right or wrong; '' when the patient typed only the
    # address.
    reference = models.CharField(max_length=9, db_default="")
    code_hash = models.BinaryField(max_length=32)
    tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    # When this code, or another code for the same draft or submissions, was redeemed.
    used_at = models.DateTimeField(null=True)
    # the code that did not open anything, as it was typed, until the patient types another one:
    # {"code": …, "why": "wrong", or "" for a text that is not a code}
    returned = SealedField[Words | None](null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="challenge_tries_few", condition=Q(tries__lte=5))
        ]

    def __str__(self) -> str:
        return str(self.id)


class Grant(models.Model):
    """The submissions that one browser may open for a while after a right code."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key_hash = models.BinaryField(max_length=32, unique=True)
    submissions = ArrayField(models.UUIDField())
    chosen = models.ForeignKey(Submission, null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    # the pages that came back to the patient (see `intake.my_page.returned`)
    returned = SealedField[Json | None](null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.id)
