"""An emergency on the phone: stay on the line, ask where, call 911, and tell the clinicians."""

import pytest

from clinic.models import Message
from intake.models.calls import CallTask
from intake.models.phone_calls import CameOf
from intake.models.submissions import Kind, Submission
from intake.questionnaire import drafts
from tests.desk import Trail, page_of, words
from tests.intake.patient import Patient
from tests.intake.phone.caller import DAUGHTER, PROXY, at_the_phone, call, pick_up
from tests.intake.questionnaire.stops import STOPS, advice_of

pytestmark = pytest.mark.django_db
TOLD = {"place": "12 Elm Street, Reston", "came_of": "ambulance", "name": "Quentin Canary"}


def stopped_call(caller: dict[str, str] | None = None, **says: object) -> Patient:
    staff = at_the_phone(**says)
    pick_up(staff, caller or DAUGHTER)
    staff.answer(em_now=("chest_or_breath",))
    return staff


def tell(staff: Patient, **instead: str) -> None:
    data = {**staff.page.form.values, **TOLD, **instead}
    staff.press("tell", data)


def test_the_stop_page_says_what_staff_do_and_what_they_read():
    staff = stopped_call(**PROXY)
    page = staff.page

    assert "Stay on the line" in page.title
    for told in ("Where is the patient now?", "Call 911 by a three-way call", "Read this aloud"):
        assert told in page.text
    assert page.links_to("tel:911")
    (rule,) = drafts.walk_of(call().draft).interrupting_rules
    assert advice_of(rule.id)[:40] in page.text
    assert page.form.values["phone"] == ["(202) 555-0199"]


def test_a_thought_of_suicide_leads_to_the_crisis_line(crisis_question):
    staff = at_the_phone("clinician")
    pick_up(staff)
    step, says = STOPS["E09"]
    staff.walk_to(step)
    staff.answer(**says)

    assert "Stay on the line" in staff.page.title
    assert "Do not hang up. Connect the caller to 988" in staff.page.text
    assert staff.page.links_to("tel:988")


def test_clinicians_are_told_as_by_a_patient_and_the_event_names_staff(clinician):
    staff, trail = stopped_call(**PROXY), Trail()
    tell(staff)
    submission = Submission.objects.get()
    page = words(clinician.get(page_of(submission)))

    assert submission.kind == Kind.STOPPED
    assert submission.escalate_at is not None
    assert Message.objects.filter(kind="alert", occasion=str(submission.pk)).exists()
    assert not Message.objects.filter(kind="confirmation").exists()
    assert not CallTask.objects.exists()
    assert "An ambulance is called. Place: 12 Elm Street, Reston" in page
    assert "Entered by phone by front-desk" in page
    events = trail.events(subject=str(submission.pk), actor=f"staff:{call().by_id}")
    assert [(each.action, each.detail.get("outcome")) for each in events] == [
        ("create", None), ("state", "ambulance"), ("read", None),
    ]  # fmt: skip


def test_when_the_line_breaks_a_call_is_owed_at_once():
    staff = stopped_call(**PROXY)
    tell(staff, came_of="lost")
    task = CallTask.objects.get()

    assert task.reason == "line"
    assert task.due_at <= task.created_at
    assert task.submission.person["callback_phone"] == "+12025550199"


@pytest.mark.parametrize("came_of", CameOf.values)
def test_what_came_of_it_since_is_added_and_a_double_click_adds_nothing(came_of):
    staff = stopped_call(**PROXY)
    tell(staff, came_of="refused", place="")
    for _click in range(2):
        staff.post(staff.page.url, {"came_of": came_of, "place": "on the way"})

    assert [step["came_of"] for step in call().steps] == ["refused", came_of]
    assert CallTask.objects.count() == (came_of == "lost")


def test_a_missing_outcome_keeps_what_was_typed_and_stores_nothing():
    staff = stopped_call(**PROXY)
    tell(staff, came_of="", phone="12")

    assert staff.page.status == 422
    assert "Say what came of it." in staff.page.errors
    assert staff.page.form.values["place"] == ["12 Elm Street, Reston"]
    assert not Submission.objects.exists()


def test_picked_by_mistake_goes_back_to_the_question():
    staff = stopped_call(**PROXY)
    staff.press("mistake")

    assert staff.page.step == "safety"
    assert call().draft.content["stops"][0]["retracted"]


def test_a_stop_that_nobody_recorded_stands_in_the_list():
    staff = stopped_call(**PROXY)
    page = staff.get("/admin/intake/phonecall/")

    assert "Stopped at an emergency, and not recorded yet." in page.text
