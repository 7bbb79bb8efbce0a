"""A patient opens an invitation: with the code and the birth date, and to no stranger."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import Event
from intake.errors import Refused
from intake.invitations import inviting
from intake.models.calls import CallTask
from intake.models.invitations import Invitation
from intake.models.submissions import Draft, Kind, Submission
from tests import builders
from tests.desk import Trail
from tests.intake import book
from tests.intake.invitations.invited import (
    GUARDIAN,
    PERSON,
    WRONG,
    child,
    code_in_letter,
    code_of,
    enter,
    invite,
    opened,
    state_of,
)
from tests.intake.patient import Patient, born
from tests.intake.way_in import letters

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roomy", "codes_without_limit")]

NOTHING_FITS = "This code and this date of birth do not open anything."


def test_the_letter_has_a_bare_address_and_a_code_and_tells_nothing():
    invite(days=3)

    (letter,) = letters()

    assert "/i/\n" in letter
    assert letter.startswith("['quentin.canary@example.org'] Questions from ")
    told = letter.casefold()
    for word in ("quentin canary", "legs", "veins", "1982", "restless", "health", "doctor"):
        assert word not in told.replace("quentin.canary@", ""), word


@pytest.mark.parametrize("form", ["{}", " {} ", "{}\n"])
def test_the_code_and_the_birth_date_begin_the_questions_empty(form):
    row = invite(days=3)
    patient = Patient()

    page = enter(patient, form.format(code_in_letter().lower().replace("-", " ")))

    assert page.url.startswith("/intake/legs/p/"), page.errors
    assert not patient.draft.content["answers"]
    patient.walk_to("contact")
    for known in ("Canary", "555-0147", "2025550147", "example.org"):
        assert known not in patient.page.html
    assert state_of(row).startswith("In progress, page ")


def test_what_the_clinic_knows_is_carried_unseen_and_a_known_visit_is_not_asked_for():
    row = invite(days=3)
    patient = opened(row)
    patient.walk_to("contact")

    patient.answer(name="", callback_phone="", email="", **dict.fromkeys(born(44), ""))

    assert patient.page.step == "check", patient.page.errors
    assert patient.send().path == "/intake/sent/"
    sent = Submission.objects.get()
    assert {**sent.person, **PERSON} == sent.person
    assert state_of(row) == "Complete"


def test_without_a_visit_the_patient_is_asked_for_a_wish():
    patient = opened(invite())

    assert patient.walk_to("appointment").step == "appointment"


def test_a_wrong_code_and_a_wrong_birth_date_get_the_same_answer_at_the_same_cost():
    row, patient = invite(), Patient()
    answers, costs = [], []
    for code, date in ((code_of(row), WRONG), ("2345-6789", {})):
        with CaptureQueriesContext(connection) as queries:
            page = enter(patient, code, **date)
        answers.append((page.status, page.errors))
        costs.append([query["sql"].split()[0] for query in queries])

    assert answers[0] == answers[1]
    assert answers[0][0] == 422
    assert NOTHING_FITS in answers[0][1][0]
    assert costs[0] == costs[1]


def test_three_wrong_dates_on_all_devices_together_lock_the_invitation_and_owe_a_call():
    row, trail = invite(), Trail()
    for _device in range(3):
        assert Invitation.objects.get().call_due_at is None
        enter(Patient(), code_of(row), **WRONG)

    page = enter(Patient(), code_of(row))

    assert (page.status, NOTHING_FITS in page.errors[0]) == (422, True)
    assert not Draft.objects.exists()
    assert state_of(row) == "Locked after wrong tries"
    assert Invitation.objects.to_call().get() == row
    assert [event.subject for event in trail.events(action="login-fail")] == [str(row.pk)] * 4


def test_a_locked_invitation_of_a_visit_owes_a_call_on_the_call_list(lee):
    visit = book.booked(book.patient())
    CallTask.objects.all().delete()
    row = invite(appointment=visit)
    for _device in range(3):
        enter(Patient(), code_of(row), **WRONG)

    task = CallTask.objects.get()

    assert (task.submission, task.reason) == (visit.submission, "invited")


def test_wrong_tries_count_for_a_network(settings):
    settings.LIMIT_TRIES_PEER = 2
    row = invite()
    for _try in range(2):
        enter(Patient(), "2345-6789")

    page = enter(Patient(), code_of(row))

    assert page.status == 429
    assert "There were too many tries" in page.text
    assert Invitation.objects.get().tries == 0


def test_the_same_code_goes_on_on_a_second_device_and_the_first_cannot_go_on():
    row = invite()
    first = opened(row)
    first.answer()

    second = opened(row)

    assert Draft.objects.count() == 1
    assert second.page.step != first.seen[-2].step
    assert first.get(first.page.url).status in (200, 410)
    assert Draft.objects.get().content["visited"]


ENDS = {
    "complete": ("You have sent these answers already.", lambda row: finish(row)),
    "withdrawn": (
        "We do not need these answers any more.",
        lambda row: inviting.withdraw(
            invitation=row, by=builders.member("front desk"), request_id="r"
        ),
    ),
    "expired": (
        "This invitation is over.",
        lambda row: Invitation.objects.update(
            created_at=timezone.now() - timedelta(days=2),
            expires_at=timezone.now() - timedelta(days=1),
            visit_at=None,
        ),
    ),
}


def finish(row):
    patient = opened(row)
    patient.walk_to("contact")
    patient.answer()
    assert patient.send().path == "/intake/sent/", patient.page.errors


@pytest.mark.parametrize("end", ENDS)
def test_each_end_has_a_sentence_for_the_patient_alone(end):
    sentence, act = ENDS[end]
    row = invite(days=3)
    act(row)
    before = Draft.objects.count()

    stranger = enter(Patient(), code_of(row), **WRONG)
    page = enter(Patient(), code_of(row))

    assert sentence in page.text
    assert page.status == 409
    assert sentence not in stranger.text
    assert Draft.objects.count() == before


def test_a_patient_declines_is_not_written_to_again_and_may_still_answer():
    row = invite()
    patient = opened(row)
    patient.answer()

    page = enter(patient, code_of(row), button="decline")

    assert "We do not ask you again." in page.text
    assert state_of(row) == "Declined"
    assert not Draft.objects.exists()
    assert Invitation.objects.get().remind_at is None
    opened(row)
    assert state_of(row) == "Opened"


def test_other_unsent_answers_are_replaced_only_if_the_patient_agrees():
    patient = Patient()
    patient.start()
    patient.answer()
    row = invite()

    page = enter(patient, code_of(row))

    assert "Start over" in page.text
    assert Draft.objects.count() == 1
    patient.post("/i/", page.forms[-1].values)
    assert Draft.objects.get().pk == Invitation.objects.get().draft_id


def test_the_questions_of_a_request_follow_it(lee):
    request = book.booked(asked_for_a_visit()).submission
    row = invite(appointment=request.appointments.get())
    patient = opened(row)
    patient.walk_to("contact")
    patient.answer()
    patient.send()

    sent = Submission.objects.exclude(pk=request.pk).get()

    assert (sent.follows, sent.kind) == (request, Kind.INTAKE)
    assert state_of(row) == "Complete"


def asked_for_a_visit() -> Submission:
    row = book.patient()
    Submission.objects.filter(pk=row.pk).update(kind=Kind.APPOINTMENT)
    person = {**row.person, "birth_date": PERSON["birth_date"]}
    sealed = Submission._meta.get_field("person").seal_for(row.pk, person)
    Submission.objects.filter(pk=row.pk).update(person=sealed)
    return Submission.objects.get(pk=row.pk)


def test_an_invitation_after_the_questions_opens_part_2(lee):
    visit = book.booked(book.patient())
    row = invite(appointment=visit)

    patient = Patient()
    page = enter(patient, code_of(row), **typed(visit.submission.person["birth_date"]))

    assert page.status == 200, page.errors
    begun = Draft.objects.get(pk=Invitation.objects.get().draft_id)
    assert (begun.kind, begun.follows) == (Kind.PART_2, visit.submission)


def typed(day: str) -> dict[str, str]:
    year, month, day = day.split("-")
    return {"birth_date_month": month, "birth_date_day": day, "birth_date_year": year}


def test_a_child_is_invited_through_the_guardian_alone():
    with pytest.raises(Refused, match="under 18"):
        invite(child())
    row = invite(child(), guardian=GUARDIAN)
    patient = Patient(age_years=12, who="parent_guardian")
    enter(patient, code_of(row))
    patient.walk_to("contact")
    assert "Petra" not in patient.page.html
    patient.answer(name="", proxy_name="", callback_phone="", **dict.fromkeys(born(12), ""))
    patient.walk_to("check")
    patient.send()

    assert Submission.objects.get().person["proxy_name"] == "Petra Canary"


def test_a_guardians_invitation_ends_when_the_child_is_of_age():
    today = timezone.localdate()
    almost = today + timedelta(days=2)
    person = PERSON | {"birth_date": almost.replace(year=almost.year - 18).isoformat()}

    row = invite(person, guardian=GUARDIAN, days=9)

    assert timezone.localdate(row.ends_at) == almost
    assert not Event.objects.filter(detail__icontains="Petra").exists()
