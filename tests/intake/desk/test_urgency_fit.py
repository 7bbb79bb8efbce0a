"""Clinicians say at closing how the urgency of the rules fitted. A command counts the answers."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from intake.models.submissions import Draft, RuleCount, Submission
from intake.questionnaire import drafts
from tests import builders
from tests.desk import Trail, page_of
from tests.intake.patient import Patient
from tests.intake.questionnaire.stops import tell

pytestmark = pytest.mark.django_db


def decided(**answers) -> Submission:
    submission = builders.submission(**answers)
    Submission.objects.filter(pk=submission.pk).update(status="decided", revision=1)
    return submission


def close(submission: Submission, fit: str | None) -> Submission:
    given = {} if fit is None else {"fit": fit}
    builders.staff_client("clinician").post(
        page_of(submission, "move"), {"revision": 1, "action": "close", **given}
    )
    submission.refresh_from_db()
    return submission


def table() -> list[list[str]]:
    out = StringIO()
    call_command("urgency_fit", stdout=out)
    return [line.split() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("fit", ["right", "too_low", "too_high"])
def test_one_tap_closes_and_says_how_the_urgency_fitted(fit):
    submission, trail = decided(), Trail()
    closed = close(submission, fit)

    assert (closed.status, closed.urgency_fit) == ("closed", fit)
    (event,) = [event for event in trail.events() if event.action == "state"]
    assert event.detail == {"from": "decided", "to": "closed", "fit": fit}


@pytest.mark.parametrize("fit", [None, "", "perfect"])
def test_nobody_has_to_say_it(fit):
    closed = close(decided(), fit)
    assert (closed.status, closed.urgency_fit) == ("closed", "")


def test_a_submission_opened_again_is_judged_anew():
    closed = close(decided(), "too_low")
    builders.staff_client("clinician").post(
        page_of(closed, "move"), {"revision": 2, "action": "reopen", "fit": "right"}
    )
    closed.refresh_from_db()
    assert (closed.status, closed.urgency_fit) == ("in_review", "")


def test_a_request_for_a_visit_alone_is_closed_without_the_question():
    clinician = builders.staff_client("clinician")
    assert b'name="fit"' in clinician.get(page_of(decided())).content
    request = decided()
    Submission.objects.filter(pk=request.pk).update(kind="appointment")
    assert b'name="fit"' not in clinician.get(page_of(request)).content


def test_the_table_counts_the_rules_that_gave_the_urgency_with_the_bound_of_each_share():
    says = {"leg_new": ("swelling_one",), "clot_risk": ("none",)}
    for fit in ("too_high", "right", "right"):
        close(decided(**says), fit)
    close(decided(**says), None)
    trail = Trail()

    heading, *rows = table()
    assert heading[:3] == ["protocol", "rule", "judged"]
    assert ["legs", "S01", "3", "0", "63.2%", "1", "86.5%", "0"] in rows
    (event,) = trail.events()
    assert (event.actor, event.detail["count"]) == ("system:urgency-fit", 3)


def stop() -> Patient:
    patient = Patient()
    patient.start()
    patient.answer(em_now=("cold_leg_sudden",))
    assert patient.page.path == "/intake/emergency/"
    return patient


def untold() -> list[tuple[str, int]]:
    return list(RuleCount.objects.filter(untold__gt=0).values_list("rule", "untold"))


def test_a_stop_that_the_patient_did_not_tell_is_counted_without_the_person(settings):
    stop()
    stop().post("/intake/leave/", {})
    assert untold() == [("E01", 1)]
    Draft.objects.update(updated_at=timezone.now() - timedelta(days=settings.DRAFT_DAYS + 1))
    drafts.delete_idle_drafts(days=settings.DRAFT_DAYS)

    assert sum(number for _rule, number in untold()) == 2
    assert ["legs", "E01", "0", "0", "–", "0", "–", "2"] in table()


def test_a_stop_that_was_told_or_a_slip_is_not_counted():
    told = stop()
    tell(told)
    assert Submission.objects.count() == 1
    told.post("/intake/leave/", {})
    slip = stop()
    slip.press("mistake")
    slip.answer(em_now=("none",))
    slip.post("/intake/leave/", {})

    assert untold() == []


def test_a_draft_that_no_key_opens_is_deleted_all_the_same(settings):
    stop()
    draft = Draft.objects.get()
    other, _key = builders.draft()
    with connection.cursor() as cursor:  # a sealed value opens only in its own row
        cursor.execute(
            "update intake_draft set content = (select content from intake_draft where id = %s),"
            " updated_at = now() - interval '99 days' where id = %s",
            [other.pk, draft.pk],
        )

    assert drafts.delete_idle_drafts(days=settings.DRAFT_DAYS) == 1
    assert list(Draft.objects.all()) == [other]
