"""Store the one-time codes of returning patients, and what a correct code opened."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from clinic.ids import uuid7
from intake.models.submissions import Draft, Submission


class Challenge(models.Model):
    """A one-time code, requested in one browser.

    A row is also stored when the reference or the address is unknown, so that the response does
    not reveal which ones are known.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    browser_hash = models.BinaryField(max_length=32, db_index=True)
    # What the code opens: one unsent draft, or submissions. Both are empty for an unknown address.
    draft = models.ForeignKey(Draft, null=True, on_delete=models.CASCADE, related_name="+")
    submissions = ArrayField(models.UUIDField(), default=list)
    # Blind token of the address that the patient typed; a new code goes to the same address.
    address_key = models.BigIntegerField()
    # The reference that the patient typed, right or wrong; '' without a reference.
    reference = models.CharField(max_length=9, db_default="")
    code_hash = models.BinaryField(max_length=32)
    tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    # When this code, or another code for the same record, was redeemed.
    used_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="challenge_tries_few", condition=Q(tries__lte=5))
        ]

    def __str__(self) -> str:
        return str(self.id)


class Grant(models.Model):
    """The submissions that one browser may open for a while after a correct code."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key_hash = models.BinaryField(max_length=32, unique=True)
    submissions = ArrayField(models.UUIDField())
    chosen = models.ForeignKey(Submission, null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.id)
