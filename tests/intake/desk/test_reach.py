"""Staff read and change how a patient may be reached, and call only as the patient allows."""

from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.hours import usual
from intake.models.calls import Call, CallTask, NotReachedProcedure
from intake.models.submissions import Submission, Urgency
from intake.ways import calls, contact_points
from intake.ways.contact import reach_of
from intake.ways.forms import again_at, again_choices
from tests import builders
from tests.desk import CALLS, Trail, cells, desk_page_of, page_of, words

pytestmark = pytest.mark.django_db

NUMBER = "+12025550147"
SAYS = {
    "email": "yes",
    "sms": "no",
    "call": "yes",
    "voicemail": "yes",
    "prefer": "phone",
    "hours": "any",
    "words": "Said so on the phone.",
    "source": "phone",
    "hears": "",
    "language": "",
    "interpreter": "",
    "proxy": "",
    "proxy_until": "",
    "seen": "",
}


@pytest.fixture
def desk():
    return builders.staff_client("front desk")


def note(client, row: Submission, **says: str):
    return client.post(desk_page_of(row, "reach"), SAYS | says)


def owed(row: Submission, **more) -> CallTask:
    calls.owe(submission=row, reason="message", occasion=str(row.pk))
    CallTask.objects.update(**more)
    return CallTask.objects.get()


@pytest.mark.parametrize(("role", "page"), [("front desk", desk_page_of), ("clinician", page_of)])
def test_staff_note_what_the_patient_said_and_see_it_at_a_glance(role, page):
    row, client, trail = builders.submission(), builders.staff_client(role), Trail()
    assert "Reach: e-mail; call Change" in words(client.get(page(row)))
    said = {"voicemail": "no", "hours": "morning", "email": "no", "hears": "Ana Canary"}
    answer = client.post(page(row, "reach"), SAYS | said)

    assert answer.status_code == 302
    text = words(client.get(page(row)))
    assert "Reach: call, only morning; no voicemail; may hear: Ana Canary Change" in text
    (event,) = [each for each in trail.of(answer) if each.detail.get("kind") == "safe_contact"]
    assert event.detail["fields"] == ["email", "hears", "hours", "voicemail", "words"]
    history = words(client.get(page(row, "reach")))
    assert "Said by phone" in history
    assert "Said so on the phone." in history


def test_no_safe_way_stands_on_the_lists_and_the_page(desk):
    row = builders.submission()
    owed(row)
    note(desk, row, email="no", call="no")

    for page in (desk.get("/admin/intake/frontdesk/"), desk.get(desk_page_of(row))):
        assert "No safe way: do not call" in words(page)
    listed = builders.staff_client("clinician").get("/admin/intake/submission/")
    assert "No safe way: do not call" in words(listed)
    assert cells(desk.get(CALLS), "patient") == []
    assert len(cells(desk.get(CALLS, {"settled": "no_way"}), "patient")) == 1
    # no clock ends: the submission is due as before
    assert row.target_at == Submission.objects.get().target_at
    assert row.status == Submission.objects.get().status


@pytest.mark.parametrize(
    ("says", "wrong"),
    [
        ({"words": ""}, "Write what the patient said."),
        ({"source": ""}, "Say how the patient said so."),
        ({"call": "maybe"}, "Select a valid choice"),
        ({"proxy_until": "tomorrow"}, "Enter a valid date"),
    ],
)
def test_a_slip_is_said_by_its_field_and_keeps_what_was_typed(says, wrong, desk):
    row = builders.submission()
    page = note(desk, row, hears="Ana Canary", **says)
    assert page.status_code == 422
    assert wrong in words(page)
    assert "Ana Canary" in page.content.decode()
    assert not row.safe_contacts.exists()


def test_an_old_tab_shows_what_counts_now_and_keeps_what_was_typed(desk):
    row = builders.submission()
    note(desk, row, voicemail="no")
    page = note(desk, row, call="no", words="Do not call.")
    assert page.status_code == 409
    text = words(page)
    assert "was changed while you had it open" in text
    assert "no voicemail" in text
    assert "Do not call." in page.content.decode()
    assert row.safe_contacts.count() == 1


def test_a_closed_address_is_opened_only_by_a_tick(desk):
    row = builders.submission({"prefer": "text"})
    contact_points.revoke(channel="sms", address=NUMBER, actor="system:test")
    page = words(desk.get(desk_page_of(row, "reach")))
    assert "The owner of this address wants no more letters." in page
    texts = {"sms": "yes", "prefer": "text"}
    note(desk, row, **texts)
    assert reach_of(row).letters == (("email", "quentin.canary@example.org"),)
    seen = str(row.safe_contacts.get().pk)
    note(desk, row, **texts, open_sms="on", seen=seen, words="Wants texts again.")
    assert reach_of(row).letters[0] == ("sms", NUMBER)


# --- the call list -------------------------------------------------------------------------------


