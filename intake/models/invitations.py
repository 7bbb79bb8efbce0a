"""Store whom the clinic asked to answer questions, and the lists from which staff invited them."""

from datetime import date, datetime, time

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.ids import uuid7
from clinic.secrets.sealing import Json, SealedField, Words
from intake.models.appointments import Appointment
from intake.models.submissions import Kind, Submission

OF_AGE = 18
"""Below this age, in years, the clinic writes only to a parent or guardian."""
TRIES = 3
"""How many wrong birth dates lock an invitation, on all devices together."""


class Part(models.TextChoices):
    """The parts of the paperwork before a visit, in the order in which patients see to them."""

    FORM = Kind.INTAKE.value, _("Questions")
    PART_2 = Kind.PART_2.value, _("More questions before the visit")


class InvitationList(models.Model):
    """A file with a day's list that a member of staff read in. The file itself is not stored.

    The rows are kept sealed until the list is sent, or for a day.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    protocol = models.SlugField(db_index=False)
    language = models.CharField(max_length=7, default="en")
    rows = SealedField[Json | None](null=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_constraint=False,  # the release before may delete the account
        related_name="+",
    )
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    # how many patients were invited from the list
    count = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.id)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def standing(self, at: datetime) -> "InvitationQuerySet":
        """Return the invitations that nobody has ended and whose time is not over."""
        lasts = Q(appointment=None, expires_at__gt=at) | Q(
            appointment__status="confirmed", appointment__during__startswith__gt=at
        )
        return self.filter(lasts, declined_at=None, withdrawn_at=None)

    def to_call(self) -> "InvitationQuerySet":
        """Return the invitations about which staff owe the patient a call, the next call first."""
        return self.filter(call_due_at__isnull=False).order_by("call_due_at", "id")


class Invitation(models.Model):
    """The clinic asks a person to answer the questions of a protocol, before a visit or not.

    What became of the invitation is not stored in one column. `intake/staff/paperwork.py` reads it
    from the message, the draft, the submission and the times of this row.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    protocol = models.SlugField(db_index=False)
    part = models.CharField(max_length=11, choices=Part.choices, default=Part.FORM)
    language = models.CharField(max_length=7, default="en")
    # name, birth date and ways as in a contact; "guardian" {"name", "relation"} of a child, whose
    # ways these are; "visit", how the clinic's own calendar names the visit
    person = SealedField[Json]()
    # blind tokens of the patient, as those of a submission
    search_keys = ArrayField(models.BigIntegerField(), default=list)
    # The code stays readable for a second letter and for staff on the phone. Its blind index finds
    # the invitation.
    code = SealedField[Words]()
    code_key = models.BigIntegerField(unique=True)
    tries = models.PositiveSmallIntegerField(default=0)
    # the request that the invitation follows, and the visit of the program's own calendar
    submission = models.ForeignKey(
        Submission,
        null=True,
        on_delete=models.CASCADE,
        db_constraint=False,  # the release before does not know this table
        related_name="invitations",
    )
    appointment = models.ForeignKey(
        Appointment,
        null=True,
        on_delete=models.SET_NULL,
        db_constraint=False,  # the release before does not know this table
        related_name="invitations",
    )
    # when a visit of the clinic's own calendar begins; None without a visit
    visit_at = models.DateTimeField(null=True)
    from_list = models.ForeignKey(
        InvitationList, null=True, on_delete=models.SET_NULL, related_name="invitations"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_constraint=False,  # the release before may delete the account
        related_name="+",
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # how many letters were ordered; a letter is named by the invitation and its number
    letters = models.PositiveSmallIntegerField(default=0)
    bounced_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    # The draft that the invitation began. No foreign key, because a submission keeps the id of its
    # draft after the draft is deleted.
    draft_id = models.UUIDField(null=True, db_index=True)
    declined_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    # when the one reminder is due; None after the reminder, and if there is none
    remind_at = models.DateTimeField(null=True)
    # until when staff should call a patient who has no submission, whom no letter reaches
    call_due_at = models.DateTimeField(null=True)
    # when such a call reached the patient
    called_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        default_permissions = ("view", "add", "change")
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="invitation_newest"),
            models.Index(fields=["expires_at"], name="invitation_expires"),
            models.Index(
                fields=["remind_at"], name="invitation_remind", condition=Q(remind_at__isnull=False)
            ),
            models.Index(
                fields=["call_due_at", "id"],
                name="invitation_call",
                condition=Q(call_due_at__isnull=False),
            ),
            GinIndex(fields=["search_keys"], name="invitation_search"),
        ]
        constraints = [
            models.CheckConstraint(name="invitation_tries_few", condition=Q(tries__lte=TRIES)),
            models.CheckConstraint(name="invitation_part_known", condition=Q(part__in=Part.values)),
            models.CheckConstraint(
                name="invitation_ends_later", condition=Q(expires_at__gt=F("created_at"))
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def letter(self) -> str:
        """The occasion of the newest letter in the outbox."""
        return f"{self.pk}:{self.letters}"

    @property
    def is_locked(self) -> bool:
        """Whether the birth date was wrong so often that the code opens nothing any more."""
        return self.tries >= TRIES

    @property
    def starts_at(self) -> datetime | None:
        """When the visit begins that the invitation belongs to; None without a visit."""
        if self.appointment is not None:
            begins: datetime = self.appointment.during.lower
            return begins
        return self.visit_at

    @property
    def ends_at(self) -> datetime:
        """When the invitation expires. With a visit, this follows a visit that was moved.

        A guardian's right to answer for a child ends when the patient is of age.
        """
        begins = self.starts_at if self.appointment is not None else None
        ends = begins or self.expires_at
        return min(ends, _of_age_at(self.person)) if "guardian" in self.person else ends

    @property
    def is_withdrawn(self) -> bool:
        """Whether staff took the invitation back, or its visit does not take place."""
        gone = self.appointment is not None and self.appointment.status == "cancelled"
        return self.withdrawn_at is not None or gone

    def is_expired(self, at: datetime | None = None) -> bool:
        return self.ends_at <= (at or timezone.now())


def _of_age_at(person: Json) -> datetime:
    """Return the midnight at which a patient is of age: in March for a child of a leap day."""
    born = date.fromisoformat(person["birth_date"])
    is_leap_day = (born.month, born.day) == (2, 29)
    first = date(born.year + OF_AGE, 3, 1) if is_leap_day else born.replace(year=born.year + OF_AGE)
    return datetime.combine(first, time(), timezone.get_default_timezone())
