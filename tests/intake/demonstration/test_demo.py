"""The invented patients of a demonstration: believable, repeatable, stored like real patients."""

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.utils import timezone

from clinic import audit
from clinic.models import Message
from intake import documents
from intake.appointments import free_times
from intake.demonstration import bulk, invitations
from intake.demonstration import people as demo
from intake.domain.answers import clean_json_answer, plain
from intake.domain.route import kept_answers
from intake.draft_content import Content
from intake.models.appointments import Appointment, AppointmentRequest, Offer, WaitlistEntry
from intake.models.calls import CallTask
from intake.models.clinic_time import Clinician, Location, VisitType
from intake.models.clinical_letters import ClinicalLetter
from intake.models.invitations import Invitation
from intake.models.rota import Leave, OnCall
from intake.models.submissions import (
    Decision,
    Draft,
    Kind,
    RuleCount,
    StatusChange,
    Submission,
    Urgency,
)
from intake.protocols import current
from intake.questionnaire import drafts, sending
from intake.questionnaire.walk import age_on
from intake.staff import paperwork
from tests import builders

PROTOCOL = current()
UNTIL = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
COUNT = 1000


def people(seed: int = 1, count: int = COUNT) -> list[demo.Patient]:
    return list(demo.patients(PROTOCOL, seed=seed, count=count, until=UNTIL))


@pytest.fixture(scope="module")
def patients() -> list[demo.Patient]:
    return people()


@pytest.fixture(scope="module")
def assessments(patients) -> list[Any]:
    return [bulk.walk_of(patient).assessment for patient in patients]


# --- who they are --------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_people(patients):
    assert people() == patients


def test_another_seed_gives_other_people(patients):
    assert people(seed=2) != patients


def test_fewer_people_are_the_first_of_many(patients):
    assert people(count=10) == patients[:10]


def test_every_urgency_occurs(assessments):
    found = Counter(assessment.urgency for assessment in assessments)
    assert set(found) == {urgency.code for urgency in Urgency}
    assert min(found.values()) >= 5


def test_red_flags_and_answers_that_disagree_occur(assessments):
    fired = {rule.id for a in assessments for rule in (*a.fired, *a.flags)}
    assert fired >= {"E01", "E02", "S01", "S06", "S10", "FD2", "S18", "M02", "F04", "F06", "F07"}


def test_the_young_come_with_a_guardian(patients):
    young = [p for p in patients if p.content.answers.get("age_years", 99) < 18]
    assert young
    assert all(p.content.answers["who"] == "parent_guardian" for p in young)
    assert all(p.content.contact["proxy_name"] for p in young)


def test_speakers_of_spanish_occur(patients):
    spanish = [p for p in patients if p.language == "es"]
    assert 50 < len(spanish) < 250
    told = [p for p in spanish if p.kind != Kind.STOPPED]
    assert all(p.content.contact["lang_help"] == "spanish" for p in told)


def test_every_kind_of_submission_occurs(patients):
    # only a patient who comes back sends an addition, and no patient of the demonstration does
    assert {p.kind for p in patients} == set(Kind.values) - {Kind.ADDITION, Kind.PART_2}


def test_nobody_is_asked_about_suicide(patients):
    assert not any("si_screen" in p.content.answers for p in patients)


def test_names_numbers_and_addresses_belong_to_nobody(patients):
    for patient in patients:
        contact = patient.content.contact
        assert re.fullmatch(r"\+1[2-9]\d\d55501\d\d", contact["callback_phone"])
        assert re.fullmatch(r"(patient\d+@example\.org)?", contact.get("email", ""))


def test_ages_and_birth_dates_agree(patients):
    for patient in patients:
        if patient.kind != Kind.STOPPED:
            born = datetime.fromisoformat(patient.content.contact["birth_date"]).date()
            day = timezone.localdate(patient.sent_at)
            assert age_on(day, born) == patient.content.answers["age_years"]


def test_they_answer_as_a_form_would_take_it(patients):
    for patient in patients:
        answers = patient.content.answers
        for name, value in answers.items():
            assert clean_json_answer(PROTOCOL.question(name), plain(value)) == value
        walk = bulk.walk_of(patient)
        if patient.kind == Kind.STOPPED:
            assert walk.interrupting_rules
        else:
            assert walk.first_open is None, patient.story
        if patient.kind == Kind.INTAKE:
            asked = kept_answers(PROTOCOL, answers, si_screen=False)
            assert asked.keys() == answers.keys(), "an answer to a question never asked"


