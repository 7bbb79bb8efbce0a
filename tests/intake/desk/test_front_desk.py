"""The front desk sees the patient, the contact and the wish, but neither answers nor reasons."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from intake.desk import decisions
from intake.desk.decisions import DecisionInput
from intake.models.appointments import AppointmentRequest
from intake.models.submissions import Kind, Submission, Urgency
from intake.protocols import current
from tests import builders
from tests.desk import (
    FRONT_DESK,
    WORKLIST,
    Trail,
    cells,
    desk_page_of,
    find,
    page_of,
    references,
    waiting,
    words,
)

pytestmark = pytest.mark.django_db

ILL = {
    "main_reason": "sore_wound",
    "reason_text": "ANSWERCANARY",
    "vein_look": ("varicose", "open_sore"),
    "vein_bleed": "last_7d",
    "vein_sx": ("heavy_ache",),
    "wound_time": "ge_2w",
    "wound_signs": ("on_foot_toe",),
    "conditions": ("diabetes",),
    "meds_list": "MEDICINECANARY",
}


def test_the_list_has_what_a_phone_call_needs(desk):
    builders.submission()
    page = desk.get(FRONT_DESK)

    assert cells(page, "patient") == ["Quentin Canary"]
    assert cells(page, "phone") == ["(202) 555-0147"]
    assert 'href="tel:+12025550147"' in page.content.decode()
    assert cells(page, "wish") == ["In person"]
    assert cells(page, "progress") == ["Requested"]
    assert desk.get("/admin/").headers["Location"] == FRONT_DESK


def test_the_page_has_contact_and_wish(desk):
    submission = builders.submission()
    text = words(desk.get(desk_page_of(submission)))

    for told in (
        "Quentin Canary",
        "(202) 555-0147",
        "quentin.canary@example.org",
        "27 Mar 1982",
        "Monday, Thursday",
        "Morning",
        "Call me",
    ):
        assert told in text


def test_no_answer_no_reason_and_no_rule_is_shown(desk):
    submission = builders.submission(**ILL)
    clinician = builders.member("clinician")
    decisions.decide(
        submission=submission,
        given=DecisionInput(Urgency(submission.urgency), "book_soon", "WHYCANARY", "NOTECANARY"),
        by=clinician,
        revision=0,
        request_id="r",
    )
    protocol = current()
    found = find(desk, FRONT_DESK, "canary").redirect_chain[-1][0]
    wide = [FRONT_DESK, f"{FRONT_DESK}?status=all", found]
    for url in (*wide, desk_page_of(submission)):
        body = desk.get(url).content.decode()
        text = words(desk.get(url)).casefold()
        assert "Quentin Canary" in body
        for secret in ("ANSWERCANARY", "MEDICINECANARY", "WHYCANARY", "NOTECANARY"):
            assert secret not in body
        for rule in protocol.rules.rules:
            assert not re.search(rf"\b{rule.id}\b", body), rule.id
            assert rule.name.casefold() not in text, rule.name
        for fired in submission.result.fired:
            assert fired.reason.casefold() not in text
        asked = [q for q in protocol.questions if q.id in submission.answers]
        for question in asked:
            if question.id not in ("lang_help", "callback_phone", "ack", "who"):
                assert question.text.casefold() not in text, question.id
        # the front desk carries out the decision, so the page shows what was decided
        assert "book a visit soon" in text


def test_a_stopped_form_sends_for_a_clinician(desk):
    submission = waiting(urgency=Urgency.EMERGENCY)
    AppointmentRequest.objects.all().delete()
    Submission.objects.update(kind=Kind.STOPPED)
    text = words(desk.get(desk_page_of(submission)))

    assert "Tell a clinician now." in text
    assert "The patient asked for no appointment." in text
    assert cells(desk.get(FRONT_DESK), "wish") == ["–"]


def test_the_worklist_is_not_for_the_front_desk(desk):
    submission = waiting()
    for url in (WORKLIST, page_of(submission)):
        response = desk.get(url)
        assert response.status_code == 403
        assert submission.reference not in words(response)
    for name in ("decide", "assign", "move"):
        assert desk.post(page_of(submission, name), {"revision": 0}).status_code == 403


def test_the_list_keeps_what_is_decided_until_it_is_closed(desk):
    decided, closed, new = waiting(status="decided"), waiting(status="closed"), waiting()
    del closed

    assert set(references(desk.get(FRONT_DESK))) == {decided.reference, new.reference}
    assert len(references(desk.get(FRONT_DESK, {"status": "all"}))) == 3
    assert "Status: Not closed" in words(desk.get(FRONT_DESK))


def test_filters_and_search_are_those_of_the_desk(desk):
    called, other = builders.submission({"name": "Cora Called"}), waiting("Otto Other")
    AppointmentRequest.objects.filter(submission=called).update(progress="called")

    assert references(desk.get(FRONT_DESK, {"progress": "called"})) == [called.reference]
    assert references(find(desk, FRONT_DESK, "otto")) == [other.reference]
    assert references(find(desk, FRONT_DESK, "ANSWERCANARY")) == []
    for oracle in ("answers__contains=x", "assessment__contains=x", "person__contains=x"):
        assert desk.get(f"{FRONT_DESK}?{oracle}").status_code == 400


def test_the_call_is_noted(desk):
    submission = builders.submission()
    trail = Trail()
    response = desk.post(
        desk_page_of(submission, "progress"), {"revision": 0, "progress": "called"}
    )

    assert response.headers["Location"] == desk_page_of(submission)
    assert AppointmentRequest.objects.get().progress == "called"
    (event,) = trail.of(response)
    assert (event.action, event.subject) == ("state", str(submission.pk))
    assert event.detail == {"from": "requested", "to": "called"}
    assert cells(desk.get(FRONT_DESK), "progress") == ["Patient called"]


@pytest.mark.parametrize("revision", ["0", pytest.param("9" * 5000, id="thousands of digits")])
def test_a_note_on_what_changed_meanwhile_is_refused_and_said(desk, revision):
    submission = builders.submission()
    desk.post(desk_page_of(submission, "progress"), {"revision": 0, "progress": "called"})
    response = desk.post(
        desk_page_of(submission, "progress"),
        {"revision": revision, "progress": "withdrawn"},
        follow=True,
    )

    assert "Somebody changed this submission" in words(response)
    assert AppointmentRequest.objects.get().progress == "called"


@pytest.mark.parametrize("typed", [{"progress": "eaten"}, {}, {"progress": ""}])
def test_an_unknown_step_stores_nothing(desk, typed):
    submission = builders.submission()
    desk.post(desk_page_of(submission, "progress"), {"revision": 0, **typed})

    assert AppointmentRequest.objects.get().progress == "requested"
    assert Submission.objects.get().revision == 0


def test_a_step_for_which_there_is_no_request_is_refused(desk):
    submission = builders.submission()
    AppointmentRequest.objects.all().delete()
    response = desk.post(
        desk_page_of(submission, "progress"), {"revision": 0, "progress": "called"}
    )

    assert response.status_code == 302
    assert Submission.objects.get().revision == 0


def test_opening_the_address_of_the_button_changes_nothing(desk):
    submission = builders.submission()
    desk.get(desk_page_of(submission, "progress"), {"revision": 0, "progress": "called"})

    assert AppointmentRequest.objects.get().progress == "requested"


def test_the_list_costs_the_same_for_two_and_for_twenty(desk):
    costs = []
    desk.get(FRONT_DESK)
    for more in (2, 18):
        for _number in range(more):
            waiting()
        with CaptureQueriesContext(connection) as queries:
            desk.get(FRONT_DESK)
        costs.append(len(queries))

    assert len(set(costs)) == 1, costs
    assert costs[0] <= 16  # two are for the ways to the patients, one counts all lists
    sealed = [query["sql"] for query in queries if '"answers"' in query["sql"]]
    assert sealed == []


def test_the_front_desks_preview_shows_contact_and_visits_but_no_answers(desk):
    row = builders.submission({"name": "Ann Early"}, reason_text="OWNWORDS at night")
    red, trail = row.result.fired[0].name if row.result.fired else "OWNWORDS", Trail()
    page = desk.get(desk_page_of(row, "preview"))
    text = words(page)

    assert "Ann Early" in text
    assert "None booked" in text
    assert "OWNWORDS" not in text
    assert red.lower() not in text.lower()
    (event,) = trail.of(page)
    assert (event.action, event.subject, event.detail) == ("read", str(row.pk), {"page": "preview"})
    assert f'href="{desk_page_of(row, "preview")}"' in desk.get(FRONT_DESK).content.decode()
