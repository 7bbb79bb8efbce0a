"""Store the phone calls that the clinic owes patients, and the calls that staff made."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.ids import uuid7
from clinic.secrets.sealing import SealedField, Words
from intake.models.submissions import Submission


class CallTaskQuerySet(models.QuerySet["CallTask"]):
    def open(self) -> "CallTaskQuerySet":
        """Return the tasks of which staff have told the patient nothing yet."""
        return self.filter(settled_at=None)

    def to_make(self) -> "CallTaskQuerySet":
        """Return the calls that staff still have to make, and may make."""
        return self.open().filter(may_call=True)


class CallTask(models.Model):
    """A call to a patient whom no letter reaches.

    The task is open until a member of staff has reached the patient, or says that the call is not
    needed any more. A task that may not be called stands apart from the calls to make, so that
    staff see what the patient was not told.
    """

    class Reason(models.TextChoices):
        MESSAGE = "message", _("A message from us waits to be read")
        MORE = "more", _("We need more information")
        OFFER = "offer", _("Times are offered")
        LOST = "lost", _("The offered time is gone")
        CONFIRMED = "confirmed", _("The appointment is booked")
        CHANGED = "changed", _("The appointment is moved")
        CANCELLED = "cancelled", _("The appointment is cancelled")
        MISSED = "missed", _("The patient did not come")
        INVITED = "invited", _("We ask the patient to answer questions")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="call_tasks")
    reason = models.CharField(_("reason"), max_length=16, choices=Reason.choices)
    # The act that the patient must hear of, named as in the outbox. One act asks for one call.
    occasion = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(_("call by"))
    # False: there is no safe way to call the patient. Then nobody is told to call.
    may_call = models.BooleanField(default=True, db_default=True)
    settled_at = models.DateTimeField(null=True)
    # None when the patient read the message on the own page, or when a newer task replaced the
    # task.
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = CallTaskQuerySet.as_manager()

    class Meta:
        default_permissions = ("view", "change")
        verbose_name = _("call to make")
        verbose_name_plural = _("calls to make")
        indexes = [
            models.Index(
                fields=["due_at", "id"], name="call_task_open", condition=Q(settled_at=None)
            ),
            models.Index(
                fields=["settled_at"],
                name="call_task_settled",
                condition=Q(settled_at__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["occasion", "reason"], name="call_task_once"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Call(models.Model):
    """A call that a member of staff made to a patient. Rows are added, never edited."""

    class Outcome(models.TextChoices):
        REACHED = "reached", _("Reached the patient")
        LEFT_WORD = "left_word", _("Left word")
        NOT_REACHED = "not_reached", _("Not reached")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="calls")
    outcome = models.CharField(max_length=11, choices=Outcome.choices)
    # When staff will call again, after a call that did not reach the patient.
    again_at = models.DateTimeField(null=True)
    words = SealedField[Words | None](null=True)  # {"note": …}
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    # whether the caller had the right to decide on submissions when the call was made
    by_clinician = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return self.outcome
