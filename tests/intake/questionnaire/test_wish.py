"""The appointment step: up to three wishes, the first free time, or a free time to hold."""

from datetime import timedelta

import pytest
from django.conf import settings as site
from django.utils import timezone

from intake.appointments import offers
from intake.appointments.slot_gone import SlotGone
from intake.draft_content import Content
from intake.models.appointments import Appointment, AppointmentRequest, WaitlistEntry
from intake.models.clinic_time import Closure, VisitType
from intake.models.submissions import Draft, Submission
from intake.questionnaire import drafts, sending
from tests import builders
from tests.intake import book
from tests.intake.patient import Patient, step_url
from tests.intake.questionnaire.test_asking_for_a_visit import at_wish
from tests.intake.way_in import inside

pytestmark = pytest.mark.django_db


@pytest.fixture
def slots(settings):
    settings.APPOINTMENT_MODE = "slots"
    book.clinician()


def confirmed() -> Appointment:
    return Appointment.objects.for_reading().get(status="confirmed")


def wishes() -> list:
    return AppointmentRequest.objects.get().wishes


# --- wishes ---------------------------------------------------------------------------------------


def test_three_wishes_are_added_one_by_one_and_kept():
    patient = at_wish()
    patient.press("add", patient.filled())
    assert "Second wish" in patient.page.text
    assert patient.page.form.values["days"] == ["mon", "thu"], "nothing typed is lost"
    patient.press("add", patient.filled(days_2=("tue",)))
    assert patient.page.form.values["days_2"] == ["tue"]
    assert "add" not in patient.page.form.buttons, "three are enough"
    page = patient.answer(days_2=("tue",), times_2=("midday",), days_3=("fri",))
    assert page.step == "check"
    for words in ("First wish", "Second wish", "Third wish", "Days: Friday", "Around midday"):
        assert words in page.text
    patient.change("appointment")
    assert patient.page.form.values["days_3"] == ["fri"]
    patient.get("/intake/check/")
    patient.send()
    assert [wish["days"] for wish in wishes()] == [["mon", "thu"], ["tue"], ["fri"]]


def test_a_wish_left_empty_is_none():
    patient = at_wish()
    patient.press("add", patient.filled())
    patient.answer()
    patient.send()
    assert len(wishes()) == 1


def test_who_takes_the_first_free_time_has_no_other_wish():
    patient = at_wish(days=(), times=())
    assert "<details>" in patient.page.html, "the wishes are folded until one is filled in"
    page = patient.answer()
    assert "The first free time" in page.text
    assert "Monday" not in page.text
    patient.send()
    assert wishes() == []


def test_adding_a_wish_saves_and_judges_nothing():
    patient = at_wish()
    page = patient.press("add", {"visit_type": "nonsense", "earliest_year": "1900"})
    assert page.status == 200
    assert page.errors == []
    assert not patient.draft.content["wish"]
    assert page.form.values["earliest_year"] == ["1900"]


def test_a_wish_names_a_clinician_and_a_place_where_there_are_several():
    patient = at_wish()
    assert not {"clinician", "place"} & set(patient.page.form.asked)
    lee, may = book.clinician("Dr. Lee"), book.clinician("Dr. May")
    book.location("North clinic")
    patient.get(step_url("appointment"))
    assert {"clinician", "place"} <= set(patient.page.form.asked)
    page = patient.answer(clinician=str(may.pk), place="North clinic")
    assert "Dr. May" in page.text
    patient.send()
    (wish,) = wishes()
    assert (wish["clinician"], wish["place"]) == (str(may.pk), "North clinic")
    assert lee.pk != may.pk


def test_any_place_and_anybody_can_be_wished_for():
    book.clinician("Dr. Lee")
    book.clinician("Dr. May")
    book.location("North clinic")
    patient = at_wish(clinician="any", place="any")
    assert patient.answer().step == "check"
    patient.send()
    (wish,) = wishes()
    assert (wish["clinician"], wish["place"]) == ("", "")


def test_a_draft_of_before_with_one_flat_wish_goes_on():
    content = builders.content()
    assert "wishes" not in content.wish
    draft, key = drafts.begin(kind="intake", language="en", content=content)
    patient = Patient()
    patient.client.cookies["draft"] = key
    assert isinstance(drafts.walk_of(draft).content, Content)
    submission = sending.submit(draft=draft)
    assert wishes()[0]["days"] == builders.WISH["days"]
    assert submission.appointment_request.visit_type == "in_person"


