"""The patient's own page: what it shows, withdrawing, messages, additions."""

from datetime import timedelta

import pytest
from django.conf import settings as site
from django.utils import timezone

from clinic.models import Message
from intake.models.access import Grant
from intake.models.appointments import AppointmentRequest
from intake.models.submissions import Communication, Draft, Kind, Submission, Urgency
from intake.my_page import replies
from intake.protocols import current
from tests import builders
from tests.intake.patient import Patient, step_url
from tests.intake.way_in import MAILBOX, OTHER, inside, letters

QUESTION = "Does this need help today?"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roomy", "codes_without_limit")]


def test_the_page_never_shows_an_answer_or_who_it_is():
    submission = builders.submission(reason_text="CANARY words")
    page = inside(submission).page
    for told_before in ("CANARY", "Quentin", MAILBOX, "555-0147", "1982", "restless"):
        assert told_before not in page.html


def test_it_says_who_opened_it_by_role():
    submission = builders.submission()
    client = builders.staff_client("clinician")
    client.get(f"/admin/intake/submission/{submission.pk}/change/")
    client.get(f"/admin/intake/submission/{submission.pk}/change/")
    page = inside(submission).page
    assert page.text.count("A clinician, ") == 1
    assert "clinician@" not in page.text


def test_without_a_grant_every_page_asks_for_a_code():
    for url in ("/my/withdraw/", "/my/reply/", "/my/code/"):
        assert Patient().get(url).path == "/my/"
    for url in ("/my/add/", "/my/withdraw/", "/my/choose/"):
        assert Patient().post(url, {"text": "x"}).path == "/my/"
    assert Patient().post("/my/reply/", {"text": " "}).path == "/my/"


def test_the_way_in_ends_after_half_an_hour_and_after_leaving():
    submission = builders.submission()
    patient = inside(submission)
    Grant.objects.update(seen_at=timezone.now() - timedelta(minutes=31))
    assert submission.reference not in patient.get("/my/").text
    patient = inside(submission)
    Grant.objects.update(created_at=timezone.now() - timedelta(hours=2, minutes=1))
    assert submission.reference not in patient.get("/my/").text
    patient = inside(submission)
    patient.post("/my/leave/", {})
    assert submission.reference not in patient.get("/my/").text


def test_each_look_keeps_the_way_in_open():
    patient = inside(builders.submission())
    ago = timezone.now() - timedelta(minutes=20)
    Grant.objects.update(seen_at=ago)
    patient.get("/my/")
    assert Grant.objects.get().seen_at > ago + timedelta(minutes=19)


def test_withdrawing_asks_once_and_is_the_same_as_withdrawing_twice():
    submission = builders.submission()
    patient = inside(submission)
    assert submission.reference in patient.get("/my/withdraw/").text
    assert Submission.objects.get().status == "new"
    for _twice in range(2):
        page = patient.post("/my/withdraw/", {})
    assert "You withdrew this request." in page.text
    assert AppointmentRequest.objects.get().progress == "withdrawn"
    assert [step.action for step in submission.history.all()] == ["send", "withdraw"]
    assert not Submission.objects.waiting().exists()


def test_a_red_flag_taken_back_is_looked_at_all_the_same():
    submission = builders.submission(leg_new=("swelling_one",), clot_risk=("none",))
    inside(submission).post("/my/withdraw/", {})
    assert list(Submission.objects.waiting()) == [submission]


def test_a_reply_has_a_clock_on_the_worklist():
    submission = builders.submission()
    page = inside(submission).post("/my/reply/", {"text": "May I come on Friday?"})
    assert "May I come on Friday?" in page.text
    assert "answer by" in page.text
    stored = Submission.objects.get()
    assert stored.reply_due_at > timezone.now()
    assert (stored.urgency, stored.status) == (submission.urgency, "new")
    clinician = builders.staff_client()
    assert "patient wrote" in clinician.get("/admin/intake/submission/?status=replies").text


def test_a_closed_request_with_a_reply_is_back_on_the_worklist():
    submission = builders.submission()
    Submission.objects.update(status="closed")
    assert not Submission.objects.waiting().exists()
    replies.reply(submission=submission, text="One more thing.")
    assert Submission.objects.waiting().exists()