def test_they_come_over_the_weeks_before(patients):
    times = [patient.sent_at for patient in patients]
    assert times[0] == UNTIL
    assert times == sorted(times, reverse=True)
    assert timedelta(days=5) < times[0] - times[-1] < timedelta(days=60)


# --- stored in bulk as one by one ----------------------------------------------------------------


def some(patients: list[demo.Patient], assessments: list[Any]) -> list[demo.Patient]:
    """Return each tenth patient, and the first of each story, kind, language and urgency."""
    found, seen = [], set()
    for number, (patient, assessment) in enumerate(zip(patients, assessments, strict=True)):
        what = patient.story, patient.kind, patient.language, assessment.urgency
        if what not in seen or number % 10 == 0:
            found.append(patient)
        seen.add(what)
    return found


@pytest.mark.django_db
def test_what_is_stored_at_once_is_what_sending_one_by_one_stores(
    patients, assessments, monkeypatch
):
    sample = some(patients, assessments)
    documents.store_protocol(PROTOCOL)
    bulk.load(patients=sample, now=UNTIL)
    stored = {s.submitted_at: s for s in Submission.objects.select_related("appointment_request")}
    history = _history()
    counts = _counts()
    assert len(stored) == len(sample)
    Submission.objects.all().delete()
    RuleCount.objects.all().delete()

    for patient in sample:
        monkeypatch.setattr(timezone, "now", lambda at=patient.sent_at: at)
        _send(patient)
    monkeypatch.undo()

    assert _counts() == counts
    assert _history() == history
    sent = {s.submitted_at: s for s in Submission.objects.select_related("appointment_request")}
    assert sent.keys() == stored.keys()
    for at, one in sent.items():
        assert _row(one) == _row(stored[at])


def _send(patient: demo.Patient) -> None:
    """Send the patient's form through the services that the pages call."""
    content = patient.content
    kind = Kind.APPOINTMENT if patient.kind == Kind.APPOINTMENT else Kind.INTAKE
    if patient.kind == Kind.STOPPED:
        bare = Content(answers=content.answers, visited=content.visited)
        draft, _key = drafts.begin(kind=kind, language=patient.language, content=bare)
        contact = content.contact
        sending.tell_clinic(draft=draft, phone=contact["callback_phone"], name=contact["name"])
        return
    draft, _key = drafts.begin(kind=kind, language=patient.language, content=content)
    sending.submit(draft=draft)


def _row(submission: Submission) -> dict[str, Any]:
    names = (
        "kind language urgency assessed_urgency target_at status revision answers assessment "
        "person search_keys protocol_id assignee_id"
    )
    wish = getattr(submission, "appointment_request", None)
    wished = "visit_type wishes earliest progress"
    return {name: getattr(submission, name) for name in names.split()} | {
        "wish": wish and {name: getattr(wish, name) for name in wished.split()}
    }


def _history() -> list[tuple[Any, ...]]:
    rows = StatusChange.objects.order_by("at", "action")
    return list(rows.values_list("at", "action", "status", "by"))


def _counts() -> dict[Any, int]:
    rows = RuleCount.objects.values_list("day", "rule", "protocol_hash", "fired")
    return {row[:-1]: row[-1] for row in rows}


@pytest.mark.django_db
def test_a_batch_is_one_event_of_the_audit_trail():
    seq, digest = audit.head()
    documents.store_protocol(PROTOCOL)
    bulk.load(patients=people(count=20), now=UNTIL)
    assert audit.verify(seq, digest) == []
    assert audit.head()[0] == seq + 1


@pytest.mark.django_db
def test_staff_have_dealt_with_most_of_the_older_ones():
    documents.store_protocol(PROTOCOL)
    bulk.load(patients=people(count=400), now=UNTIL, clinician=builders.member("clinician"))
    old = Submission.objects.filter(submitted_at__lt=UNTIL - timedelta(days=2))
    new = Submission.objects.filter(submitted_at__gte=UNTIL - timedelta(days=2))
    assert old.filter(status="closed").count() > 0.9 * old.count() > 0
    assert not Submission.objects.exclude(escalate_at=None).exists()
    assert not new.exclude(status="new").exists()
    assert Decision.objects.count() == old.filter(status="closed").count()
    assert StatusChange.objects.filter(action="decide").count() == Decision.objects.count()


# --- the command ---------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("demo", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def _own_sign_ins(settings, tmp_path):
    settings.LOCAL_DIR = tmp_path


@pytest.mark.django_db
@pytest.mark.usefixtures("_own_sign_ins")
def test_the_command_makes_as_many_as_asked():
    assert "25 submissions made." in run("--submissions", "25", "--seed", "3")
    assert Submission.objects.count() == 25
    assert AppointmentRequest.objects.exists()
    assert not Draft.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("_own_sign_ins")
