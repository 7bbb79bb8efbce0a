"""The tables of the whole clinic: who did what, and the buckets of the limits."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Event(models.Model):
    """One thing done to a record or at the door. `audit.record` writes it; nobody changes it.

    The table is made by hand in its first migration: its rows are chained by hash, and the
    database itself refuses to change them. Django is not to manage it, nor the tests to empty it.
    """

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(_("time"))
    actor = models.CharField(_("who"), max_length=64)
    action = models.CharField(_("what"), max_length=16)
    subject = models.CharField(_("of whom"), max_length=64)
    purpose = models.CharField(_("purpose"), max_length=16)
    request_id = models.CharField(_("request"), max_length=64)
    detail = models.JSONField(_("detail"))
    prev_hash = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        managed = False
        # Django quotes the whole name, so the inner quotes end the schema and begin the table
        db_table = 'aud"."event'
        default_permissions = ("view",)
        ordering = ["-seq"]
        verbose_name = _("audit event")
        verbose_name_plural = _("audit trail")

    def __str__(self) -> str:
        return f"{self.seq} {self.actor} {self.action} {self.subject}"


class Bucket(models.Model):
    """A token bucket of `limits.take`. The key is a keyed hash and names nobody."""

    key = models.TextField(primary_key=True)
    tokens = models.FloatField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key