def test_a_reply_that_sounds_like_danger_is_answered_at_once_and_raised():
    submission = builders.submission()
    Submission.objects.update(status="closed")
    page = inside(submission).post("/my/reply/", {"text": "I can’t breathe when I lie down"})
    assert page.red_card
    assert current().rule("DE2").advice in page.text
    stored = Submission.objects.get()
    assert stored.urgency == Urgency.EMERGENCY
    assert stored.assessed_urgency == submission.assessed_urgency
    assert stored.answers == submission.answers
    assert Message.objects.filter(kind="alarm").exists()


@pytest.mark.parametrize(
    ("answer", "raised"), [("yes", True), ("no", False), ("", False), (None, False)]
)
def test_a_reply_that_cannot_wait_is_raised_though_no_danger_is_heard(answer, raised):
    patient = inside(builders.submission())
    assert QUESTION in patient.get("/my/").text
    typed = {"text": "It is worse than words can say"}
    page = patient.post("/my/reply/", typed | ({"second": answer} if answer is not None else {}))
    assert (current().rule("S40").advice in page.text) is raised
    assert (Submission.objects.get().urgency == Urgency.SAME_DAY) is raised
    assert Message.objects.filter(kind="alarm").exists() is raised


def test_a_no_lowers_nothing_that_is_heard_in_a_reply():
    patient = inside(builders.submission())
    patient.post("/my/reply/", {"text": "my foot turned cold and white", "second": "no"})
    assert Submission.objects.get().urgency == Urgency.EMERGENCY


def test_a_reply_sent_again_because_it_cannot_wait_is_raised():
    patient = inside(builders.submission())
    patient.post("/my/reply/", {"text": "Please read this"})
    patient.post("/my/reply/", {"text": "Please read this", "second": "yes"})
    patient.post("/my/reply/", {"text": "Please read this", "second": "yes"})
    submission = Submission.objects.get()
    assert submission.urgency == Urgency.SAME_DAY
    assert [each.words["alarm"] for each in submission.communications.order_by("pk")] == ["", "S40"]


def test_an_answer_that_the_form_does_not_offer_is_said_and_keeps_the_text():
    page = inside(builders.submission()).post(
        "/my/reply/", {"text": "Please read this", "second": "perhaps"}
    )
    assert page.status == 422
    assert "Please read this" in page.html
    assert not Communication.objects.exists()


@pytest.mark.usefixtures("clinic_closed")
def test_when_closed_the_answer_to_alarm_words_leads_to_urgent_care():
    page = inside(builders.submission()).post("/my/reply/", {"text": "my toe is black"})
    closed, advice = current().rule("DS7").closed, current().rule("DS7").advice
    assert page.text.index(closed) < page.text.index(advice)


@pytest.mark.parametrize("urgency", [Urgency.SAME_DAY, Urgency.EMERGENCY])
def test_a_patient_who_became_urgent_is_not_promised_a_visit_in_weeks(urgency):
    patient = inside(builders.submission())
    assert "within 12 weeks" in patient.get("/my/").text
    patient.post("/my/reply/", {"text": "I can’t breathe when I lie down"})
    assert "weeks" not in patient.get("/my/").text
    Submission.objects.update(urgency=urgency, status="in_review", alarm=False)
    assert "weeks" not in patient.get("/my/").text


def test_what_was_written_on_a_page_that_closed_meanwhile_is_given_back():
    patient = inside(builders.submission())
    Grant.objects.update(seen_at=timezone.now() - timedelta(minutes=31))
    page = patient.post("/my/reply/", {"text": "It took me an hour to find the paper."})
    assert page.status == 403
    assert "Your message was not sent" in page.text
    assert "It took me an hour to find the paper." in page.html
    assert not Communication.objects.exists()


def test_the_same_reply_sent_twice_is_stored_once():
    patient = inside(builders.submission())
    for _twice in range(2):
        patient.post("/my/reply/", {"text": "Hello"})
    assert Communication.objects.count() == 1


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 2001, "a\x1bb", "\u200b\u2069"])
def test_a_reply_that_cannot_be_kept_comes_back(text):
    patient = inside(builders.submission())
    page = patient.post("/my/reply/", {"text": text})
    assert page.status == 422
    assert page.errors
    assert not Communication.objects.exists()


def test_the_clinics_message_is_read_on_the_page_and_mailed_as_a_hint_alone():
    submission = builders.submission()
    patient = inside(submission)
    patient.post("/my/reply/", {"text": "Hello?"})
    letters()
    clinician, stored = builders.staff_client(), Submission.objects.get()
    clinician.post(
        f"/admin/intake/submission/{submission.pk}/message/",
        {"message": "call_us", "revision": stored.revision},
    )
    (text,) = letters()
    assert submission.reference in clinician.get("/admin/clinic/message/?q=").text
    assert "We have a message for you" in text
    assert "call us at" not in text
    assert "Please call us at" in patient.get("/my/").text
    assert Submission.objects.get().reply_due_at is None


