"""The floor's models.

`Form` has 40 columns: 12 single choices, 4 multiple choices, 12 numbers and 12 texts.
"""

from django.conf import settings
from django.db import models

OPTIONS = [(f"o{n}", f"The answer number {n}, in a few words") for n in range(11)]


class Form(models.Model):
    for _n in range(12):
        locals()[f"single_{_n}"] = models.CharField(
            f"Which of these fits best, question {_n}?", max_length=20, choices=OPTIONS
        )
        locals()[f"number_{_n}"] = models.PositiveSmallIntegerField(f"How many, question {_n}?")
        locals()[f"text_{_n}"] = models.CharField(f"In your words, question {_n}", max_length=200)
    for _n in range(4):
        locals()[f"several_{_n}"] = models.JSONField(f"Which do you have, question {_n}?")

    def __str__(self) -> str:
        return str(self.pk)


class Slot(models.Model):
    """A slot that only one visitor can have."""

    key = models.CharField(max_length=100, unique=True)

    def __str__(self) -> str:
        return self.key


class Record(models.Model):
    """A row of the stock worklist.

    Every record has an assignee, because Django's changelist would load a nullable assignee with
    one more statement for each row.
    """

    reference = models.CharField(max_length=9, unique=True)
    name = models.CharField(max_length=100)
    email = models.EmailField()
    phone = models.CharField(max_length=20)
    urgency = models.SmallIntegerField(choices=enumerate(("Routine", "Soon", "Urgent")))
    status = models.CharField(max_length=10, choices=[(s, s) for s in ("new", "decided", "closed")])
    submitted_at = models.DateTimeField()
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)

    def __str__(self) -> str:
        return self.reference
