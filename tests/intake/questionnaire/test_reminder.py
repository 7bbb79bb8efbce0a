"""One reminder of saved answers, and then silence."""

from datetime import timedelta

import pytest
from django.utils import timezone

from intake.models.submissions import Draft
from intake.questionnaire import reminding
from tests.intake.patient import Patient
from tests.intake.way_in import MAILBOX, letters, saved

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roomy", "codes_without_limit")]


def a_day_later() -> list[str]:
    """Return the letters after a day in which the patient did nothing."""
    letters()
    day = timedelta(days=1, minutes=1)
    for draft in Draft.objects.all():
        remind_at = draft.remind_at and draft.remind_at - day
        Draft.objects.filter(pk=draft.pk).update(
            remind_at=remind_at, updated_at=draft.updated_at - day
        )
    reminding.remind()
    return letters()


def test_saved_answers_get_one_reminder_that_says_nothing_of_health():
    _patient, number = saved("reason")

    first, second = a_day_later(), a_day_later()

    (letter,) = first
    assert number in letter
    assert "We do not remind you again." in letter
    assert "legs" not in letter.casefold()
    assert second == []


def test_the_reminder_waits_for_a_day_without_an_answer():
    patient, _number = saved("reason")
    letters()
    Draft.objects.update(remind_at=timezone.now() - timedelta(minutes=1))

    assert reminding.remind() == 0
    assert Draft.objects.get().remind_at > timezone.now() + timedelta(hours=23)
    assert patient.draft.reference


def test_a_patient_can_want_no_reminder():
    patient = Patient()
    patient.start()
    patient.walk_to("reason")
    patient.press("save", patient.filled())
    patient.post("/intake/save/", {"address": MAILBOX, "quiet": "on", "go": "save"})

    assert a_day_later() == []


@pytest.mark.parametrize("end", ["sent", "stopped", "stopped before"])
def test_nobody_is_reminded_who_sent_or_was_stopped(end):
    patient, _number = saved("reason")
    if end == "sent":
        patient.get("/intake/check/")
        patient.walk_to("check")
        patient.send()
    else:
        patient.get("/intake/legs/p/safety/")
        patient.answer(em_now=("chest_or_breath",))
    if end == "stopped before":
        patient.press("mistake")

    assert a_day_later() == []
