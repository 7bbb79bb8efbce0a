"""What patients send, and what the clinic does with it.

Sealed columns hold what a patient said or who they are; they open only with the key ring, and
only in the row they were written to. Everything else is in the clear because the worklist has to
sort and filter by it, and says nothing about a person.
"""

from datetime import datetime
from functools import cached_property

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clinic.ids import uuid7
from clinic.sealing import SealedField
from intake.domain import workflow
from intake.domain.triage import Assessment


class Urgency(models.IntegerChoices):
    """The ranks of the protocols' levels; the highest is the most urgent."""

    EMERGENCY = 4, _("Emergency")
    SAME_DAY = 3, _("Same day")
    URGENT = 2, _("Urgent")
    SOON = 1, _("Soon")
    ROUTINE = 0, _("Routine")

    @property
    def code(self) -> str:
        return self.name.lower()

    @classmethod
    def of(cls, code: str) -> "Urgency":
        return cls[code.upper()]


class ProtocolDocument(models.Model):
    """One version of a protocol, whole, as it ran. Stored once and never changed."""

    content_hash = models.CharField(primary_key=True, max_length=64)
    name = models.SlugField()
    version = models.CharField(max_length=30)
    document = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class TranslationDocument(models.Model):
    """The words of one language over one protocol, as patients read them. Never changed."""

    content_hash = models.CharField(primary_key=True, max_length=64)
    protocol = models.ForeignKey(
        ProtocolDocument, on_delete=models.PROTECT, db_column="protocol_hash", related_name="+"
    )
    language = models.CharField(max_length=7)
    document = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.language} {self.content_hash[:12]}"


class Kind(models.TextChoices):
    INTAKE = "intake", _("Questionnaire")
    APPOINTMENT = "appointment", _("Appointment request only")
    STOPPED = "stopped", _("Stopped by an emergency answer")
    ADDITION = "addition", _("Added to an earlier submission")


IS_WAITING = (Q(status__in=workflow.OPEN) | Q(reply_due_at__isnull=False)) & Q(suspect=False)
# the front desk's work goes on when a clinician has decided.
IS_NOT_CLOSED = ~Q(status__in=workflow.OVER) & Q(suspect=False)
IS_ANSWER_DUE = Q(reply_due_at__isnull=False)
IN_ORDER = ["-urgency", "target_at", "id"]  # most urgent first, then the nearest target


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def worklist(self) -> "SubmissionQuerySet":
        """In the order of need: most urgent first, then the nearest target."""
        return self.select_related("assignee").order_by(*IN_ORDER)

    def waiting(self) -> "SubmissionQuerySet":
        """Those that wait for a decision or for an answer to what the patient wrote."""
        return self.filter(IS_WAITING)

    def matching(self, tokens: list[list[int]]) -> "SubmissionQuerySet":
        """Rows that hold, for each list of blind tokens, at least one of them."""
        rows = self
        for alternatives in tokens:
            rows = rows.filter(search_keys__overlap=alternatives)
        return rows


