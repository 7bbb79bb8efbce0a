"""Store the text messages that people write to the clinic's number."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.ids import uuid7
from clinic.secrets.sealing import SealedField, Words
from intake.domain.text_words import Meaning


class ReceivedTextQuerySet(models.QuerySet["ReceivedText"]):
    def open(self) -> "ReceivedTextQuerySet":
        """Return the texts that staff still have to deal with."""
        return self.filter(settled_at=None)


class ReceivedText(models.Model):
    """A text message to the clinic's number.

    The row belongs to a number and to no patient, because two people may share a number, and a
    number may have a new owner. No patient sees the row.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # the provider's id of the text, so that a report that comes twice is stored once
    provider_id = models.CharField(max_length=80, unique=True)
    # the keyed hash of the number
    key = models.BinaryField(max_length=32)
    words = SealedField[Words]()  # {"number": …, "text": …, "alarm": id of a rule, or ""}
    pictures = models.PositiveSmallIntegerField(default=0)
    meaning = models.CharField(max_length=6, choices=[(each.value, each.value) for each in Meaning])
    # whether the text has words of danger
    alarm = models.BooleanField(default=False)
    # when we answered this text with the fixed answer
    answered_at = models.DateTimeField(null=True)
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    # None for a text that asks staff for nothing, such as STOP
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        related_name="+",
    )

    objects = ReceivedTextQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        verbose_name = _("text to our number")
        verbose_name_plural = _("texts to our number")
        indexes = [
            models.Index(fields=["key", "at"], name="received_text_number"),
            models.Index(fields=["at"], name="received_text_open", condition=Q(settled_at=None)),
        ]

    def __str__(self) -> str:
        return str(self.id)
