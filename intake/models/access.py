"""How a patient comes back: codes under way, and what a right one opened."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from clinic.ids import uuid7
from intake.models.submissions import Draft, Submission


class Challenge(models.Model):
    """A one-time code asked for in one browser. Also made when nothing fits, so that nobody learns
    from the answer whether a reference or an address is known."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    browser_hash = models.BinaryField(max_length=32, db_index=True)
    # what it opens: one unsent draft, or submissions; nothing, when nothing fitted
    draft = models.ForeignKey(Draft, null=True, on_delete=models.CASCADE, related_name="+")
    submissions = ArrayField(models.UUIDField(), default=list)
    # blind token of the address asked with: a new code goes there again
    address_key = models.BigIntegerField()
    # the number asked with, right or not; '' when the address alone was
    reference = models.CharField(max_length=9, db_default="")
    code_hash = models.BinaryField(max_length=32)
    tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    # when this code, or another for the same record, was entered
    used_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="challenge_tries_few", condition=Q(tries__lte=5))
        ]

    def __str__(self) -> str:
        return str(self.id)


class Grant(models.Model):
    """What one browser may open after a right code: a patient's own submissions, for a while."""

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
