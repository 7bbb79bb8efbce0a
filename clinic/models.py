"""The tables of the whole site: audit events, limits, the cache, sessions and messages."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from clinic.ids import uuid7
from clinic.secrets.sealing import SealedField


class Event(models.Model):
    """One act on a record, or one sign-in. `audit.record` writes the row, which never changes.

    The first migration makes the table with SQL, because its rows are chained by hash and the
    database refuses to change them. Django does not manage the table, and tests cannot empty it.
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
        # Django writes this name between quotes, so that it becomes "aud"."event"
        db_table = 'aud"."event'
        default_permissions = ("view",)
        ordering = ["-seq"]
        verbose_name = _("audit event")
        verbose_name_plural = _("audit trail")

    def __str__(self) -> str:
        return f"{self.seq} {self.actor} {self.action} {self.subject}"


class Bucket(models.Model):
    """A token bucket of `limits.take`. The key is a keyed hash and identifies no person."""

    key = models.TextField(primary_key=True)
    tokens = models.FloatField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key


class CacheEntry(models.Model):
    """A row of `clinic.people.cache`: the keyed hash of a key, and a signed value."""

    key = models.TextField(primary_key=True)
    entry = models.BinaryField()
    expires = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key


class StaffSession(AbstractBaseSession):
    """A session, stored under the hash of its key. `clinic.people.sessions` writes the row."""

    # the account is set as soon as the password was right, before the second factor
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )

    class Meta(AbstractBaseSession.Meta):
        default_permissions = ()


class UnsentForm(models.Model):
    """A form that arrived after its session had ended. Only `clinic.people.unsent` writes rows.

    The form waits for the account that had opened the page, and for no other account.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # without a constraint, because the release before may delete accounts
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_constraint=False, related_name="+"
    )
    # path, page and fields; see `unsent.keep`
    content = SealedField[dict[str, Any]]()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()
        ordering = ["-id"]

    def __str__(self) -> str:
        return str(self.pk)


class StaffPreference(models.Model):
    """What a member of staff has chosen for all staff pages. No row: nothing was changed."""

    account = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        db_constraint=False,
        primary_key=True,
        related_name="+",
    )
    single_keys = models.BooleanField(_("single keys work as shortcuts"), default=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class Message(models.Model):
    """A message to send, by mail or as a text message. Only `clinic.outgoing.outbox` writes rows.

    The row holds no address and no text: the composer of its kind finds the address and writes the
    text when the message is sent. Data that the composer cannot look up, such as a one-time code,
    are sealed in `payload` and deleted when the message is finished.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        DROPPED = "dropped", _("Not needed any more")
        FAILED = "failed", _("Failed")

    class Lane(models.IntegerChoices):
        """The order in which due messages are sent: every message of a lane before the next lane.

        A patient at a screen asked for a message of the lane SCREEN, and asks again if it does not
        come. Nobody follows it up.
        """

        ALERT = 0, _("Alert to staff")
        SCREEN = 1, _("To a patient at a screen")
        ORDINARY = 2, _("Ordinary")

    class Delivery(models.TextChoices):
        """What the provider reported after it had accepted the message."""

        UNKNOWN = "", _("not reported")
        DELIVERED = "delivered", _("Delivered")
        UNDELIVERED = "undelivered", _("Not delivered")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.SlugField(_("what"), max_length=32, db_index=False)
    lane = models.SmallIntegerField(
        _("lane"), choices=Lane.choices, default=Lane.ORDINARY, db_default=Lane.ORDINARY
    )
    # the event that the message reports: one id, or two ids joined by a colon
    occasion = models.CharField(max_length=80)
    payload = SealedField[Mapping[str, object] | None](null=True)
    state = models.CharField(_("state"), max_length=7, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    # a code such as "smtp 451", or the name of an exception; never the text of an exception
    error = models.CharField(_("trouble"), max_length=80, blank=True, default="")
    # all times in this table are times of the database's clock
    created_at = models.DateTimeField(_("made"), db_default=Now())
    due_at = models.DateTimeField(_("due"), db_default=Now())
    next_at = models.DateTimeField(_("next try"), db_default=Now())
    expires_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    # the provider's id of the message, from its answer or from its first report
    provider_id = models.CharField(max_length=80, blank=True, db_default="")
    delivery = models.CharField(
        _("delivery"), max_length=11, choices=Delivery.choices, blank=True, db_default=""
    )
    # a code such as "twilio 30005"
    delivery_trouble = models.CharField(max_length=80, blank=True, db_default="")
    delivery_at = models.DateTimeField(null=True)
    # by which way the message went, or was tried last
    channel = models.CharField(max_length=5, blank=True, db_default="")
    # Whether the person knows the news already. Then nobody owes a call for a message that is lost.
    known = models.BooleanField(db_default=False)
    # The only way that a composer may choose, or '' for any. Not stored: see `outbox.NEXT_WAY`.
    by = ""

    class Meta:
        default_permissions = ("view",)
        permissions = [("settle_message", "Can try a failed message again or set it aside")]
        verbose_name = _("message")
        indexes = [
            models.Index(
                fields=["lane", "next_at", "id"],
                name="message_to_send",
                condition=Q(state="waiting"),
            ),
            models.Index(
                fields=["provider_id"], name="message_provider", condition=~Q(provider_id="")
            ),
            models.Index(fields=["id"], name="message_failed", condition=Q(state="failed")),
            models.Index(fields=["finished_at"], name="message_finished"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["occasion", "kind"], name="message_once"),
            models.CheckConstraint(
                name="message_state_known",
                condition=Q(state__in=["waiting", "sent", "dropped", "failed"]),
            ),
            models.CheckConstraint(
                name="message_blanked_when_over",
                condition=Q(state="waiting") | Q(payload__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class TextTry(models.Model):
    """A text message that a worker has begun to send. Only `clinic.outgoing.pacing` writes rows.

    The row is stored before the provider is asked. So a second try knows that the provider may
    have accepted the first, and the rows of a number are counted. A number is stored as a keyed
    hash.
    """

    # the id of the message; no foreign key, because the release before deletes messages
    message = models.UUIDField(primary_key=True)
    number = models.BinaryField(max_length=32)
    # False for a text that the person asked for at a screen
    counts = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["number", "at"], name="text_try_number")]

    def __str__(self) -> str:
        return str(self.pk)
