"""Store what the public pages say of the clinic: its places, people, insurance plans and rules.

The rows hold no health data. Each profile extends a row of clinic time (clinic_time.py), which says
whether the place or the clinician is in use.
"""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.ids import uuid7
from clinic.translated import TranslatedField
from intake.models.clinic_time import Clinician, Location

PICTURE_HELP = _("One of the pictures in “Pictures”. Its description is read to blind patients.")


class Access(models.TextChoices):
    """What a building has for people with disabilities. intake/clinic_pages/words.py names it."""

    STEP_FREE = "step_free"
    DOOR = "door"
    LIFT = "lift"
    TOILET = "toilet"
    PARKING = "parking"
    TABLE = "table"
    SEATS = "seats"
    LOOP = "loop"


def _picture() -> models.ForeignKey[models.Model | None, models.Model | None]:
    # No constraint in the database, because the release before may delete a picture.
    return models.ForeignKey(
        "education.Picture",
        verbose_name=_("picture"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text=PICTURE_HELP,
    )


class LocationProfile(models.Model):
    """What the contact page says of a location, besides its name, address and phone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    location = models.OneToOneField(
        Location,
        verbose_name=_("location"),
        on_delete=models.CASCADE,
        db_constraint=False,  # the release before does not know this table
        related_name="profile",
    )
    fax = models.CharField(_("fax"), max_length=30, blank=True)
    latitude = models.DecimalField(
        _("latitude"),
        max_digits=8,
        decimal_places=5,
        null=True,
        blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
        help_text=_("Such as 38.90720. With both numbers, the link to the map finds the door."),
    )
    longitude = models.DecimalField(
        _("longitude"),
        max_digits=8,
        decimal_places=5,
        null=True,
        blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
    )
    way = TranslatedField(
        _("the way to the door"),
        rows=6,
        help_text=_(
            "One step a line. The page draws the way from the words before the colons, which are"
            " “ahead:”, “left:” and “right:” in every language. Such as “left: at the pharmacy”."
        ),
    )
    picture = _picture()
    transport = TranslatedField(_("bus and train"))
    parking = TranslatedField(_("parking"))
    access = ArrayField(
        models.CharField(max_length=12, choices=Access.choices),
        verbose_name=_("access to the building"),
        default=list,
        blank=True,
    )
    access_note = TranslatedField(_("more about access"))

    class Meta:
        default_permissions = ("view", "add", "change")
        ordering = ["location__name"]
        verbose_name = _("place on the contact page")
        verbose_name_plural = _("places on the contact page")
        constraints = [
            models.CheckConstraint(
                name="location_profile_coordinates",
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__isnull=False, longitude__isnull=False),
                violation_error_message=_("Give both numbers, latitude and longitude, or neither."),
            )
        ]

    def __str__(self) -> str:
        return str(self.location)


class ClinicianProfile(models.Model):
    """What the page of people says of a clinician, besides the name. A draft is not shown."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    clinician = models.OneToOneField(
        Clinician,
        verbose_name=_("clinician"),
        on_delete=models.CASCADE,
        db_constraint=False,  # the release before does not know this table
        related_name="profile",
    )
    credentials = models.CharField(
        _("credentials"), max_length=80, blank=True, help_text=_("Such as MD, RPVI.")
    )
    role = TranslatedField(_("role"), rows=1, most=120)
    sees = TranslatedField(_("what this clinician sees"))
    languages = TranslatedField(_("languages"), rows=1, most=200)
    picture = _picture()
    takes_new = models.BooleanField(
        _("takes new patients"), null=True, blank=True, help_text=_("Unknown: the page is silent.")
    )
    order = models.PositiveSmallIntegerField(_("place on the page"), default=0)
    is_published = models.BooleanField(
        _("published"), default=False, help_text=_("Without a tick this is a draft.")
    )

    class Meta:
        default_permissions = ("view", "add", "change")
        ordering = ["order", "clinician__name"]
        verbose_name = _("person on the page of people")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return str(self.clinician)


class InsurancePlan(models.Model):
    """An insurance plan that the clinic takes, or took."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=120, unique=True)
    needs_referral = models.BooleanField(_("needs a referral"), default=False)
    note = TranslatedField(_("note"), rows=2, most=300)
    is_accepted = models.BooleanField(_("accepted"), default=True)

    class Meta:
        default_permissions = ("view", "add", "change")
        ordering = ["name"]
        verbose_name = _("insurance plan")
        verbose_name_plural = _("insurance plans")

    def __str__(self) -> str:
        return self.name


class TextKind(models.TextChoices):
    LANGUAGES = "languages", _("Languages that the staff speak")
    JOINING = "joining", _("How a patient joins a video visit")
    REFERRAL = "referral", _("Whether patients need a referral")
    MINORS = "minors", _("What a visit of a minor needs")
    MISSED = "missed", _("What follows a missed or late-cancelled visit")
    SELF_PAY = "self_pay", _("Prices without insurance")
    PAYING = "paying", _("How to pay, and help with a bill")
    ESTIMATE = "estimate", _("Whom to ask for an estimate")


class ClinicText(models.Model):
    """A short text on a public page that only the clinic can write. The kind says where it is."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(_("subject"), max_length=12, choices=TextKind.choices, unique=True)
    text = TranslatedField(_("text"), rows=5, blank=False)

    class Meta:
        default_permissions = ("view", "add", "change")
        ordering = ["kind"]
        verbose_name = _("short text")
        verbose_name_plural = _("short texts")
        constraints = [
            models.CheckConstraint(
                name="clinic_text_kind_known", condition=Q(kind__in=TextKind.values)
            )
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
