"""Store the calls in which staff enter a caller's answers, and who called."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.ids import uuid7
from clinic.secrets.sealing import Json, SealedField
from intake.models.submissions import Draft, Submission


class Caller(models.TextChoices):
    """By what right the caller answers for the patient."""

    PATIENT = "patient", _("The patient")
    PARENT = "parent", _("A parent or legal guardian")
    OTHER = "other", _("Another person who helps the patient")


class CameOf(models.TextChoices):
    """What came of a call that an emergency answer stopped."""

    AMBULANCE = "ambulance", _("An ambulance is called")
    WENT = "went", _("Goes to the emergency room now")
    CRISIS = "crisis", _("Connected to the crisis line")
    REFUSED = "refused", _("Refuses help")
    LOST = "lost", _("The line broke")


class PhoneCallQuerySet(models.QuerySet["PhoneCall"]):
    def unfinished(self) -> "PhoneCallQuerySet":
        """Return the calls whose answers are not sent yet, the newest first."""
        rows = self.filter(submission=None, call_back_at=None)
        return rows.select_related("draft", "by").order_by("-at", "id")

    def to_call_back(self) -> "PhoneCallQuerySet":
        """Return the callers who could not talk freely and are not called back yet."""
        rows = self.filter(call_back_at__isnull=False, settled_at=None)
        return rows.select_related("by").order_by("call_back_at", "id")


class PhoneCall(models.Model):
    """A call in which a member of staff enters what the caller answers.

    `by` alone opens the draft. After sending, the row says of the submission who called and who
    entered the answers. A call with `call_back_at` has no draft: the caller could not talk freely.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # deleting an unsent draft deletes the call; after sending, the call has only the submission
    draft = models.OneToOneField(
        Draft,
        null=True,
        on_delete=models.CASCADE,
        db_constraint=False,  # the release before may delete the draft
        related_name="phone_call",
    )
    submission = models.OneToOneField(
        Submission,
        null=True,
        on_delete=models.CASCADE,
        db_constraint=False,  # the release before may delete the submission
        related_name="phone_call",
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_constraint=False,  # the release before may delete the account
        related_name="+",
    )
    at = models.DateTimeField()
    # {"phone": number to call back, "caller": Caller, "relation": …, "interpreter": …,
    #  "say": words for another person who answers, "steps": [{"came_of": CameOf, "place": …, …}]}
    words = SealedField[Json]()
    call_back_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    objects = PhoneCallQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [("enter_by_phone", "Can enter a caller's answers")]
        verbose_name = _("phone call")
        indexes = [
            models.Index(fields=["at"], name="phone_call_open", condition=Q(submission=None)),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def phone(self) -> str:
        """The number to call back if the line breaks."""
        return str(self.words.get("phone", ""))

    @property
    def patient_calls(self) -> bool:
        """Whether the caller said to be the patient."""
        return self.words.get("caller") == Caller.PATIENT

    @property
    def steps(self) -> list[Mapping[str, Any]]:
        """What staff did after an emergency answer stopped the call, oldest first."""
        return list(self.words.get("steps", ()))