def test_where_no_message_may_be_left_the_button_is_absent_and_the_page_says_so(desk):
    row = builders.submission({"voicemail": "no", "email": ""})
    task = owed(row)
    text = words(desk.get(desk_page_of(row)))
    assert "Leave no message: this patient does not allow it." in text
    assert "Left word" not in text
    assert "Left word" not in words(desk.get(CALLS))

    # an old tab that still has the button
    page = desk.post(reverse("admin:intake_calltask_left_word", args=[task.pk]), follow=True)
    assert "This patient allows no message" in words(page)
    assert not Call.objects.exists()


def test_where_a_message_may_be_left_the_page_says_the_only_words(desk, settings):
    row = builders.submission({"email": ""})
    owed(row)
    only = f"This is {settings.CLINIC_SHORT_NAME}. Please call us at {settings.CLINIC_PHONE}."
    for page in (desk.get(desk_page_of(row)), desk.get(CALLS)):
        assert only in words(page)
        assert "Left word" in words(page)


@pytest.mark.parametrize("code", ["soon", "later", "tomorrow"])
def test_the_time_of_the_next_call_is_chosen(code, desk):
    row = builders.submission({"email": ""})
    task = owed(row)
    before = timezone.now()
    address = reverse("admin:intake_calltask_not_reached", args=[task.pk])
    desk.post(address, {f"again-{task.pk}": code})

    due = CallTask.objects.get().due_at
    assert abs(due - again_at(code, before)) < timedelta(minutes=1)
    assert Call.objects.get().again_at == due


@pytest.mark.parametrize("hours", ["morning", "midday", "afternoon"])
@pytest.mark.parametrize("at", ["2026-11-30T09:00", "2026-11-30T13:50", "2026-12-04T22:00"])
def test_the_next_call_is_in_the_safe_hours(hours, at):
    now = datetime.fromisoformat(at).replace(tzinfo=timezone.get_current_timezone())
    choices = again_choices(now, hours)
    assert choices
    for code, _words in choices:
        local = timezone.localtime(again_at(code, now, hours))
        first, last = {"morning": (8, 11), "midday": (11, 14), "afternoon": (14, 18)}[hours]
        assert first <= local.hour < last, (code, local)
        assert local > now


@pytest.mark.parametrize("hours", ["", "morning", "midday", "afternoon"])
@pytest.mark.parametrize("at", ["2026-11-30T09:00", "2026-12-04T16:40", "2026-12-24T22:00"])
def test_times_of_coming_days_are_in_opening_hours_and_for_patients_who_can_wait(hours, at):
    now = datetime.fromisoformat(at).replace(tzinfo=timezone.get_current_timezone())
    named = [datetime.fromisoformat(code) for code, _ in again_choices(now, hours) if "T" in code]
    assert len({moment.date() for moment in named}) >= 4
    assert all(moment > now and usual().is_open(moment) for moment in named)
    urgent = again_choices(now, hours, urgency=Urgency.SAME_DAY)
    assert not [code for code, _words in urgent if "T" in code or code == "tomorrow"]


def test_a_call_is_put_off_to_the_day_that_the_patient_named(desk):
    row = builders.submission({"email": ""})
    task = owed(row)
    code = [code for code, _words in again_choices(timezone.now(), "") if "T" in code][-1]
    address = reverse("admin:intake_calltask_not_reached", args=[task.pk])
    desk.post(address, {f"again-{task.pk}": code})
    assert CallTask.objects.get().due_at == datetime.fromisoformat(code)

    # a time of an old page counts as no time, so the clinic calls soon
    past = (timezone.now() - timedelta(days=1)).isoformat()
    Call.objects.update(at=timezone.now() - timedelta(minutes=9))
    desk.post(address, {f"again-{task.pk}": past})
    assert timezone.now() < CallTask.objects.get().due_at
    assert CallTask.objects.get().due_at != datetime.fromisoformat(code)


def test_after_three_tries_the_row_is_marked_and_the_procedure_is_shown(desk):
    row = builders.submission({"email": ""})
    task = owed(row, created_at=timezone.now() - timedelta(hours=3))
    clinician = builders.staff_client("clinician")
    procedure = reverse("admin:intake_calltask_procedure")
    assert "No procedure is written" in words(desk.get(CALLS))
    assert desk.post(procedure, {"text": "Ask the lead."}).status_code == 403
    assert clinician.post(procedure, {"text": " "}).status_code == 422
    for _twice in range(2):
        assert clinician.post(procedure, {"text": "Ask the lead."}).status_code == 302
    assert NotReachedProcedure.objects.count() == 1

    for number in range(3):
        assert "tries did not reach" not in words(desk.get(CALLS))
        desk.post(reverse("admin:intake_calltask_not_reached", args=[task.pk]))
        Call.objects.update(at=timezone.now() - timedelta(minutes=9 * (number + 1)))
    text = words(desk.get(CALLS))
    assert "3 tries did not reach the patient" in text
    assert "Three tries: our procedure Ask the lead." in text
    assert "3 tries did not reach the patient" in words(desk.get(desk_page_of(row)))
