"""Staff read the same questionnaire to a caller, below the address of the call."""

import re
from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from intake.errors import Gone
from intake.models.appointments import Appointment
from intake.models.calls import CallTask
from intake.models.phone_calls import PhoneCall
from intake.models.submissions import Draft, Submission
from intake.phone.mount import STEPS
from intake.protocols import current
from intake.questionnaire import sending
from intake.urls import urlpatterns
from tests.desk import Trail, desk_page_of, page_of, words
from tests.intake.patient import Patient, step_url
from tests.intake.phone.caller import DAUGHTER, PROXY, at_the_phone, call, pick_up

pytestmark = pytest.mark.django_db


def pages_of(walker: Patient) -> list[tuple[str, set[str], str]]:
    """Return each page of questions that was shown: step, controls, title."""
    trap = {"website"}
    found = [(p.step, set(p.form.asked) - trap, p.title) for p in walker.seen if p.forms]
    steps = [page for page in found if page[1]]
    return steps[[step for step, _asked, _title in steps].index("safety") :]


def test_a_clinician_reads_a_caller_the_pages_that_patients_read():
    patient, staff = Patient(), at_the_phone("clinician")
    patient.whole_journey()
    pick_up(staff)
    staff.walk_to("check")

    assert pages_of(staff) == pages_of(patient)


def test_answers_are_judged_as_those_of_a_patient_and_come_back_with_what_was_typed():
    staff = at_the_phone()
    pick_up(staff)
    staff.walk_to("about")
    staff.answer(age_years="1O4")

    assert staff.page.status == 422
    assert staff.page.form.values["age_years"] == ["1O4"]
    assert staff.page.errors


def test_a_call_never_touches_the_form_that_a_patient_has_open_in_this_browser():
    staff = at_the_phone()
    staff.start()
    staff.answer()
    key, before = staff.key, staff.draft.content
    staff.says |= PROXY
    pick_up(staff, DAUGHTER)
    staff.walk_to("reason")
    patients = Draft.objects.exclude(device="staff").get()

    assert staff.client.cookies[settings.DRAFT_COOKIE_NAME].value == key
    assert patients.content == before
    for _method, url, response in staff.requests:
        if url.startswith("/admin/"):
            assert settings.DRAFT_COOKIE_NAME not in response.cookies, url
            assert "Clear-Site-Data" not in response.headers, url
            assert "no-store" in response["Cache-Control"]
    # the patient's address still opens the patient's form
    assert staff.get(step_url("about")).form.values["revision"] == [str(patients.revision)]


def test_below_the_address_of_a_call_only_its_steps_are_served():
    """Every other address of patients leads to the call, and none opens or changes anything."""
    staff = at_the_phone()
    pick_up(staff)
    walk = staff.page.path.removesuffix("intake/legs/p/safety/")
    before = call().draft.revision
    for pattern in urlpatterns:
        names = {"protocol": "legs", "step": "safety"}
        given = {name: names[name] for name in pattern.pattern.converters if name in names}
        if len(given) < len(pattern.pattern.converters):
            continue  # the address of one file or invitation
        path = reverse(f"intake:{pattern.name}", kwargs=given).removeprefix("/")
        answer = staff.client.get(walk + path)

        assert answer.status_code in ({200, 302} if pattern.name in STEPS else {302}), path
        assert not answer.cookies.keys() & {settings.DRAFT_COOKIE_NAME}
    assert staff.client.get(walk).status_code == 302
    assert staff.client.get(walk + "no/such/page/").status_code == 404
    assert call().draft.revision == before


def test_the_page_says_when_the_wording_is_about_the_patient():
    alone, proxied = at_the_phone(), at_the_phone("front desk", "second", **PROXY)
    pick_up(alone)
    first = alone.page
    alone.get("/admin/")
    pick_up(proxied, DAUGHTER)

    assert "The caller is not the patient" not in first.text
    assert "Read this aloud, word for word." in first.text
    assert "The caller is not the patient" in proxied.page.text
    assert "true for the patient now" in proxied.page.text


def test_the_questions_are_read_in_the_language_of_the_call():
    staff = at_the_phone()
    pick_up(staff, {**DAUGHTER, "language": "es"})

    assert '<html lang="es"' in staff.page.html
    assert "/walk/es/intake/legs/p/safety/" in staff.page.path
    staff.says |= PROXY
    staff.answer()
    assert staff.page.step == "about"
    assert call().draft.language == "es"
    english = staff.get(staff.page.link("English"))
    assert (english.step, call().draft.language) == ("about", "en")


WOMAN = {"sex_at_birth": "female", "age_years": 30, "pregnancy_status": "no"}


def test_the_front_desk_leaves_to_a_nurse_what_only_clinicians_ask(crisis_question, clinic_open):
    staff = at_the_phone(**WOMAN)
    uses = current().uses
    pick_up(staff)
    staff.walk_to("check")
    asked = set().union(*(asked for _step, asked, _title in pages_of(staff)))
    staff.send()
    submission = Submission.objects.get()
    task = CallTask.objects.get(reason="nurse")

    assert not asked & set(uses.nurse_asks)
    assert {uses.safety, "em_past", uses.own_words} <= asked
    assert uses.crisis in submission.assessment["not_asked"]
    assert "pregnancy_status" in submission.assessment["not_asked"]
    assert task.due_at - submission.submitted_at < timedelta(hours=3)
    assert "A nurse will call to ask some more questions." in staff.page.text


