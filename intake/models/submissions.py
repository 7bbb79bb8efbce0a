"""Store submissions and drafts, and what the clinic does with them.

Sealed columns hold a patient's words and identity. They can be opened only with the key ring, and
only in the row for which they were sealed. The other columns are not encrypted, because the
worklist sorts and filters by them; they identify no person.
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

from clinic import hours
from clinic.ids import uuid7
from clinic.opening_hours import ClinicHours
from clinic.secrets.sealing import Json, SealedField, Words
from intake.domain import workflow
from intake.domain.triage import Assessment


class Urgency(models.IntegerChoices):
    """The ranks of the levels in the protocols. The highest rank is the most urgent."""

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
    """One version of a protocol, stored whole. Rows are added, never changed."""

    content_hash = models.CharField(primary_key=True, max_length=64)
    name = models.SlugField()
    version = models.CharField(max_length=30)
    document = models.BinaryField()
    # The approval of exactly this document; None when no clinician has signed it.
    approval = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class TranslationDocument(models.Model):
    """The translation of one protocol into one language, as patients read it.

    Stored once, never changed.
    """

    content_hash = models.CharField(primary_key=True, max_length=64)
    protocol = models.ForeignKey(
        ProtocolDocument, on_delete=models.PROTECT, db_column="protocol_hash", related_name="+"
    )
    language = models.CharField(max_length=7)
    document = models.BinaryField()
    approved = models.BooleanField(default=False, db_default=False)
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
    PART_2 = "part_2", _("Answered before the visit")


IS_WAITING = (
    Q(status__in=workflow.IN_TRIAGE)
    | Q(status="waiting", back_at=None)
    | Q(reply_due_at__isnull=False)
    | Q(escalate_at__isnull=False)
) & Q(suspect=False)
# A decided submission is not closed, because the front desk may still have work.
IS_NOT_CLOSED = ~Q(status__in=workflow.FINISHED) & Q(suspect=False)
IS_ANSWER_DUE = Q(reply_due_at__isnull=False)
# What an assignee has not finished, a wait for the patient included.
IS_MINE_TO_DO = (
    Q(status__in=workflow.OPEN) | Q(reply_due_at__isnull=False) | Q(escalate_at__isnull=False)
) & Q(suspect=False)
# The patient whom a clinician still has to reach by phone, before or after a decision.
IS_TO_CALL_BACK = (
    Q(status="waiting", back_at=None)
    | Q(redirected_at__isnull=False, status__in=workflow.OPEN)
    | (Q(escalate_at__isnull=False) & ~Q(status__in=workflow.OPEN))
) & Q(suspect=False)
EVERYBODY_FROM, BANNER_FROM = 2, 3
"""The first step of an escalation that tells all staff, and the first that shows a banner on every
staff page."""

ORDER = ("-alarm", "-urgency", "target_at", "id")
"""The order of the worklist: unread alarm words first, then by urgency, then by target time."""


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def waiting(self) -> "SubmissionQuerySet":
        """Return the submissions that wait for the clinic: for a decision, an answer, or a call."""
        return self.filter(IS_WAITING)

    def on_banner(self) -> "SubmissionQuerySet":
        """Return the red flags for the banner of every staff page, the most urgent first."""
        rows = self.filter(escalate_at__isnull=False, escalations__gte=BANNER_FROM)
        return rows.order_by(*ORDER)

    def matching(self, tokens: list[list[int]]) -> "SubmissionQuerySet":
        """Return the submissions that have at least one blind token of each list."""
        rows = self
        for alternatives in tokens:
            rows = rows.filter(search_keys__overlap=alternatives)
        return rows


class Fit(models.TextChoices):
    """How a clinician judges the urgency that the rules gave, when the submission is closed."""

    RIGHT = "right", _("Right")
    TOO_LOW = "too_low", _("Too low")
    TOO_HIGH = "too_high", _("Too high")


class Submission(models.Model):
    """A sent, sealed draft.

    The patient's answers are never edited. Decisions and appointments are rows of their own.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    reference = models.CharField(max_length=9, unique=True)
    kind = models.CharField(max_length=11, choices=Kind.choices, default=Kind.INTAKE)
    # Makes sending idempotent: a draft is sent once, however often the patient presses Send.
    draft_id = models.UUIDField(unique=True)
    protocol = models.ForeignKey(
        ProtocolDocument, on_delete=models.PROTECT, db_column="protocol_hash", related_name="+"
    )
    language = models.CharField(max_length=7, default="en")
    # The translation that the patient read; None when the patient read English.
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
    # By when the clinic has to answer a message of the patient.
    reply_due_at = models.DateTimeField(null=True, blank=True)
    # The patient wrote alarm words, and no clinician has dealt with them yet.
    alarm = models.BooleanField(default=False, db_default=False)
    # When the red flag is escalated next. None without a red flag, or after a clinician dealt with
    # the red flag.
    escalate_at = models.DateTimeField(null=True, blank=True)
    # How often the red flag was escalated.
    escalations = models.PositiveSmallIntegerField(default=0, db_default=0)
    # When the patient learned that the clinic needs more information; None after the patient
    # answers.
    asked_at = models.DateTimeField(null=True, blank=True)
    # Until this time, or until the patient answers, the submission is off the worklist and its
    # clock is stopped.
    back_at = models.DateTimeField(null=True, blank=True)
    # When a clinician decided on emergency care; None after a clinician has reached the patient.
    redirected_at = models.DateTimeField(null=True, blank=True)
    # What the rules say since the birth date was corrected, if that differs. None after a clinician
    # has decided again.
    recheck_urgency = models.SmallIntegerField(choices=Urgency.choices, null=True, blank=True)
    # A bot may have sent the submission. Until staff have looked at it, it is off the worklist.
    suspect = models.BooleanField(default=False)
    # The place that the patient chose. None: any place.
    location = models.ForeignKey(
        "Location",
        null=True,
        on_delete=models.SET_NULL,
        db_index=False,
        db_constraint=False,  # the release before may delete the location
        related_name="+",
    )
    # How well the urgency of the rules fitted, as a clinician said at closing; '' if nobody said.
    urgency_fit = models.CharField(max_length=8, choices=Fit.choices, blank=True, db_default="")
    # From the first page to sending. None if the patient left the form and came back later.
    took_seconds = models.IntegerField(null=True)
    # The earlier submission that this submission adds to.
    follows = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="additions"
    )

    answers = SealedField[Json]()
    assessment = SealedField[Json]()
    person = SealedField[Json]()
    search_keys = ArrayField(models.BigIntegerField(), default=list)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("decide_submission", "Can decide on a submission"),
            ("export_submission", "Can export submissions"),
        ]
        verbose_name = pgettext_lazy("worklist entry", "submission")
        indexes = [
            models.Index(fields=ORDER, name="submission_worklist", condition=IS_WAITING),
            # The conditions are the same as in the lists, so that closed rows do not make a page
            # slower.
            models.Index(fields=ORDER, name="submission_open", condition=IS_NOT_CLOSED),
            models.Index(fields=ORDER, name="submission_answer_due", condition=IS_ANSWER_DUE),
            models.Index(fields=ORDER, name="submission_sorted"),
            models.Index(fields=["status", *ORDER[:3]], name="submission_by_status"),
            models.Index(fields=["assignee", *ORDER[:3]], name="submission_by_assignee"),
            models.Index(
                fields=["assignee", *ORDER[:3]], name="submission_mine", condition=IS_MINE_TO_DO
            ),
            models.Index(fields=ORDER, name="submission_call_back", condition=IS_TO_CALL_BACK),
            models.Index(fields=["target_at"], name="submission_due", condition=IS_WAITING),
            models.Index(
                fields=["reply_due_at"], name="submission_reply_due", condition=IS_ANSWER_DUE
            ),
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
        """The assessment as it was when the submission was sent."""
        return Assessment.from_json(self.assessment["result"])

    @property
    def urgency_code(self) -> str:
        return Urgency(self.urgency).code

    @property
    def is_for_today(self) -> bool:
        """Whether staff must read the submission today: same day or above, or stopped."""
        return self.kind == Kind.STOPPED or self.urgency >= Urgency.SAME_DAY

    @property
    def hours(self) -> ClinicHours:
        """The opening hours that count for this submission's times: those of its place.

        No closure delays a red flag, so the usual week counts for a red flag.
        """
        return hours.usual() if self.is_for_today else hours.current(self.location_id)

    @property
    def waits_for_patient(self) -> bool:
        """Whether the patient has the next step, because the clinic asked for more information."""
        return self.status == "waiting" and self.back_at is not None

    @property
    def due_at(self) -> datetime | None:
        """By when staff must decide or answer the patient. None when neither is due."""
        undecided = self.status in workflow.OPEN and not self.waits_for_patient
        decide = self.target_at if undecided else None
        return min(filter(None, (decide, self.reply_due_at)), default=None)

    def is_overdue(self, at: datetime) -> bool:
        return self.due_at is not None and self.due_at < at


class FrontDesk(Submission):
    """A submission as the front desk may see it: name, contact and wish, but no answers."""

    class Meta:
        proxy = True
        default_permissions = ("view", "change")
        verbose_name = _("contact and appointment")
        verbose_name_plural = _("contacts and appointments")


class Device(models.TextChoices):
    """What the patient said at the start: whether other people use the device, too.

    On the device of staff, a member of staff enters what a caller answers.
    """

    MINE = "mine"
    SHARED = "shared"
    STAFF = "staff"


class Draft(models.Model):
    """Answers that are not sent yet. After sending, the row serves the receipt page.

    Only the key in the patient's browser opens a draft.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key_hash = models.BinaryField(max_length=32, unique=True)
    kind = models.CharField(max_length=11, choices=Kind.choices, default=Kind.INTAKE)
    # '' if the draft was begun in a release that did not ask about the device
    device = models.CharField(max_length=6, choices=Device.choices, blank=True, db_default="")
    protocol = models.ForeignKey(
        ProtocolDocument, on_delete=models.PROTECT, db_column="protocol_hash", related_name="+"
    )
    language = models.CharField(max_length=7, default="en")
    content = SealedField[Json]()
    # Set when the patient saves the draft. After sending, the submission has the same reference.
    reference = models.CharField(max_length=9, unique=True, null=True)  # noqa: DJ001
    # Blind tokens of the e-mail address and phone number to which a code may be sent.
    address_keys = ArrayField(models.BigIntegerField(), default=list)
    follows = models.ForeignKey(
        Submission, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    revision = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(db_index=True)
    # When the patient is reminded of saved answers. None if the patient wants no reminder, and
    # after the one reminder.
    remind_at = models.DateTimeField(null=True)
    submission = models.ForeignKey(
        Submission, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )

    # `find_draft(to_wish=True)` sets these: the names of locations, and pairs of a clinician's id
    # and name.
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
    def by_staff(self) -> bool:
        """Whether a member of staff enters what a caller answers. No browser's key opens it."""
        return self.device == Device.STAFF

    @property
    def idle_limit(self) -> timedelta:
        """How long the browser may be idle before it cannot open the draft any more."""
        if self.by_staff:
            return timedelta(days=settings.DRAFT_DAYS)
        if self.on_own_device:
            return timedelta(hours=settings.DRAFT_OWN_HOURS)
        if not self.device:
            return timedelta(minutes=settings.DRAFT_IDLE_MINUTES)
        return timedelta(minutes=settings.DRAFT_SHARED_MINUTES)


class Communication(models.Model):
    """One message between clinic and patient about a submission. Rows are added, never edited."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    submission = models.ForeignKey(
        Submission, on_delete=models.CASCADE, related_name="communications"
    )
    words = SealedField[Words]()  # {"text": …, "alarm": id of a rule, or ""}
    # None when the patient wrote the message
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
    """One step in the history of a submission. Rows are added, never edited."""

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
    """A clinician's decision. A later decision is a new row, and rows are never edited."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="decisions")
    # The revision of the submission that the clinician had read before the decision.
    revision = models.PositiveIntegerField()
    urgency_before = models.SmallIntegerField(choices=Urgency.choices)
    urgency = models.SmallIntegerField(choices=Urgency.choices)
    outcome = models.CharField(max_length=24, choices=workflow.OUTCOMES.items())
    # {"reason": …, "note": …, "desk": the instruction to the front desk (`desk.instructions`)}
    words = SealedField[Json]()
    # the day until which the front desk books the visit; None if the clinician named no day
    book_by = models.DateField(null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["at"], name="decision_at")]
        constraints = [
            # The database, too, refuses a second decision on the same revision.
            models.UniqueConstraint(
                fields=["submission", "revision"], name="decision_once_per_revision"
            )
        ]

    def __str__(self) -> str:
        return self.outcome


