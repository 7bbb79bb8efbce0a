"""Store appointment requests, appointments and offers.

Only the submission of a row identifies the patient. The database constraint `appointment_once`
prevents double bookings, whatever the program does.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F, Func, Q
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clinic.ids import uuid7
from clinic.secrets.sealing import SealedField, Words
from intake.domain import workflow
from intake.models.clinic_time import Clinician, Location, VisitType
from intake.models.submissions import Draft, Submission

# --- wishes ---------------------------------------------------------------------------------------


class WishedVisit(models.TextChoices):
    IN_PERSON = "in_person", _("In person")
    VIDEO = "video", _("By video")
    PHONE = "phone", _("By phone")
    CALL_ME = "call_me", _("Call me to arrange it")


class Day(models.TextChoices):
    MON = "mon", pgettext_lazy("a day to choose", "Monday")
    TUE = "tue", pgettext_lazy("a day to choose", "Tuesday")
    WED = "wed", pgettext_lazy("a day to choose", "Wednesday")
    THU = "thu", pgettext_lazy("a day to choose", "Thursday")
    FRI = "fri", pgettext_lazy("a day to choose", "Friday")


class TimeOfDay(models.TextChoices):
    MORNING = "morning", _("Morning")
    MIDDAY = "midday", _("Around midday")
    AFTERNOON = "afternoon", _("Afternoon")


class AppointmentRequest(models.Model):
    """A patient's request for a visit, with the patient's wishes."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    submission = models.OneToOneField(
        Submission, on_delete=models.CASCADE, related_name="appointment_request"
    )
    visit_type = models.CharField(max_length=9, choices=WishedVisit.choices)
    # Up to three wishes, the most important first. An empty list asks for the first free slot. A
    # wish is {"days": [Day], "times": [TimeOfDay], "place": name of a location, "clinician": id}.
    # An empty list or text in a wish means that the patient has no preference.
    wishes = models.JSONField(default=list)
    earliest = models.DateField(null=True, blank=True)
    progress = models.CharField(
        max_length=9, choices=workflow.REQUEST_STATUSES.items(), default=workflow.REQUESTED
    )

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["progress", "submission"], name="request_progress")]
        constraints = [
            models.CheckConstraint(
                name="request_progress_known",
                condition=Q(progress__in=list(workflow.REQUEST_STATUSES)),
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class WaitlistEntry(models.Model):
    """A request on the waiting list. Deleted when the patient leaves the list or has a visit."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request = models.OneToOneField(
        AppointmentRequest, on_delete=models.CASCADE, related_name="waiting"
    )
    since = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.id)


# --- visits ---------------------------------------------------------------------------------------


class CancelReason(models.TextChoices):
    """Why a visit is cancelled. Messages to patients contain these words: they name no illness."""

    PATIENT = "patient", _("The patient asked for it")
    CLINICIAN = "clinician", _("The clinician is away")
    CLINIC = "clinic", _("The clinic is closed")
    MISTAKE = "mistake", _("Booked by mistake")
    OTHER = "other", _("Another reason")


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def taking(self) -> "AppointmentQuerySet":
        """Return the appointments that occupy clinic time, including holds whose time is over."""
        return self.filter(status__in=workflow.OCCUPYING)

    def between(self, start: datetime, end: datetime) -> "AppointmentQuerySet":
        """Return the appointments that overlap the half-open time from `start` to `end`."""
        return self.filter(during__overlap=during(start, end))

    def on_days(self, first: date, last: date) -> "AppointmentQuerySet":
        """Return the appointments that begin on these days, by the clock of their location."""
        day = timedelta(days=1)  # no zone is further than a day from UTC
        begin, end = (datetime.combine(each, time(), UTC) for each in (first - day, last + 2 * day))
        at_place = Func(
            F("location__time_zone"),
            F("during__startswith"),
            function="timezone",
            output_field=models.DateTimeField(),
        )
        rows = self.between(begin, end).alias(day=Cast(at_place, models.DateField()))
        return rows.filter(day__gte=first, day__lte=last)

    def for_reading(self) -> "AppointmentQuerySet":
        """Load in one query all that a line about an appointment shows. Does not load answers."""
        rows = self.select_related("clinician", "location", "visit_type", "submission")
        return rows.defer(
            "submission__answers", "submission__assessment", "submission__search_keys"
        )


class Appointment(models.Model):
    """A clinician's time that is held for a patient, or a visit.

    `during` excludes its end, at which the next appointment can begin. A moved visit keeps its row,
    so that a calendar program recognises the visit by `id` and `sequence`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # None while the appointment is held for a draft or for an offer.
    submission = models.ForeignKey(
        Submission, null=True, on_delete=models.CASCADE, related_name="appointments"
    )
    draft = models.ForeignKey(Draft, null=True, on_delete=models.SET_NULL, related_name="+")
    clinician = models.ForeignKey(Clinician, on_delete=models.PROTECT, related_name="appointments")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="appointments")
    visit_type = models.ForeignKey(VisitType, on_delete=models.PROTECT, related_name="+")
    during = DateTimeRangeField()
    seat = models.PositiveSmallIntegerField(default=0)
    # The capacity that the opening hours had at the time of booking; 0 outside of hours.
    capacity = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=9, choices=workflow.VISIT_STATUSES.items())
    held_until = models.DateTimeField(null=True)
    # The SEQUENCE of the calendar file: how often the visit was changed since it was booked.
    sequence = models.PositiveIntegerField(default=0)
    cancel_reason = models.CharField(max_length=9, choices=CancelReason.choices, blank=True)
    note = SealedField[Words | None](null=True)  # {"text": …}, by staff
    overbooked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    overbook_reason = SealedField[Words | None](null=True)  # {"text": …}
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    # When the patient arrived for the visit, and when the clinic asked the patient to come in.
    arrived_at = models.DateTimeField(null=True)
    called_in_at = models.DateTimeField(null=True)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        default_permissions = ("view", "change")
        permissions = [("overbook_appointment", "Can book more than the hours allow")]
        verbose_name = _("appointment")
        verbose_name_plural = _("appointments")
        indexes = [
            models.Index(
                fields=["held_until"], name="appointment_held", condition=Q(status="held")
            ),
            # for the calendar, which shows one week of a location out of many years
            GistIndex(fields=["location", "during"], name="appointment_week"),
        ]
        constraints = [
            # prevents double bookings
            ExclusionConstraint(
                name="appointment_once",
                expressions=[
                    ("clinician", RangeOperators.EQUAL),
                    ("seat", RangeOperators.EQUAL),
                    ("during", RangeOperators.OVERLAPS),
                ],
                condition=Q(status__in=workflow.OCCUPYING),
            ),
            models.UniqueConstraint(
                fields=["submission"],
                name="appointment_one_to_come",
                condition=Q(status="confirmed"),
            ),
            models.CheckConstraint(
                name="appointment_status_known",
                condition=Q(status__in=list(workflow.VISIT_STATUSES)),
            ),
            models.CheckConstraint(
                name="appointment_bounded",
                condition=Q(
                    during__isempty=False,
                    during__lower_inf=False,
                    during__upper_inf=False,
                    during__lower_inc=True,
                    during__upper_inc=False,
                ),
            ),
            models.CheckConstraint(
                name="appointment_hold_ends",
                condition=~Q(status="held") | Q(held_until__isnull=False),
            ),
            models.CheckConstraint(
                name="appointment_of_somebody",
                condition=Q(submission__isnull=False) | Q(status__in=workflow.MAY_LACK_PATIENT),
            ),
            models.CheckConstraint(
                name="appointment_overbooked_by_somebody",
                condition=Q(
                    seat__lt=F("capacity"),
                    overbooked_by__isnull=True,
                    overbook_reason__isnull=True,
                )
                | Q(
                    seat__gte=F("capacity"),
                    overbooked_by__isnull=False,
                    overbook_reason__isnull=False,
                ),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def starts(self) -> datetime:
        """When the appointment begins, in the time zone of the location."""
        begins: datetime = self.during.lower
        return begins.astimezone(self.location.zone)

    @property
    def ends(self) -> datetime:
        ends: datetime = self.during.upper
        return ends.astimezone(self.location.zone)

    @property
    def zone(self) -> tzinfo:
        return self.location.zone

    @property
    def here_since(self) -> datetime | None:
        """When the patient arrived, by the clock of the location; None if the patient is not here.

        Only an arrival on the day of the visit counts: the release before keeps `arrived_at` when
        it moves a visit to another day.
        """
        at = self.arrived_at.astimezone(self.zone) if self.arrived_at else None
        return at if at and at.date() == self.starts.date() else None

    @property
    def in_since(self) -> datetime | None:
        """When the clinic asked the patient to come in; None before that."""
        if self.here_since is None or self.called_in_at is None:
            return None
        return self.called_in_at.astimezone(self.zone)

    @property
    def state(self) -> str:
        """The state of the visit on the list of the day, a key of workflow.VISIT_STATES."""
        return workflow.state_of_visit(
            self.status,
            is_here=self.here_since is not None,
            is_called_in=self.in_since is not None,
        )

    @property
    def is_overbooked(self) -> bool:
        return self.seat >= self.capacity


class AppointmentChange(models.Model):
    """One step in the history of an appointment: the new status, the time of the visit, the actor.

    Rows are added, never edited.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="changes")
    action = models.CharField(max_length=10)
    status = models.CharField(max_length=9, choices=workflow.VISIT_STATUSES.items())
    during = DateTimeRangeField()
    # None when the patient took the step, or when a hold expired
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return self.action


class OfferQuerySet(models.QuerySet["Offer"]):
    def open(self, at: datetime) -> "OfferQuerySet":
        """Return the offers that a patient can still accept."""
        return self.filter(state="open", expires_at__gt=at)


class Offer(models.Model):
    """A held slot that is offered to one request.

    The same slot may be offered to several requests; the first patient who accepts gets the slot.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        LAPSED = "lapsed", _("Not answered in time")
        LOST = "lost", _("Somebody else was first")
        WITHDRAWN = "withdrawn", _("Taken back")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="offers")
    request = models.ForeignKey(AppointmentRequest, on_delete=models.CASCADE, related_name="offers")
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    from_waitlist = models.BooleanField(default=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    objects = OfferQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["appointment__during", "id"]
        constraints = [
            models.CheckConstraint(
                name="offer_state_known",
                condition=Q(
                    state__in=["open", "accepted", "declined", "lapsed", "lost", "withdrawn"]
                ),
            ),
            models.UniqueConstraint(fields=["appointment", "request"], name="offer_once"),
            models.UniqueConstraint(
                fields=["appointment"], name="offer_won_once", condition=Q(state="accepted")
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


def during(start: datetime, end: datetime) -> DateTimeTZRange:
    """Return the half-open time from `start` to `end` for the database.

    The time is in UTC, because no UTC time occurs twice when the clock changes.
    """
    return DateTimeTZRange(start.astimezone(UTC), end.astimezone(UTC), "[)")
