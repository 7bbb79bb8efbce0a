"""How many forms are begun, ended and sent: counted with the act, and shown so that nobody is."""

import csv
from collections import Counter
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.models.submissions import Draft, Submission, WalkCount
from intake.questionnaire import drafts, sending, walk_counts
from intake.questionnaire.walk_counts import FEWEST, in_periods
from tests import builders
from tests.examples import examples
from tests.intake.patient import Patient


def counted() -> Counter[tuple[str, str, str]]:
    rows = WalkCount.objects.values_list("kind", "event", "step", "number")
    return Counter({(kind, event, step): number for kind, event, step, number in rows})


@pytest.mark.django_db
def test_a_form_is_counted_when_it_begins_when_it_is_sent_and_where_it_ends():
    sent, _key = builders.draft()
    for _press in range(2):  # a double click sends once
        sending.submit(draft=sent)
    for step in ("safety", "rls", "rls", "contact"):
        Patient().jump_to(step)
    (gone, *_others) = Draft.objects.filter(submission=None).order_by("created_at")
    drafts.delete(draft=gone)
    drafts.delete(draft=gone)  # from another window
    Draft.objects.update(updated_at=timezone.now() - timedelta(days=40))
    drafts.delete_idle_drafts(days=30)

    assert counted() == {
        ("intake", "started", ""): 5,
        ("intake", "sent", ""): 1,
        ("intake", "ended", "safety"): 1,
        ("intake", "ended", "rls"): 2,
        ("intake", "ended", "contact"): 1,
    }


@pytest.mark.django_db
def test_a_form_that_an_emergency_stopped_ends_there():
    stopped, _key = builders.draft(em_now=("chest_or_breath",))
    assert drafts.walk_of(stopped).interrupting_rules
    drafts.delete(draft=stopped)
    assert counted()["intake", "ended", "emergency"] == 1


@pytest.mark.django_db
def test_a_count_is_undone_with_its_act():
    with transaction.atomic():
        builders.draft()
        transaction.set_rollback(True)
    assert not WalkCount.objects.exists()


@pytest.mark.django_db
def test_the_command_shows_no_small_number():
    today = timezone.localdate()
    for number, step in ((7, "rls"), (2, "mood"), (3, "mood"), (1, "life")):
        day = today if number in (7, 2) else today - timedelta(days=today.weekday())
        walk_counts.add({(day, "legs", "intake", "ended", step): number})
    for form in ("table", "csv"):
        out = StringIO()
        call_command("stops", csv=form == "csv", stdout=out)
        if form == "csv":
            rows = list(csv.DictReader(StringIO(out.getvalue())))
            found = {row["where"]: row["number"] for row in rows}
            assert found == {"rls": "7", "mood": "5", "life": "1 to 4"}
        assert "life" in out.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("took", "median"),
    [
        ([60, 120, 180, 240], None),  # fewer than five forms tell of a person
        ([60, 120, 180, 240, 6000], "3"),
        ([60, 120, 180, 240, 300, 360], "4"),  # 3.5, rounded up
        ([60, 120, 180, 240, None, None], None),  # a form with a break is none of the five
        ([1] * 5, "1"),
    ],
)
def test_the_command_names_the_median_of_the_minutes(took, median):
    for seconds in took:
        row = builders.submission()
        Submission.objects.filter(pk=row.pk).update(took_seconds=seconds)
    # neither a form of long ago nor one that a bot may have sent changes the median
    for more in (
        {"submitted_at": timezone.now() - timedelta(days=40), "took_seconds": 9000},
        {"suspect": True, "took_seconds": 9000},
    ):
        row = builders.submission()
        Submission.objects.filter(pk=row.pk).update(**more)
    out = StringIO()
    call_command("stops", csv=True, stdout=out)
    rows = list(csv.DictReader(StringIO(out.getvalue())))
    said = {row["form"]: row["number"] for row in rows if row["what"] == "median minutes"}
    assert said == ({"intake": median} if median else {})


DAYS = st.dates(date(2026, 11, 1), date(2026, 12, 31))
COUNTS = st.dictionaries(
    st.tuples(DAYS, st.just("legs"), st.just("intake"), st.just("ended"), st.sampled_from("ab")),
    st.integers(0, 12),
)


@settings(max_examples=examples(50), deadline=None)
@given(COUNTS)
def test_no_number_below_five_is_shown_and_none_is_lost(counts):
    periods = in_periods(counts)
    shown = sum(period.number for period in periods if period.number)
    hidden = [period for period in periods if period.number is None]
    assert all(period.number >= FEWEST for period in periods if period.number is not None)
    rest = sum(counts.values()) - shown
    assert len(hidden) <= rest <= (FEWEST - 1) * len(hidden)
    for key, number in counts.items():
        if number:
            covering = [p for p in periods if p.first <= key[0] <= p.last and p.step == key[4]]
            assert covering