class Submission(models.Model):
    """A sent, sealed draft. Never edited: people add decisions and appointments beside it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    reference = models.CharField(max_length=9, unique=True)
    kind = models.CharField(max_length=11, choices=Kind.choices, default=Kind.INTAKE)
    # The draft's id is the idempotency key: one draft is sent once, however often it is asked.
    draft_id = models.UUIDField(unique=True)
    protocol = models.ForeignKey(
        ProtocolDocument, on_delete=models.PROTECT, db_column="protocol_hash", related_name="+"
    )
    language = models.CharField(max_length=7, default="en")
    # the words it was read in; None for the protocol's own English
    translation = models.ForeignKey(
        TranslationDocument,
        null=True,
        on_delete=models.PROTECT,
        db_column="translation_hash",
        related_name="+",
    )
    submitted_at = models.DateTimeField()

    urgency = models.SmallIntegerField(choices=Urgency.choices)
    assessed_urgency = models.SmallIntegerField(choices=Urgency.choices)
    target_at = models.DateTimeField(_("contact by"))
    status = models.CharField(
        max_length=10, choices=workflow.STATUSES.items(), default=workflow.NEW
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    revision = models.PositiveIntegerField(default=0)
    # something the patient wrote waits for an answer until then
    reply_due_at = models.DateTimeField(null=True, blank=True)
    # filled in as no person does; out of the worklist until somebody has looked
    suspect = models.BooleanField(default=False)
    # the earlier submission that this one adds to
    follows = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="additions"
    )

    answers = SealedField()
    assessment = SealedField()
    person = SealedField()
    search_keys = ArrayField(models.BigIntegerField(), default=list)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        permissions = [("decide_submission", "Can decide on a submission")]
        verbose_name = pgettext_lazy("worklist entry", "submission")
        indexes = [
            # the lists' own conditions: a page of 25 costs the same at any number of closed rows
            models.Index(fields=IN_ORDER, name="submission_waiting", condition=IS_WAITING),
            models.Index(fields=IN_ORDER, name="submission_not_closed", condition=IS_NOT_CLOSED),
            models.Index(fields=IN_ORDER, name="submission_replies", condition=IS_ANSWER_DUE),
            models.Index(fields=IN_ORDER, name="submission_order"),
            models.Index(fields=["status", "-urgency", "target_at"], name="submission_status"),
            models.Index(fields=["assignee", "-urgency", "target_at"], name="submission_assignee"),
            models.Index(fields=["-submitted_at"], name="submission_sent"),
            models.Index(
                fields=["-submitted_at"], name="submission_suspect", condition=Q(suspect=True)
            ),
            GinIndex(fields=["search_keys"], name="submission_search"),
        ]
        constraints = [
            models.CheckConstraint(
                name="submission_urgency_known", condition=Q(urgency__in=Urgency.values)
            ),
            models.CheckConstraint(
                name="submission_status_known", condition=Q(status__in=list(workflow.STATUSES))
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @cached_property
    def result(self) -> Assessment:
        """What the rules said when it was sent."""
        return Assessment.from_json(self.assessment["result"])

    @property
    def urgency_code(self) -> str:
        return Urgency(self.urgency).code

    @property
    def due_at(self) -> datetime | None:
        """When somebody has to act: decide, or answer the patient; None when nobody has to."""
        decide = self.target_at if self.status in workflow.OPEN else None
        return min(filter(None, (decide, self.reply_due_at)), default=None)

    def is_overdue(self, at: datetime) -> bool:
        return self.due_at is not None and self.due_at < at


class FrontDesk(Submission):
    """The same rows as the front desk may see them: who, how to reach them, what they wish for."""

    class Meta:
        proxy = True
        default_permissions = ("view", "change")
        verbose_name = _("contact and appointment")
        verbose_name_plural = _("contacts and appointments")


class Draft(models.Model):
    """Answers under way. Reached only with the key its browser holds; after sending, a receipt."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key_hash = models.BinaryField(max_length=32, unique=True)
    kind = models.CharField(max_length=11, choices=Kind.choices, default=Kind.INTAKE)
    protocol = models.ForeignKey(
        ProtocolDocument, on_delete=models.PROTECT, db_column="protocol_hash", related_name="+"
    )
    language = models.CharField(max_length=7, default="en")
    content = SealedField()
    # given when the patient saves it to come back; later the submission's
    reference = models.CharField(max_length=9, unique=True, null=True)  # noqa: DJ001
    # blind tokens of the e-mail and the phone that a code may be sent to
    address_keys = ArrayField(models.BigIntegerField(), default=list)
    follows = models.ForeignKey(
        Submission, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    revision = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(db_index=True)
    submission = models.ForeignKey(
        Submission, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )

    # filled by `find_draft(to_wish=True)`: names; pairs of id and name
    places: list[str]
    clinicians: list[list[str]]

    class Meta:
        default_permissions = ()
        indexes = [GinIndex(fields=["address_keys"], name="draft_address")]

    def __str__(self) -> str:
        return str(self.id)


class Communication(models.Model):
    """One message between clinic and patient about a submission. Added, never edited."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    submission = models.ForeignKey(
        Submission, on_delete=models.CASCADE, related_name="communications"
    )
    words = SealedField()  # {"text": …, "alarm": rule or ""}
    # None: the patient wrote it
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return str(self.id)


class StatusChange(models.Model):
    """One step of a submission's way, added and never edited."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="history")
    status = models.CharField(max_length=10, choices=workflow.STATUSES.items())
    action = models.CharField(max_length=10)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return self.status


class Decision(models.Model):
    """What a clinician decided. A later decision is a new row; none is edited."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="decisions")
    # the revision of the submission that was read when deciding
    revision = models.PositiveIntegerField()
    urgency_before = models.SmallIntegerField(choices=Urgency.choices)
    urgency = models.SmallIntegerField(choices=Urgency.choices)
    outcome = models.CharField(max_length=24, choices=workflow.OUTCOMES.items())
    words = SealedField()  # {"reason": …, "note": …}
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["-at", "-id"]
        constraints = [
            # the compare-and-set once more, as a fact of the database
            models.UniqueConstraint(
                fields=["submission", "revision"], name="decision_once_per_revision"
            )
        ]

    def __str__(self) -> str:
        return self.outcome


class RuleCount(models.Model):
    """How often a rule fired on a day. No submission is named, so no answer can be read back."""

    day = models.DateField()
    rule = models.CharField(max_length=8)
    protocol_hash = models.CharField(max_length=64)
    fired = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["day", "rule", "protocol_hash"], name="rule_count_day")
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.day}"