def test_more_requests_than_the_clinic_keeps_open_are_refused_kindly(settings):
    settings.APPOINTMENT_OPEN_REQUESTS = 1
    patient = at_wish()
    Patient().whole_journey("/appointments/")
    assert "You have 1 open request" in patient.answer().text
    settings.APPOINTMENT_OPEN_REQUESTS = 2  # as soon as there is room, the wish is there again
    assert patient.get(step_url("appointment")).form.values["days"] == ["mon", "thu"]
    settings.APPOINTMENT_OPEN_REQUESTS = 1
    # a patient who fills in the questionnaire may send it, because the complaint may be new
    assert Patient().whole_journey().step == "sent"


def test_who_knows_a_name_and_a_birth_date_does_not_learn_whether_somebody_is_a_patient(settings):
    settings.APPOINTMENT_OPEN_REQUESTS = 1
    Patient(email="").whole_journey("/appointments/")
    stranger = at_wish(email="", callback_phone="312-555-0148")
    assert stranger.answer().step == "check"
    again = at_wish(email="", callback_phone="202-555-0147")
    assert "You have 1 open request" in again.page.text


def test_the_limit_of_open_requests_is_told_before_the_first_question():
    patient = Patient()
    page = patient.get("/appointments/")
    assert "One person can have 3 open requests at a time." in page.text
    sent = [builders.submission() for _n in range(2)]
    draft, key = builders.draft()
    patient.client.cookies[site.DRAFT_COOKIE_NAME] = key
    sent.append(sending.submit(draft=draft))
    assert "You have 3 open requests" in patient.get("/appointments/").text, "by the device"
    by_code = inside(sent[0])
    assert "You have 3 open requests" in by_code.get("/appointments/").text, "by the code"
    assert by_code.page.form.buttons == ["mine", "shared"], "it may be for somebody else"


def test_the_limit_of_open_requests_holds_at_send_and_loses_nothing(settings):
    settings.APPOINTMENT_OPEN_REQUESTS = 1
    patient = at_wish()
    patient.answer()
    Patient().whole_journey("/appointments/")
    page = patient.send()
    assert page.status == 409
    assert "as many open requests as we can keep" in page.text
    assert "Quentin Canary" in page.text
    assert "Quentin Canary" in patient.get("/intake/check/").text


# --- choosing a time ------------------------------------------------------------------------------


def at_times(**says) -> Patient:
    patient = at_wish(**says)
    assert patient.page.step == "appointment"
    return patient


def pick(patient: Patient, slot: str, **more) -> None:
    kind = str(book.visit_type().pk)
    patient.post(patient.page.url, {"slot": slot, "visit": kind, "go": "continue", **more})


@pytest.mark.usefixtures("slots")
def test_a_time_is_chosen_held_read_back_and_booked_by_sending():
    slot = book.free(7)
    patient = at_times()
    assert 'name="slot"' in patient.page.html
    assert "Eastern time" in patient.page.text
    pick(patient, slot.key)
    assert patient.page.step == "check"
    assert "We hold your time until" in patient.page.text
    assert "9:00 am" in patient.page.text
    held = Appointment.objects.get()
    assert (held.status, held.submission) == ("held", None)
    with pytest.raises(SlotGone):
        book.booked(book.patient(5), slot)
    patient.get("/intake/check/")
    patient.send()
    assert patient.page.step == "sent"
    assert "The appointment is booked" in patient.page.text
    assert "The next step is the appointment." in patient.page.text
    assert "weeks" not in patient.page.text
    visit = confirmed()
    assert (visit.starts, visit.submission) == (slot.start, Submission.objects.latest("id"))
    assert visit.submission.appointment_request.progress == "booked"


@pytest.mark.usefixtures("slots")
def test_another_time_gives_the_first_one_back_and_the_same_again_stays():
    first, second = book.free(7), book.free(8)
    patient = at_times()
    pick(patient, first.key)
    patient.change("appointment")
    assert "Held for you until" in patient.page.text
    pick(patient, first.key)
    assert Appointment.objects.get().status == "held"
    patient.change("appointment")
    pick(patient, second.key)
    assert book.free(7).start == first.start
    patient.change("appointment")
    pick(patient, "call")
    assert "Call me to arrange it" in patient.page.text
    assert not Appointment.objects.filter(status="held").exists()
    patient.send()
    assert AppointmentRequest.objects.get().visit_type == "call_me"


