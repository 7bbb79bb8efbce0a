"""Store locations, clinicians, visit types, opening hours and closures."""

from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.ids import uuid7
from clinic.opening_hours import ClinicHours

MOST_SEATS = 20  # patients at once with one clinician, as in a class or a group


def known_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(_("This is no time zone. Write one such as America/New_York."))


def known_hours(text: str) -> None:
    try:
        ClinicHours.parse(text, [], settings.TIME_ZONE)
    except ValueError as error:
        raise ValidationError(
            _("These hours cannot be read: %(fault)s"), params={"fault": error}
        ) from None


class Location(models.Model):
    """A place where visits happen. The times of the visits are shown in its time zone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Unique, because a patient's wish refers to the location by this name.
    name = models.CharField(_("name"), max_length=80, unique=True)
    address = models.TextField(_("address"), blank=True, help_text=_("As on a letter."))
    time_zone = models.CharField(_("time zone"), max_length=64, validators=[known_zone])
    directions = models.TextField(
        _("directions"), blank=True, help_text=_("How to get there, where to park, which door.")
    )
    phone = models.CharField(_("phone"), max_length=30, blank=True)
    is_active = models.BooleanField(_("in use"), default=True)
    week = models.CharField(
        _("open for patients"),
        max_length=200,
        blank=True,
        db_default="",
        validators=[known_hours],
        help_text=_(
            "Such as “Mon-Thu 08:30-17:00, Fri 08:30-12:00”. Empty: the hours of the clinic."
        ),
    )

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
    """A person whom patients visit, with the name that patients read."""

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
    """A kind of visit: in what way, how long, with which clinicians. The title names no illness."""

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
    """Weekly opening hours of one clinician at one location, in the location's time zone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    clinician = models.ForeignKey(
        Clinician, verbose_name=_("clinician"), on_delete=models.CASCADE, related_name="hours"
    )
    location = models.ForeignKey(
        Location, verbose_name=_("location"), on_delete=models.CASCADE, related_name="hours"
    )
    weekday = models.SmallIntegerField(_("weekday"), choices=WEEKDAYS.items())  # 0 is Monday
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
    # the last day on which the hours hold
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
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
    """A time without visits: of one clinician, of one location, or of the whole clinic.

    A closure lasts whole days, counted in the time zone of each location, or from one moment to
    another. A closure without a clinician moves what the clinic promises (intake/calendars.py).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    clinician = models.ForeignKey(
        Clinician, verbose_name=_("clinician"), null=True, blank=True, on_delete=models.CASCADE
    )
    location = models.ForeignKey(
        Location, verbose_name=_("location"), null=True, blank=True, on_delete=models.CASCADE
    )
    first_day = models.DateField(_("first day"), null=True, blank=True)
    # the last day without visits
    last_day = models.DateField(_("last day"), null=True, blank=True)
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=80, blank=True)  # only staff read the reason
    # is told of each red flag that patients send during the closure
    on_call = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("on call"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        db_index=False,
        db_constraint=False,  # the release before may delete the account
        related_name="+",
    )

    class Meta:
        ordering = ["-first_day", "-starts_at"]
        verbose_name = _("closure")
        verbose_name_plural = _("closures and holidays")
        constraints = [
            models.CheckConstraint(
                name="closure_days_or_moments",
                # A check passes when it compares with NULL, so each case first requires its values.
                condition=Q(
                    first_day__isnull=False,
                    last_day__isnull=False,
                    last_day__gte=F("first_day"),
                    starts_at__isnull=True,
                    ends_at__isnull=True,
                )
                | Q(
                    first_day__isnull=True,
                    last_day__isnull=True,
                    starts_at__isnull=False,
                    ends_at__isnull=False,
                    ends_at__gt=F("starts_at"),
                ),
                violation_error_message=_(
                    "Give the first and the last day, or both times, the end after the beginning."
                ),
            )
        ]

    def __str__(self) -> str:
        return self.reason or gettext("closed")


class Holiday(models.Model):
    """A public holiday, which the program proposes to close.

    A person confirms the holiday by a closure of the whole clinic on this day, or says that the
    clinic is open.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    day = models.DateField(_("day"), unique=True)
    name = models.CharField(_("name"), max_length=200)
    is_open = models.BooleanField(_("open"), default=False)

    class Meta:
        ordering = ["day"]
        default_permissions = ("view",)
        verbose_name = _("public holiday")
        verbose_name_plural = _("public holidays")

    def __str__(self) -> str:
        return self.name
