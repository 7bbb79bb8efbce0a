"""Store which submissions are of the same person, as staff confirmed it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from clinic.ids import uuid7
from intake.models.submissions import Submission


class SamePersonQuerySet(models.QuerySet["SamePerson"]):
    def standing(self) -> "SamePersonQuerySet":
        """Return the links that nobody took back."""
        return self.filter(undone_at=None)


class SamePerson(models.Model):
    """Staff say that two submissions are of the same person. The submissions are never merged.

    `first` is the submission with the lower id. A link that was taken back keeps its row.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # no constraints for submissions and accounts: the release before may delete them
    first = models.ForeignKey(
        Submission, on_delete=models.CASCADE, db_constraint=False, related_name="+"
    )
    second = models.ForeignKey(
        Submission, on_delete=models.CASCADE, db_constraint=False, related_name="+"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_constraint=False, related_name="+"
    )
    at = models.DateTimeField()
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        related_name="+",
    )
    undone_at = models.DateTimeField(null=True)

    objects = SamePersonQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="same_person_in_order", condition=Q(first__lt=F("second"))),
            models.UniqueConstraint(
                fields=["first", "second"],
                name="same_person_once",
                condition=Q(undone_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