class RuleCount(models.Model):
    """How often a rule fired on a day. The row names no submission, so it reveals no answer."""

    day = models.DateField()
    rule = models.CharField(max_length=8)
    protocol_hash = models.CharField(max_length=64)
    fired = models.PositiveIntegerField(default=0)
    # How often the rule stopped the form and the patient did not tell the clinic.
    untold = models.IntegerField(default=0, db_default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["day", "rule", "protocol_hash"], name="rule_count_day")
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.day}"


class WalkCount(models.Model):
    """How many forms of a kind were begun, ended unsent or sent on a day.

    The row names no draft and no submission. `step` is the last page of forms that ended unsent,
    or the last state of invitations, whose rows are deleted. A page may depend on answers, so
    nobody is shown a small number (`walk_counts.in_periods`).
    """

    class Event(models.TextChoices):
        STARTED = "started", _("begun")
        ENDED = "ended", _("ended unsent")
        SENT = "sent", _("sent")
        INVITED = "invited", _("invited")

    day = models.DateField()
    protocol = models.SlugField(db_index=False)
    kind = models.CharField(max_length=11, choices=Kind.choices)
    event = models.CharField(max_length=8, choices=Event.choices)
    step = models.CharField(max_length=50, blank=True)
    number = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["day", "protocol", "kind", "event", "step"], name="walk_count_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.day}"


class UsualMinutes(models.Model):
    """The median time that patients take for a protocol. The row names no submission."""

    protocol = models.SlugField(db_index=False)
    kind = models.CharField(max_length=11, choices=Kind.choices)
    minutes = models.PositiveSmallIntegerField()
    day = models.DateField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["protocol", "kind"], name="usual_minutes_once")
        ]

    def __str__(self) -> str:
        return f"{self.protocol} {self.kind}"


class SavedFilter(models.Model):
    """A tab with filters of the worklist, kept under a short name for one person or for all staff.

    The query holds codes of tabs and filters only; it names no patient.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        db_constraint=False,  # the release before does not know this table
        related_name="+",
    )
    name = models.CharField(max_length=40)
    slug = models.SlugField(max_length=40, db_index=False)
    query = models.CharField(max_length=400)
    is_shared = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "slug"], name="saved_filter_once")]

    def __str__(self) -> str:
        return self.slug
