"""How many minutes the pages name: the estimate at first, then the clinic's own median."""

from datetime import timedelta

import pytest
from django.utils import timezone

from intake.domain.minutes import minutes
from intake.models.submissions import Kind, Submission, UsualMinutes
from intake.protocols import current
from intake.questionnaire import usual_minutes
from intake.questionnaire.usual_minutes import seconds_between
from tests import builders
from tests.intake.patient import Patient

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def new_day(monkeypatch):
    monkeypatch.setattr(usual_minutes, "_computed_on", None)
    usual_minutes.usual.forget()
    yield
    usual_minutes.usual.register(usual_minutes.read)


def sent(*took: int | None) -> None:
    """Store submissions whose patients took so many seconds."""
    row = builders.submission()
    names = [field.attname for field in Submission._meta.concrete_fields]
    copied = {name: getattr(row, name) for name in names if name not in ("id", "draft_id")}
    Submission.objects.all().delete()
    for number, seconds in enumerate(took):
        copied |= {"reference": f"R{number}", "took_seconds": seconds}
        copy = Submission(**copied)
        copy.draft_id = copy.pk
        copy.save(force_insert=True)


def computed() -> int:
    usual_minutes.compute()
    usual_minutes.usual.forget()
    return usual_minutes.minutes_for(current())


FIRST = minutes(current())


@pytest.mark.parametrize(
    ("took", "named"),
    [
        ([600] * 49, FIRST),  # too few
        ([600] * 50, 10),
        ([600] * 30 + [10_000] * 20, 10),  # pauses do not count
        ([601] * 50, 11),  # rounded up
        ([5] * 60, 2),  # never less than two
        ([600] * 49 + [None] * 40, FIRST),  # patients who came back later
    ],
)
def test_the_pages_name_the_median_once_fifty_were_sent(took, named):
    sent(*took)
    assert computed() == named
    page = Patient().get("/intake/legs/")
    assert f"About {named} minutes." in page.text


def test_a_day_computes_once_and_drops_what_is_out_of_date(monkeypatch):
    sent(*[600] * 50)
    assert computed() == 10
    Submission.objects.update(took_seconds=1200)
    assert computed() == 10
    monkeypatch.setattr(usual_minutes, "_computed_on", None)
    assert computed() == 20
    Submission.objects.update(submitted_at=timezone.now() - usual_minutes.LOOKED_AT)
    UsualMinutes.objects.update(day=timezone.localdate() - timedelta(days=1))
    monkeypatch.setattr(usual_minutes, "_computed_on", None)
    assert computed() == FIRST


def test_sending_stores_the_time_without_a_break():
    assert builders.submission().took_seconds is not None
    now = timezone.now()
    for hours, seconds in ((1, 3600), (3, 10_800), (4, None), (-1, None)):
        assert seconds_between(now - timedelta(hours=hours), now) == seconds
    assert usual_minutes.minutes_for(current(), Kind.APPOINTMENT) == minutes(
        current(), Kind.APPOINTMENT
    )
