"""Store decisions that a clinician can still undo, because they have not taken effect yet."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.ids import uuid7
from clinic.secrets.sealing import Json, SealedField
from intake.domain import workflow
from intake.models.submissions import Submission


class PendingDecision(models.Model):
    """A decision that takes effect at `due_at`, or when its clinician opens the next page.

    Until then the submission keeps its status, its urgency and its escalation, and nothing is sent.
    The row is deleted when the decision takes effect, and when the clinician undoes it. A decision
    that could not take effect, because the submission was changed meanwhile, stays with `failed_at`
    until a decision takes effect, so that what the clinician typed is not lost.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    submission = models.OneToOneField(
        Submission,
        on_delete=models.CASCADE,
        db_constraint=False,  # the release before may delete the submission
        related_name="pending_decision",
    )
    # The revision of the submission since this decision is pending.
    revision = models.PositiveIntegerField()
    outcome = models.CharField(max_length=24, choices=workflow.OUTCOMES.items())
    given = SealedField[Json]()  # `pending.as_words` of the decision
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        db_constraint=False,  # the release before may delete the account
        related_name="+",
    )
    request_id = models.CharField(max_length=64)
    at = models.DateTimeField()
    due_at = models.DateTimeField()
    failed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        verbose_name = _("decision that can be undone")
        indexes = [
            models.Index(fields=["due_at"], name="pending_due", condition=models.Q(failed_at=None)),
        ]

    def __str__(self) -> str:
        return self.outcome
