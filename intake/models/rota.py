"""Store which members of staff are on call, and which are on leave. No health data."""

from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.ids import uuid7
from clinic.opening_hours import Moments
from intake.models.clinic_time import Location


class OnCall(models.Model):
    """A time in which a person gets the letters about red flags whenever the clinic is closed.

    It covers one night, a weekend, or all closed time of some weeks. Opening time in it does not
    count.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.CASCADE,
        db_constraint=False,  # the release before may delete the account
        related_name="+",
    )
    # None: every location
    location = models.ForeignKey(
        Location,
        verbose_name=_("location"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        db_constraint=False,  # the release before may delete the location
        related_name="+",
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"), db_index=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)

    class Meta:
        ordering = ["starts_at", "id"]
        verbose_name = _("time on call")
        verbose_name_plural = _("on call")
        constraints = [
            models.CheckConstraint(
                name="on_call_ends_after_it_begins",
                condition=Q(ends_at__gt=F("starts_at")),
                violation_error_message=_("The end is before the beginning."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M}"


class LeaveQuerySet(models.QuerySet["Leave"]):
    def at(self, moment: datetime) -> "LeaveQuerySet":
        """Return the leaves that last at a moment."""
        day = timezone.localdate(moment)
        return self.filter(first_day__lte=day, last_day__gte=day)

    def touching(self, first: date, last: date) -> "LeaveQuerySet":
        """Return the leaves of which at least one day lies between two days."""
        return self.filter(first_day__lte=last, last_day__gte=first)


class Leave(models.Model):
    """Whole days on which a member of staff is away, counted in the clinic's time zone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.CASCADE,
        db_constraint=False,  # the release before may delete the account
        related_name="+",
    )
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"), db_index=True)
    # When the person's open work went back to the worklist; None before the leave begins.
    given_back_at = models.DateTimeField(null=True)

    objects = LeaveQuerySet.as_manager()

    class Meta:
        ordering = ["first_day", "id"]
        permissions = [("manage_leave", "Can set the leave of other people")]
        verbose_name = _("leave")
        verbose_name_plural = _("leave")
        constraints = [
            models.CheckConstraint(
                name="leave_ends_after_it_begins",
                condition=Q(last_day__gte=F("first_day")),
                violation_error_message=_("The last day is before the first."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.first_day} – {self.last_day}"

    @property
    def moments(self) -> Moments:
        """From when to when the leave lasts."""
        first, after = (
            timezone.make_aware(datetime.combine(day, time()))
            for day in (self.first_day, self.last_day + timedelta(days=1))
        )
        return first, after