@pytest.mark.usefixtures("slots")
@pytest.mark.parametrize("keeps", ["this", "other"])
@pytest.mark.parametrize("other", ["a slot", "call", "wait"])
@pytest.mark.parametrize("mine", ["a slot", "call", "wait"])
def test_an_older_list_asks_which_of_two_choices_to_keep(mine, other, keeps):
    """A choice of another window is never replaced unasked."""
    slots = {"a slot": book.free(7).key}, {"a slot": book.free(8).key}
    mine, other = slots[0].get(mine, mine), slots[1].get(other, other)
    patient = at_times()
    old = patient.page
    patient.press("continue", {**old.form.values, "slot": other})
    assert patient.page.step == "check"
    chosen = counted(patient)
    patient.seen.append(old)
    page = patient.press("continue", {**old.form.values, "slot": mine})
    if mine == other:
        assert page.step == "check"
        return
    assert (page.status, "Which answer do you want to keep?" in page.text) == (409, True)
    assert patient.requests[-2][2].status_code == 303
    assert counted(patient) == chosen
    assert patient.press("continue").errors == ["Choose the answer that you want to keep."]
    page = patient.press("continue", {**patient.page.form.values, "keep_appointment.chosen": keeps})
    assert page.step == "check", page.errors
    assert (counted(patient) == chosen) is (keeps == "other")
    held = Appointment.objects.filter(status="held")
    assert held.count() == (len(other if keeps == "other" else mine) > 4)


def counted(patient: Patient) -> tuple:
    return patient.draft.content["wish"], list(held_slots())


def held_slots():
    return Appointment.objects.filter(status="held").values_list("during", flat=True)


@pytest.mark.usefixtures("slots")
def test_a_hold_that_lapsed_is_told_with_the_nearest_and_nothing_is_lost():
    slot = book.free(7)
    patient = at_times()
    pick(patient, slot.key)
    Appointment.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    rival = book.booked(book.patient(5), slot)
    page = patient.get("/intake/check/")
    page = patient.send()
    assert page.status == 409
    assert "another patient has booked it now. We kept your answers." in page.text
    assert Submission.objects.exclude(pk=rival.submission_id).count() == 0
    nearest = book.free(7, "09:30")
    assert nearest.key in page.html
    patient.post(
        "/intake/legs/p/appointment/?change=1",
        {"slot": nearest.key, "visit": str(nearest.visit_type.pk), "go": "continue"},
    )
    assert patient.page.step == "check"
    assert "Quentin Canary" in patient.page.text
    assert patient.send().step == "sent"
    assert Appointment.objects.get(submission=Submission.objects.latest("id")).starts == (
        nearest.start
    )


@pytest.mark.usefixtures("slots")
def test_a_hold_that_lapsed_with_nobody_after_it_is_still_booked():
    patient = at_times()
    pick(patient, book.free(7).key)
    Appointment.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    offers.lapse()
    patient.get("/intake/check/")
    assert patient.send().step == "sent"
    assert confirmed()


@pytest.mark.usefixtures("slots")
def test_a_held_time_that_is_past_or_closed_by_now_is_not_booked():
    slot = book.free(7)
    patient = at_times()
    pick(patient, slot.key)
    Appointment.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    day = slot.start.date()
    Closure.objects.create(first_day=day, last_day=day, reason="Training")
    patient.get("/intake/check/")
    assert patient.send().status == 409
    past = timezone.now() - timedelta(hours=1)
    Appointment.objects.update(during=(past, past + timedelta(minutes=30)))
    patient.get("/intake/check/")
    assert patient.send().status == 409
    assert not Appointment.objects.filter(status="confirmed").exists()
    assert not Submission.objects.exists()


@pytest.mark.usefixtures("slots")
def test_none_of_the_times_fits_and_the_patient_waits():
    patient = at_times()
    pick(patient, "wait")
    assert "on the waiting list" in patient.page.text
    patient.send()
    assert WaitlistEntry.objects.get().request == AppointmentRequest.objects.get()
    assert AppointmentRequest.objects.get().visit_type == "in_person"