def test_a_call_about_what_was_not_asked_is_owed_until_a_clinician_makes_it(clinician, desk):
    staff = at_the_phone(**WOMAN)
    pick_up(staff)
    staff.walk_to("check")
    staff.send()
    task = CallTask.objects.get(reason="nurse")
    for button in ("reached", "told"):
        desk.post(f"/admin/intake/calltask/{task.pk}/{button}/")
        assert CallTask.objects.open().filter(pk=task.pk).exists()
    clinician.post(f"/admin/intake/calltask/{task.pk}/reached/")

    assert not CallTask.objects.open().filter(pk=task.pk).exists()


def test_a_clinician_asks_everything_so_no_nurse_has_to(crisis_question):
    staff = at_the_phone("clinician", **WOMAN, si_screen="none")
    pick_up(staff)
    staff.walk_to("check")
    asked = set().union(*(asked for _step, asked, _title in pages_of(staff)))
    staff.send()

    assert {"pregnancy_status", current().uses.crisis} <= asked
    assert not CallTask.objects.filter(reason="nurse").exists()


def test_what_was_not_asked_stands_on_the_staff_page(clinician, crisis_question):
    staff = at_the_phone(**WOMAN)
    pick_up(staff)
    staff.walk_to("check")
    staff.send()
    page = words(clinician.get(page_of(Submission.objects.get())))

    assert "Not asked by phone: a nurse asks" in page
    assert current().question("pregnancy_status").text in page


def test_the_submission_says_who_entered_it_and_who_called(clinician, desk):
    staff, trail = at_the_phone(**PROXY), Trail()
    pick_up(staff, DAUGHTER)
    staff.walk_to("check")
    staff.send()
    submission = Submission.objects.get()
    told = "Caller: daughter, interpreter: Voices 800."

    for page in (clinician.get(page_of(submission)), desk.get(desk_page_of(submission))):
        assert "Entered by phone by front-desk" in words(page)
        assert told in words(page)
    (sent,) = trail.events(action="create", subject=str(submission.pk))
    assert sent.actor == f"staff:{call().by_id}"
    assert submission.history.get().by_id == call().by_id


@pytest.mark.parametrize("mode", ["request", "slots"])
def test_a_caller_who_only_asks_for_a_visit_is_asked_the_few_questions(mode, settings, lee):
    settings.APPOINTMENT_MODE = mode
    staff = at_the_phone(**PROXY, slot=None)
    pick_up(staff, {**DAUGHTER, "kind": "appointment"})
    staff.walk_to("appointment")
    if mode == "slots":
        book_first_time(staff)
    staff.walk_to("check")
    staff.send()

    assert Submission.objects.get().kind == "appointment"
    assert Appointment.objects.filter(status="confirmed").count() == (mode == "slots")
    assert "/admin/intake/phonecall/" in staff.page.path


def book_first_time(staff: Patient) -> None:
    """Choose the first free time of the page."""
    times = re.findall(r'name="slot" value="([^"]+)"', staff.page.html)
    staff.press("continue", {**staff.page.form.values, "slot": times[0]})


def test_a_child_alone_on_the_phone_is_told_whom_to_ask_and_nothing_stays(settings):
    staff = at_the_phone(age_years=9)
    pick_up(staff)
    staff.walk_to("about")
    staff.answer()
    assert staff.page.step == "sure"
    settings.DEMO = False  # a patient's browser is told to clear what it stores
    staff.press("yes")
    answer = staff.requests[-1][2]

    assert settings.DRAFT_COOKIE_NAME not in answer.cookies
    assert "Clear-Site-Data" not in answer.headers
    assert "parent" in staff.page.text
    assert not Draft.objects.exists()
    assert not PhoneCall.objects.exists()


def test_a_call_that_is_gone_tells_nothing_of_a_patients_form_in_this_browser(monkeypatch):
    staff = at_the_phone()
    staff.start()
    staff.answer()
    Draft.objects.update(updated_at=timezone.now() - timedelta(days=2))
    pick_up(staff)
    staff.walk_to("check")
    monkeypatch.setattr(sending, "submit", Mock(side_effect=Gone))
    staff.send()
    lost = staff.requests[-1][2]

    assert lost.status_code == 410
    assert lost.context["reach"] == ""


def test_no_code_opens_what_staff_enter():
    staff = at_the_phone()
    pick_up(staff)
    staff.walk_to("appointment")

    assert call().draft.address_keys == []


def test_a_caller_in_spanish_hears_the_end_in_spanish():
    staff = at_the_phone(**PROXY)
    pick_up(staff, {**DAUGHTER, "language": "es"})
    staff.walk_to("check")
    staff.send()

    assert Submission.objects.get().language == "es"
    assert 'lang="es">Si empeora, no nos espere' in staff.page.html


def test_a_caller_is_never_held_as_a_bot_nor_by_the_limit_of_the_network(settings):
    settings.MIN_FILL_SECONDS, settings.LIMIT_INTAKE_SENDS = 10_000, 1
    settings.LIMIT_INTAKE_STARTS = 1
    for number in range(3):
        staff = at_the_phone(email=f"p{number}@example.org")
        pick_up(staff)
        staff.walk_to("check")
        staff.send()

    assert Submission.objects.filter(suspect=False, took_seconds=None).count() == 3


def test_staff_have_a_limit_of_their_own(settings):
    settings.LIMIT_PHONE_CALLS = 1
    staff = at_the_phone()
    pick_up(staff)
    pick_up(staff)

    assert staff.requests[-2][2].status_code == 429
    assert "You have begun too many calls" in staff.seen[-2].text