def test_a_reply_can_be_settled_without_an_answer():
    submission = builders.submission()
    replies.reply(submission=submission, text="Thank you!")
    url, revision = f"/admin/intake/submission/{submission.pk}/settle/", 1
    builders.staff_client().post(url, {"revision": revision})
    assert Submission.objects.get().reply_due_at is None


def test_adding_something_is_a_submission_of_its_own_judged_anew():
    earlier = builders.submission(reason_text="first words")
    patient = inside(earlier)
    page = patient.post("/my/add/", {})
    assert page.step == "safety"
    patient.says |= {
        "leg_new": ("swelling_one",),
        "clot_risk": ("none",),
        "reason_text": "Since today",
    }
    patient.walk_to("check")
    assert "first words" not in "".join(page.html for page in patient.seen)
    assert "Quentin" not in patient.page.text
    patient.send()
    added = Submission.objects.get(follows=earlier)
    assert (added.kind, added.urgency) == (Kind.ADDITION, Urgency.SAME_DAY)
    assert added.answers["reason_text"] == "Since today"
    assert added.person["name"] == "Quentin Canary"
    assert not AppointmentRequest.objects.filter(submission=added).exists()
    unchanged = Submission.objects.get(pk=earlier.pk)
    assert (unchanged.answers, unchanged.urgency) == (earlier.answers, earlier.urgency)
    shown = builders.staff_client().get(f"/admin/intake/submission/{added.pk}/change/").text
    assert f">{earlier.reference}</a>" in shown


@pytest.mark.parametrize("button", ["add", "part_2"])
def test_the_address_taken_over_into_an_addition_is_not_shown(button):
    patient = inside(builders.submission())
    patient.press(button)
    assert MAILBOX not in patient.get("/intake/save/").html
    patient.post("/intake/save/", {"address": OTHER})
    assert patient.get("/intake/save/?change=1").form.values["address"] == [OTHER]


def test_adding_three_times_is_one_addition_and_keeps_its_answers():
    patient = inside(builders.submission())
    patient.post("/my/add/", {})
    patient.walk_to("reason")
    again = patient.post("/my/add/", {})
    assert again.step == "reason"
    patient.press("continue", patient.filled(reason_text="Since today"))
    open_step = patient.page.step
    del patient.client.cookies[site.DRAFT_COOKIE_NAME]  # the browser was closed
    assert patient.post("/my/add/", {}).step == open_step
    draft = Draft.objects.get(submission=None)
    assert draft.content["answers"]["reason_text"] == "Since today"
    assert "Since today" not in patient.get(step_url("reason")).html, "a code opened the draft"


@pytest.mark.parametrize("address", ["/my/add/", "/my/part-2/"])
def test_a_form_begun_on_the_own_page_replaces_no_other_answers_unasked(address):
    patient = inside(builders.submission())
    patient.start()
    patient.walk_to("reason")
    asked = patient.post(address, {"go": "begin"})
    assert "has answers that you have not sent" in asked.text
    assert Draft.objects.filter(submission=None).count() == 1
    patient.press("continue", {})
    assert patient.page.step == "reason"
    patient.post(address, {"go": "begin"})
    patient.post(address, asked.forms[1].values)
    assert patient.page.step == "safety"
    assert Draft.objects.get(submission=None).follows is not None


def test_adding_too_often_is_said(settings):
    settings.LIMIT_INTAKE_STARTS = 1
    patient = inside(builders.submission())
    patient.post("/my/add/", {})
    del patient.client.cookies[site.DRAFT_COOKIE_NAME]
    page = patient.post("/my/add/", {})
    assert page.status == 429
    assert "too many tries" in page.text


def test_an_addition_asks_the_safety_questions_of_a_request_for_a_visit():
    patient = inside(builders.submission())
    patient.post("/my/add/", {})
    patient.says |= {"foot_signs": ("night_foot_pain",)}
    patient.walk_to("check")
    patient.send()
    assert Submission.objects.get(kind=Kind.ADDITION).urgency == Urgency.SAME_DAY


def test_an_emergency_in_an_addition_stops_as_everywhere():
    patient = inside(builders.submission())
    patient.post("/my/add/", {})
    assert patient.answer(em_now=("stroke_signs",)).red_card
