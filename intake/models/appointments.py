"""Clinic time, what patients wish for, and the visits that come of it.

Nothing here names a person but through the submission. That no time is sold twice is the
database's business: `appointment_once` holds whatever the program does.
"""

from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F, Q
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.ids import uuid7
from clinic.sealing import SealedField
from intake.domain import workflow
from intake.models.submissions import Draft, Submission

MOST_SEATS = 20  # patients at once with one clinician: a class, a group


def known_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(_("This is no time zone. Write one such as America/New_York."))


# --- clinic time ----------------------------------------------------------------------------------


class Location(models.Model):
    """Where visits take place. Its zone is the one that all its times are told in."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # what a patient's wish names
    name = models.CharField(_("name"), max_length=80, unique=True)
    address = models.TextField(_("address"), blank=True, help_text=_("As on a letter."))
    time_zone = models.CharField(_("time zone"), max_length=64, validators=[known_zone])
    directions = models.TextField(
        _("directions"), blank=True, help_text=_("How to get there, where to park, which door.")
    )
    phone = models.CharField(_("phone"), max_length=30, blank=True)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("location")
        verbose_name_plural = _("locations")

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Clinician(models.Model):
    """Somebody whom patients see, by the name that patients read."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=80, unique=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("sign-in"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="clinician",
    )
    is_active = models.BooleanField(_("sees patients"), default=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("clinician")
        verbose_name_plural = _("clinicians")

    def __str__(self) -> str:
        return self.name


class VisitKind(models.TextChoices):
    IN_PERSON = "in_person", _("In person")
    VIDEO = "video", _("By video")
    PHONE = "phone", _("By phone")


class VisitType(models.Model):
    """A sort of visit: how it takes place, how long, with whom. Its title tells no illness."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(_("kind"), max_length=9, choices=VisitKind.choices)
    title = models.CharField(
        _("title"), max_length=80, unique=True, help_text=_("Stands in messages: no illness.")
    )
    minutes = models.PositiveSmallIntegerField(
        _("minutes"), validators=[MinValueValidator(5), MaxValueValidator(480)]
    )
    clinicians = models.ManyToManyField(
        Clinician, verbose_name=_("clinicians"), related_name="visit_types"
    )
    is_active = models.BooleanField(_("offered"), default=True)

    class Meta:
        ordering = ["title"]
        verbose_name = _("visit type")
        verbose_name_plural = _("visit types")
        constraints = [
            models.CheckConstraint(
                name="visit_type_minutes", condition=Q(minutes__gte=5, minutes__lte=480)
            )
        ]

    def __str__(self) -> str:
        return self.title


class OpeningHours(models.Model):
    """Weekly hours of one clinician at one location, in wall times of the location's zone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    clinician = models.ForeignKey(
        Clinician, verbose_name=_("clinician"), on_delete=models.CASCADE, related_name="hours"
    )
    location = models.ForeignKey(
        Location, verbose_name=_("location"), on_delete=models.CASCADE, related_name="hours"
    )
    weekday = models.SmallIntegerField(_("weekday"), choices=WEEKDAYS.items())  # Monday is 0
    starts = models.TimeField(_("from"))
    ends = models.TimeField(_("until"), help_text=_("12 am is midnight at the end of the day."))
    visit_types = models.ManyToManyField(
        VisitType,
        verbose_name=_("visit types"),
        blank=True,
        related_name="+",
        help_text=_("None chosen: all that the clinician does."),
    )
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True)  # that day, too
    capacity = models.PositiveSmallIntegerField(
        _("patients at once"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_SEATS)],
    )

    class Meta:
        ordering = ["clinician", "weekday", "starts"]
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        constraints = [
            models.CheckConstraint(
                name="opening_hours_weekday", condition=Q(weekday__gte=0, weekday__lte=6)
            ),
            models.CheckConstraint(
                name="opening_hours_forward",
                condition=Q(starts__lt=F("ends")) | Q(ends="00:00"),
                violation_error_message=_("The hours end before they begin."),
            ),
            models.CheckConstraint(
                name="opening_hours_validity",
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_from__lte=F("valid_until")),
                violation_error_message=_("The last day is before the first."),
            ),
            models.CheckConstraint(
                name="opening_hours_capacity",
                condition=Q(capacity__gte=1, capacity__lte=MOST_SEATS),
            ),
        ]

    def __str__(self) -> str:
        return f"{WEEKDAYS[self.weekday]} {self.starts:%H:%M}–{self.ends:%H:%M}"


