"""What patients send, and what the clinic does with it.

Sealed columns hold what a patient said or who they are; they open only with the key ring, and
only in the row they were written to. Everything else is in the clear because the worklist has to
sort and filter by it, and says nothing about a person.
"""

from datetime import datetime, timedelta
from functools import cached_property

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clinic.ids import uuid7
from clinic.secrets.sealing import SealedField
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


IS_WAITING = (
    Q(status__in=workflow.IN_TRIAGE)
    | Q(status="waiting", back_at=None)
    | Q(reply_due_at__isnull=False)
    | Q(escalate_at__isnull=False)
) & Q(suspect=False)
# the front desk's work goes on when a clinician has decided
IS_NOT_CLOSED = ~Q(status__in=workflow.FINISHED) & Q(suspect=False)
IS_ANSWER_DUE = Q(reply_due_at__isnull=False)
EVERYBODY_FROM, BANNER_FROM = 2, 3
"""Of the steps of an escalation, the first to everybody and the first on every page of staff."""


ORDER = ("-alarm", "-urgency", "target_at", "id")
"""Of the worklist: words of alarm that nobody has read, then the urgency, then the target."""


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def waiting(self) -> "SubmissionQuerySet":
        """Those that wait for the clinic: for a decision, an answer to the patient, or a call."""
        return self.filter(IS_WAITING)

    def on_banner(self) -> "SubmissionQuerySet":
        """The red flags that every page of staff speaks of, the most urgent first."""
        rows = self.filter(escalate_at__isnull=False, escalations__gte=BANNER_FROM)
        return rows.order_by(*ORDER)

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
    # the patient wrote something that sounds like danger, and nobody has read it
    alarm = models.BooleanField(default=False, db_default=False)
    # a red flag that nobody has ended is escalated then; None: there is none, or it was ended
    escalate_at = models.DateTimeField(null=True, blank=True)
    # how often it was escalated
    escalations = models.PositiveSmallIntegerField(default=0, db_default=0)
    # the patient was told then what we need to know, and has not answered
    asked_at = models.DateTimeField(null=True, blank=True)
    # out of the worklist, with its clock stopped, until then or until the patient answers
    back_at = models.DateTimeField(null=True, blank=True)
    # emergency care was decided then, and no clinician has reached the patient since
    redirected_at = models.DateTimeField(null=True, blank=True)
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
            models.Index(fields=ORDER, name="submission_worklist", condition=IS_WAITING),
            # the lists' own conditions: a page of 25 costs the same at any number of closed rows
            models.Index(fields=ORDER, name="submission_open", condition=IS_NOT_CLOSED),
            models.Index(fields=ORDER, name="submission_answer_due", condition=IS_ANSWER_DUE),
            models.Index(fields=ORDER, name="submission_sorted"),
            models.Index(fields=["status", *ORDER[:3]], name="submission_by_status"),
            models.Index(fields=["assignee", *ORDER[:3]], name="submission_by_assignee"),
            models.Index(
                fields=["back_at"], name="submission_back", condition=Q(back_at__isnull=False)
            ),
            models.Index(fields=["-submitted_at"], name="submission_sent"),
            models.Index(
                fields=["-submitted_at"], name="submission_suspect", condition=Q(suspect=True)
            ),
            models.Index(
                fields=["escalate_at"],
                name="submission_escalate",
                condition=Q(escalate_at__isnull=False),
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
    def is_for_today(self) -> bool:
        """Whether staff must read it today: same day or above, or an emergency stopped the form."""
        return self.kind == Kind.STOPPED or self.urgency >= Urgency.SAME_DAY

    @property
    def waits_for_patient(self) -> bool:
        """Whether the patient was asked for more and has the next step: the clock is stopped."""
        return self.status == "waiting" and self.back_at is not None

    @property
    def due_at(self) -> datetime | None:
        """When somebody has to act: decide, or answer the patient; None when nobody has to."""
        undecided = self.status in workflow.OPEN and not self.waits_for_patient
        decide = self.target_at if undecided else None
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


class Device(models.TextChoices):
    """Whose device a draft is filled in on, as the patient says at the start."""

    MINE = "mine"
    SHARED = "shared"


class Draft(models.Model):
    """Answers under way. Reached only with the key its browser holds; after sending, a receipt."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key_hash = models.BinaryField(max_length=32, unique=True)
    kind = models.CharField(max_length=11, choices=Kind.choices, default=Kind.INTAKE)
    # '': begun by a release that did not ask
    device = models.CharField(max_length=6, choices=Device.choices, blank=True, db_default="")
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

    @property
    def on_own_device(self) -> bool:
        return self.device == Device.MINE and not settings.SHARED_DEVICE

    @property
    def idle_limit(self) -> timedelta:
        """How long its browser may lie idle and still find it."""
        if self.on_own_device:
            return timedelta(hours=settings.DRAFT_OWN_HOURS)
        if not self.device:
            return timedelta(minutes=settings.DRAFT_IDLE_MINUTES)
        return timedelta(minutes=settings.DRAFT_SHARED_MINUTES)


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
