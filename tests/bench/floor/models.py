"""Forty columns: 12 single choices, 4 multiple ones, 12 numbers, 12 texts."""

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
    """One time that one visitor can have."""

    key = models.CharField(max_length=100, unique=True)

    def __str__(self) -> str:
        return self.key
