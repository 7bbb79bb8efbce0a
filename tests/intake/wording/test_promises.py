"""What a patient is promised lies ahead: a page never names a time that is over."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic import hours
from intake import documents
from intake.models.submissions import Urgency
from intake.my_page.status_page import status_context
from intake.questionnaire.views.next_step import next_words
from tests import builders
from tests.intake.ways.conftest import clock as clock  # imported so that pytest finds the fixture

pytestmark = pytest.mark.django_db
SENT = "2026-12-01T10:00"  # a Tuesday; the clinic is open
URGENCIES = [Urgency.ROUTINE, Urgency.SOON, Urgency.URGENT, Urgency.SAME_DAY]


@pytest.mark.parametrize("urgency", URGENCIES, ids=lambda each: each.code)
def test_no_time_that_is_over_is_promised_at_any_hour(urgency, clock):
    clock.set(SENT)
    row = builders.submission()
    row.urgency = row.assessed_urgency = urgency
    row.assessment = {**row.assessment, "urgency": urgency.code}
    wording, said = documents.wording(row.protocol_id, "en"), set()
    row.target_at = timezone.now() + timedelta(days=2, hours=3)
    for _hour in range(24 * 6):
        text = next_words(row, wording)["next_text"]
        now, target = timezone.now(), row.target_at
        named = (hours.day_words(target, now), hours.date_words(target, now))
        named += (hours.clock_words(target),)
        is_over = target < now
        said.add((is_over, any(each in text for each in named)))
        assert text
        clock.wait(60)
    assert said <= {(False, True), (False, False), (True, False)}
    assert (True, False) in said


def test_an_answer_that_is_late_is_not_promised(clock):
    clock.set(SENT)
    row = builders.submission()
    seen = []
    for due in (None, timedelta(hours=1), timedelta(hours=-1)):
        row.reply_due_at = due and timezone.now() + due
        context = status_context(row, {"offers": [], "appointment": None})
        seen.append((bool(context["answer_by"]), context["answer_is_late"]))
    assert seen == [(False, False), (True, False), (False, True)]