@pytest.mark.usefixtures("slots")
@pytest.mark.parametrize(("email", "prefer", "listed"), [("", "phone", False), ("", "text", True)])
def test_only_who_can_be_written_to_is_promised_to_hear_of_free_times(email, prefer, listed):
    patient = at_times(email=email, prefer=prefer)

    assert "Call me to arrange it" in patient.page.text
    assert ("tell me when a time becomes free" in patient.page.text) == listed


@pytest.mark.usefixtures("slots")
@pytest.mark.parametrize("slot", ["20200106T140000_x_y", "nonsense", "💊" * 20])
def test_a_time_that_cannot_be_had_is_a_sentence(slot):
    patient = at_times()
    pick(patient, slot)
    assert patient.page.status == 409
    assert "That time is no longer free. Nothing was booked." in patient.page.text
    assert 'name="slot"' in patient.page.html
    assert not Appointment.objects.exists()


@pytest.mark.usefixtures("slots")
def test_nothing_chosen_is_asked_again_and_a_strange_field_saves_nothing():
    patient = at_times()
    page = patient.post(patient.page.url, {"go": "continue"})
    assert (page.status, page.errors) == (422, ["Choose a time."])
    pick(patient, book.free(7).key, admin="1")
    assert patient.page.status == 422
    assert not Appointment.objects.exists()


@pytest.mark.usefixtures("slots")
def test_later_days_and_other_visits_are_a_button_away():
    video = VisitType.objects.create(title="Talk by video", kind="video", minutes=15)
    book.clinician("Dr. May", types=(video,))
    patient = at_times()
    first = patient.page.html
    kind = str(book.visit_type().pk)
    following = (timezone.localdate() + timedelta(days=40)).isoformat()
    page = patient.post(patient.page.url, {"go": "later", "next": following, "visit": kind})
    assert page.status == 200
    assert page.html != first
    assert "The first free days" in page.html
    page = patient.post(page.url, {"go": "show", "visit": str(video.pk)})
    assert "9:15 am" in page.text
    assert not Draft.objects.get().content["wish"]


@pytest.mark.usefixtures("slots")
def test_without_any_free_time_there_is_still_a_way():
    VisitType.objects.update(is_active=False)
    patient = at_times()
    assert "There is no free time right now." in patient.page.text
    patient.post(patient.page.url, {"slot": "call", "go": "continue"})
    assert patient.send().step == "sent"


# --- urgency --------------------------------------------------------------------------------------

SAME_DAY = {"leg_new": ("swelling_one",), "clot_risk": ("none",)}
URGENT = {"drowsy_drive": "fell_asleep"}


@pytest.mark.usefixtures("slots")
def test_what_cannot_wait_shows_no_time_and_can_still_be_sent():
    slot = book.free(7)
    patient = Patient(**SAME_DAY)
    patient.jump_to("appointment")
    assert "should not wait for an appointment" in patient.page.text
    assert 'class="card today"' in patient.page.html
    assert 'name="slot"' not in patient.page.html
    pick(patient, slot.key)
    assert not Appointment.objects.exists()
    assert patient.page.step == "check"
    assert patient.send().step == "sent"
    assert AppointmentRequest.objects.get().visit_type == "call_me"


@pytest.mark.usefixtures("slots")
def test_a_time_chosen_before_the_answers_became_urgent_is_given_back():
    patient = Patient()
    patient.jump_to("appointment")
    pick(patient, book.free(7).key)
    patient.change("veins")
    patient.says.update(SAME_DAY)
    page = patient.page
    for _page in range(6):
        if page.step == "check":
            break
        page = patient.answer()
    assert "so we do not book this time" in page.text
    assert patient.send().step == "sent"
    assert not Appointment.objects.filter(status__in=("held", "confirmed")).exists()


@pytest.mark.usefixtures("slots")
def test_urgent_is_the_next_14_days_and_the_telephone():
    patient = Patient(**URGENT)
    patient.jump_to("appointment")
    assert "the times of the next 14 days" in patient.page.text
    late = book.free(20)
    pick(patient, late.key)
    assert patient.page.status == 409
    assert late.key not in patient.page.html
    assert not Appointment.objects.exists()
