"""Patients and windows that act at the same moment, each on its own database connection."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from clinic.models import Message
from intake.access import codes
from intake.desk import decisions
from intake.desk.decisions import DecisionInput
from intake.errors import REFUSALS
from intake.models.access import Challenge, Grant
from intake.models.appointments import AppointmentRequest
from intake.models.submissions import (
    Draft,
    RuleCount,
    StatusChange,
    Submission,
    Urgency,
    WalkCount,
)
from intake.my_page import replies
from intake.protocols import current
from intake.questionnaire import drafts, sending
from tests import builders
from tests.intake.patient import Page, Patient, step_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("roomy")]


def at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """Run all acts at the same moment, each on a connection of its own."""
    ready = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            ready.wait(10)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


SEND = {"go": "send", "consent": "on"}
HEALTH = {"conditions": "none", "blood_in_stool": "no"}


def window(key: str) -> Client:
    client = Client()
    client.cookies[settings.DRAFT_COOKIE_NAME] = key
    return client


def test_sent_from_eight_windows_at_once_is_one_submission():
    _draft, key = builders.draft()
    answers = at_once([lambda: window(key).post("/intake/check/", {"go": "send"})] * 8)
    assert {(a.status_code, a["Location"]) for a in answers} == {(302, "/intake/sent/")}
    for model in (Submission, AppointmentRequest, StatusChange):
        assert model.objects.count() == 1, model
    assert set(RuleCount.objects.values_list("fired", flat=True)) == {1}
    receipts = {Page("", window(key).get("/intake/sent/")).text for _n in range(2)}
    assert len(receipts) == 1


def test_submitted_eight_times_at_once_every_caller_gets_the_same_reference():
    draft, _key = builders.draft()
    acts = [lambda: sending.submit(draft=Draft.objects.get(pk=draft.pk)).reference] * 8
    assert len(set(at_once(acts))) == 1


def test_the_clinic_told_eight_times_at_once_is_told_once():
    _draft, key = builders.draft(em_now=("chest_or_breath",))
    data = {"go": "tell", "phone": "202-555-0147", "name": ""}
    answers = at_once([lambda: window(key).post("/intake/emergency/", data)] * 8)
    # a request that comes after the clinic was told gets the page with status 200
    assert {a.status_code for a in answers} <= {200, 302}
    reference = Submission.objects.get().reference
    assert reference in window(key).get("/intake/emergency/").content.decode()


def test_eight_patients_who_send_at_once_are_all_kept():
    keys = [builders.draft(drowsy_drive="drowsy")[1] for _n in range(8)]
    acts = [lambda key=key: window(key).post("/intake/check/", {"go": "send"}) for key in keys]
    assert {answer.status_code for answer in at_once(acts)} == {302}
    assert Submission.objects.count() == 8
    assert RuleCount.objects.get(rule="N11").fired == 8


def test_pages_saved_from_four_windows_at_once_are_all_kept():
    patient = Patient()
    patient.jump_to("check")
    posts = {
        "reason": ("reason_text", "from the first"),
        "meds": ("meds_list", "from the second"),
        "rls-3": ("drowsy_drive", "dont_drive"),
        "mood": ("phq2_down", "not_at_all"),
    }
    acts = []
    for step, (name, value) in posts.items():
        patient.get(step_url(step))
        data = patient.filled(**{name: value})
        acts.append(lambda s=step, d=data: window(patient.key).post(step_url(s), d))
    answers = at_once(acts)
    assert {answer.status_code for answer in answers} == {302}
    stored = patient.draft.content["answers"]
    assert {name: stored[name] for name, _value in posts.values()} == dict(posts.values())


def test_one_window_sends_while_another_saves():
    for _round in range(5):
        patient = Patient()
        patient.jump_to("check")
        patient.get(step_url("rls-3"))
        data = patient.filled(drowsy_drive="dont_drive")
        sent, saved = at_once(
            [
                lambda p=patient: window(p.key).post("/intake/check/", SEND),
                lambda p=patient, d=data: window(p.key).post(step_url("rls-3"), d),
            ]
        )
        assert sent.status_code == 302
        assert saved.status_code in (302, 409)
        submission = Submission.objects.latest("id")
        stored = saved["Location"] != "/intake/sent/" if saved.status_code == 302 else False
        assert submission.answers["drowsy_drive"] == ("dont_drive" if stored else "no")


def test_one_window_leaves_while_others_save_and_send():
    for _round in range(5):
        _draft, key = builders.draft()
        left, saved, sent = at_once(
            [
                lambda k=key: window(k).post("/intake/leave/"),
                lambda k=key: window(k).post(step_url("health"), HEALTH),
                lambda k=key: window(k).post("/intake/check/", {"go": "send"}),
            ]
        )
        assert left.status_code == 302
        assert saved.status_code in (302, 409, 410)
        assert sent.status_code in (302, 410)


def test_an_emergency_and_its_correction_at_once_leave_the_alarm():
    for _round in range(5):
        _draft, key = builders.draft()
        at_once(
            [
                lambda k=key: window(k).post(step_url("safety"), {"em_now": "chest_or_breath"}),
                lambda k=key: window(k).post(step_url("safety"), {"em_now": "none"}),
            ]
        )
        draft = drafts.find_draft(key)
        walk = drafts.walk_of(draft)
        assert walk.content.stops
        assert walk.interrupting_rules or "S18" in [fired.id for fired in walk.assessment.fired]


def test_the_first_two_patients_of_a_new_protocol_at_once():
    answers = at_once([lambda: Client().post("/intake/", {"go": "start"})] * 4)
    assert {a["Location"] for a in answers} == {step_url("safety")}
    assert {d.protocol_id for d in Draft.objects.all()} == {current().content_hash}
    assert Draft.objects.count() == 4


# --- coming back ---------------------------------------------------------------------------------


def test_twenty_wrong_codes_at_once_count_as_five_tries_and_the_right_one_comes_too_late():
    submission = builders.submission()
    key = codes.send(address=submission.person["email"], reference=submission.reference)
    code = Message.objects.get(kind="code").payload["code"]
    opened = at_once([lambda: codes.redeem(key=key, code="2222-2222")] * 20)
    assert opened == [None] * 20
    assert Challenge.objects.get().tries == 5
    assert codes.redeem(key=key, code=code) is None


def test_the_right_code_entered_from_many_windows_at_once_opens_once():
    submission = builders.submission()
    key = codes.send(address=submission.person["email"], reference=submission.reference)
    code = Message.objects.get(kind="code").payload["code"]
    opened = at_once([lambda: codes.redeem(key=key, code=code)] * 5)
    assert len([one for one in opened if one]) == 1
    assert Grant.objects.count() == 1


def test_of_many_codes_for_one_record_entered_at_once_one_opens_and_ends_the_others():
    submission, asked = builders.submission(), []
    for _browser in range(12):
        key = codes.send(address=submission.person["email"], reference=submission.reference)
        letter = Message.objects.filter(kind="code").latest("created_at")
        asked.append({"key": key, "code": letter.payload["code"]})
    opened = at_once([partial(codes.redeem, **one) for one in asked])
    assert len([one for one in opened if one]) == 1
    assert Grant.objects.count() == 1
    assert not Challenge.objects.filter(used_at=None).exists()


def test_a_decision_and_a_withdrawal_at_once_lose_nothing():
    submission, clinician = builders.submission(), builders.member("clinician")
    verdict = DecisionInput(Urgency.ROUTINE, "book_routine", "", "")

    def decide() -> str:
        try:
            decisions.decide(
                submission=Submission.objects.get(pk=submission.pk),
                given=verdict,
                by=clinician,
                revision=0,
                request_id="r",
            )
        except REFUSALS:  # the patient was first, before or after the clinician's row was read
            return "refused"
        return "decided"

    def withdraw() -> str:
        replies.withdraw(submission=submission)
        return "withdrawn"

    told = at_once([decide, withdraw])
    row = Submission.objects.get()
    assert row.status == "withdrawn"
    assert told[1] == "withdrawn"
    assert row.decisions.count() == (told[0] == "decided")
    assert row.history.count() == 2 + (told[0] == "decided")


def test_adding_pressed_three_times_at_once_is_one_addition():
    earlier = builders.submission()
    at_once([lambda: replies.begin_addition(submission=earlier, language="en")] * 3)
    assert Draft.objects.filter(submission=None, follows=earlier).count() == 1


def test_forms_that_begin_and_end_on_many_servers_are_each_counted_once():
    at_once([builders.draft] * 8)
    Draft.objects.update(updated_at=timezone.now() - timedelta(days=40))
    at_once([partial(drafts.delete_idle_drafts, days=30)] * 3)
    counts = WalkCount.objects.values_list("event", "number")
    assert sorted(counts) == [("ended", 8), ("started", 8)]