def test_once_fills_only_an_empty_database():
    run("--once")
    first = Submission.objects.count()
    assert first > 0
    visits = Appointment.objects.count()
    run("--once")
    assert Submission.objects.count() == first
    assert (Location.objects.count(), Appointment.objects.count()) == (1, visits)


@pytest.mark.django_db
@pytest.mark.usefixtures("_own_sign_ins")
def test_the_demonstration_has_an_open_book_with_visits_offers_and_some_who_wait():
    run("--once")
    assert [who.name for who in Clinician.objects.all()] == ["Dr. Lee", "Dr. Okafor"]
    assert all(who.user.username.startswith("dr-") for who in Clinician.objects.all())
    assert set(Appointment.objects.values_list("status", flat=True)) == {
        *("held", "confirmed", "completed", "no_show")
    }
    (offer,) = Offer.objects.all()
    assert offer.request.progress == "offered"
    assert WaitlistEntry.objects.count() == 2
    for row in Appointment.objects.filter(status="confirmed"):
        assert row.submission.appointment_request.progress == "booked"
    begun = Appointment.objects.filter(status="confirmed", during__startswith__lt=timezone.now())
    assert [row.arrived_at is not None for row in begun.order_by("during")] == [False, True]
    # the invented patients get no messages; one came back, one patient was not reached; staff are
    # told of two patients who wrote
    states = Message.objects.exclude(kind__in=("alarm", "on_call")).values_list("state", flat=True)
    assert set(states) == {"dropped"}
    # each tab of the worklist has work
    page = builders.staff_client("clinician", "dr-lee").get("/admin/intake/submission/")
    assert [tab["label"] for tab in page.context["tabs"] if tab["count"] == "0"] == []
    assert {task.reason for task in CallTask.objects.open()} == {"confirmed", "more"}
    for visit_type in VisitType.objects.all():
        assert free_times.free_slots(visit_type=visit_type, limit=1)


@pytest.mark.django_db
@pytest.mark.usefixtures("_own_sign_ins")
def test_the_demonstration_has_a_rota_and_a_red_flag_that_nobody_has_ended():
    run("--once")
    red_flag = Submission.objects.get(escalate_at__isnull=False, alarm=False)
    assert [call.outcome for call in red_flag.calls.all()] == ["not_reached"]
    assert OnCall.objects.get().person.username == "dr-okafor"
    assert Leave.objects.get().given_back_at is None
    wrote = Submission.objects.filter(reply_due_at__isnull=False)
    assert sorted(row.alarm for row in wrote) == [False, True]


@pytest.mark.django_db
@pytest.mark.usefixtures("_own_sign_ins")
def test_the_demonstration_has_a_signed_letter_and_a_draft():
    run("--once")
    run("--once")
    assert [letter.signed for letter in ClinicalLetter.objects.order_by("at")] == [True, False]


@pytest.mark.django_db
def test_the_command_works_only_in_a_demonstration(settings):
    settings.DEMO = False
    with pytest.raises(CommandError):
        run("--submissions", "1")
    assert not Submission.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("_own_sign_ins")
def test_demonstration_staff_have_addresses_of_nobody_and_somebody_is_on_duty():
    run("--sign-ins")

    staff = get_user_model().objects.all()
    assert staff.get(groups__name="duty").username == "dr-lee"
    assert all(person.email == f"{person.username}@example.org" for person in staff)


@pytest.mark.django_db
@pytest.mark.usefixtures("_own_sign_ins")
def test_a_demonstration_of_before_gets_the_accounts_that_are_new(settings):
    run("--sign-ins")
    path = Path(settings.LOCAL_DIR) / "demo-sign-ins.json"
    before = [each for each in json.loads(path.read_text()) if each["role"] != "administrator"]
    path.write_text(json.dumps(before))

    run("--sign-ins")

    after = json.loads(path.read_text())
    assert after[: len(before)] == before
    assert [each["username"] for each in after[len(before) :]] == ["admin-noor"]
    assert get_user_model().objects.get(groups__name="administrator").username == "admin-noor"


def test_the_invited_people_show_each_state_and_no_letter_is_sent(db):
    invitations.load(by=builders.member("front desk"))

    rows = Invitation.objects.values_list("pk", flat=True)
    assert {each.state for each in paperwork.standings(rows).values()} >= {
        *("sent", "begun", "declined", "bounced", "locked", "expired"),
    }
    assert not Message.objects.exists()
