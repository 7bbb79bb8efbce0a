"""Store what the clinic learned about one e-mail address or phone number.

A row counts for all submissions that contain the address. The row holds a keyed hash in place of
the address, so that a copy of the table names no patient.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.ids import uuid7


class ContactPoint(models.Model):
    """The state of one address for letters. An address without a row is open and not verified."""

    class Channel(models.TextChoices):
        EMAIL = "email", _("E-mail")
        SMS = "sms", _("Text message")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    channel = models.CharField(max_length=5, choices=Channel.choices)
    # the keyed hash of channel and address
    key = models.BinaryField(max_length=32, unique=True)
    # When the owner of the address asked for no more letters, for example with STOP.
    revoked_at = models.DateTimeField(null=True)
    # When a provider said for good that the address receives nothing.
    dead_at = models.DateTimeField(null=True)
    # The code of the provider's refusal, such as "smtp 550". Never the provider's text.
    trouble = models.CharField(max_length=80, blank=True, db_default="")
    # When the patient last typed a code that was sent to the address.
    verified_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_open(self) -> bool:
        """Whether letters may be sent to the address."""
        return self.revoked_at is None and self.dead_at is None