class Closure(models.Model):
    """No visits: of a clinician, at a location, or (neither named) at all. Whole days, which are
    days of each location's own zone, or two moments."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    clinician = models.ForeignKey(
        Clinician, verbose_name=_("clinician"), null=True, blank=True, on_delete=models.CASCADE
    )
    location = models.ForeignKey(
        Location, verbose_name=_("location"), null=True, blank=True, on_delete=models.CASCADE
    )
    first_day = models.DateField(_("first day"), null=True, blank=True)
    last_day = models.DateField(_("last day"), null=True, blank=True)  # that day, too
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=80, blank=True)  # for staff

    class Meta:
        ordering = ["-first_day", "-starts_at"]
        verbose_name = _("closure")
        verbose_name_plural = _("closures and holidays")
        constraints = [
            models.CheckConstraint(
                name="closure_days_or_moments",
                condition=Q(
                    first_day__isnull=False,
                    last_day__gte=F("first_day"),
                    starts_at__isnull=True,
                    ends_at__isnull=True,
                )
                | Q(
                    first_day__isnull=True,
                    last_day__isnull=True,
                    starts_at__isnull=False,
                    ends_at__gt=F("starts_at"),
                ),
                violation_error_message=_(
                    "Give the first and the last day, or both times, the end after the beginning."
                ),
            )
        ]

    def __str__(self) -> str:
        return self.reason or gettext("closed")


# --- wishes ---------------------------------------------------------------------------------------


class WishedVisit(models.TextChoices):
    IN_PERSON = "in_person", _("In person")
    VIDEO = "video", _("By video")
    PHONE = "phone", _("By phone")
    CALL_ME = "call_me", _("Call me to arrange it")


class Day(models.TextChoices):
    MON = "mon", _("Monday")
    TUE = "tue", _("Tuesday")
    WED = "wed", _("Wednesday")
    THU = "thu", _("Thursday")
    FRI = "fri", _("Friday")


class TimeOfDay(models.TextChoices):
    MORNING = "morning", _("Morning")
    MIDDAY = "midday", _("Around midday")
    AFTERNOON = "afternoon", _("Afternoon")


class AppointmentRequest(models.Model):
    """What a patient asks for. A wish, not a visit."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    submission = models.OneToOneField(
        Submission, on_delete=models.CASCADE, related_name="appointment_request"
    )
    visit_type = models.CharField(max_length=9, choices=WishedVisit.choices)
    # Up to three, the dearest first; none: the first free time. Each is
    # {"days": [Day], "times": [TimeOfDay], "place": name of a location, "clinician": id},
    # where an empty list or text means any.
    wishes = models.JSONField(default=list)
    earliest = models.DateField(null=True, blank=True)
    progress = models.CharField(
        max_length=9, choices=workflow.REQUEST_STATUSES.items(), default=workflow.REQUESTED
    )

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="request_progress_known",
                condition=Q(progress__in=list(workflow.REQUEST_STATUSES)),
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class WaitlistEntry(models.Model):
    """A request that waits for a time to become free; gone when it leaves or has its time."""

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
    """Why a visit is cancelled, in words that tell no illness: they stand in messages."""

    PATIENT = "patient", _("The patient asked for it")
    CLINICIAN = "clinician", _("The clinician is away")
    CLINIC = "clinic", _("The clinic is closed")
    MISTAKE = "mistake", _("Booked by mistake")
    OTHER = "other", _("Another reason")


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def taking(self) -> "AppointmentQuerySet":
        """Those that take up clinic time, as the constraint sees it: an old hold, too."""
        return self.filter(status__in=workflow.TAKING)

    def between(self, start: datetime, end: datetime) -> "AppointmentQuerySet":
        """Those that lie in the half-open time from `start` to `end`, or reach into it."""
        return self.filter(during__overlap=during(start, end))

    def for_reading(self) -> "AppointmentQuerySet":
        """With all that a line about them says, in one query."""
        return self.select_related("clinician", "location", "visit_type", "submission")


class Appointment(models.Model):
    """A time of a clinician that is held for somebody, or a visit.

    `during` is half-open: the end is the next one's beginning. One who moves a visit keeps its
    row, so that a calendar knows it again (`id`, `sequence`).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # None while it is held for a draft, or offered to one or several
    submission = models.ForeignKey(
        Submission, null=True, on_delete=models.CASCADE, related_name="appointments"
    )
    draft = models.ForeignKey(Draft, null=True, on_delete=models.SET_NULL, related_name="+")
    clinician = models.ForeignKey(Clinician, on_delete=models.PROTECT, related_name="appointments")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="appointments")
    visit_type = models.ForeignKey(VisitType, on_delete=models.PROTECT, related_name="+")
    during = DateTimeRangeField()
    seat = models.PositiveSmallIntegerField(default=0)
    # of the opening hours when it was booked; 0 outside of hours
    capacity = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=9, choices=workflow.VISIT_STATUSES.items())
    held_until = models.DateTimeField(null=True)
    # of its calendar file: counts what was changed since it was confirmed
    sequence = models.PositiveIntegerField(default=0)
    cancel_reason = models.CharField(max_length=9, choices=CancelReason.choices, blank=True)
    note = SealedField(null=True)  # {"text": …}, by staff
    overbooked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    overbook_reason = SealedField(null=True)  # {"text": …}
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

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
        ]
        constraints = [
            # nobody is ever booked into a time that somebody has
            ExclusionConstraint(
                name="appointment_once",
                expressions=[
                    ("clinician", RangeOperators.EQUAL),
                    ("seat", RangeOperators.EQUAL),
                    ("during", RangeOperators.OVERLAPS),
                ],
                condition=Q(status__in=workflow.TAKING),
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
                condition=Q(submission__isnull=False) | Q(status__in=workflow.OF_NOBODY),
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
        """When it begins, in the location's zone."""
        return self.during.lower.astimezone(self.location.zone)

    @property
    def ends(self) -> datetime:
        return self.during.upper.astimezone(self.location.zone)

    @property
    def zone(self) -> tzinfo:
        return self.location.zone

    @property
    def is_overbooked(self) -> bool:
        return self.seat >= self.capacity


class AppointmentChange(models.Model):
    """One step of an appointment's way, added and never edited: where it was then, and who."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="changes")
    action = models.CharField(max_length=10)
    status = models.CharField(max_length=9, choices=workflow.VISIT_STATUSES.items())
    during = DateTimeRangeField()
    # None: the patient, or time itself
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
        """Those that can still be accepted."""
        return self.filter(state="open", expires_at__gt=at)


class Offer(models.Model):
    """A held time offered to one request. Several requests may be offered the same held time: the
    first to accept wins."""

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


def during(start: datetime, end: datetime) -> Any:
    """The half-open time from `start` to `end`, as the database keeps it: in UTC, where no moment
    looks like another."""
    return DateTimeTZRange(start.astimezone(UTC), end.astimezone(UTC), "[)")
