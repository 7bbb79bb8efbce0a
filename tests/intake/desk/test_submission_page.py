"""The submission page: first the patient and the reasons, then every question with its answer."""

import re
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from django.utils import timezone

from intake import documents
from intake.desk import decisions
from intake.desk.decisions import DecisionInput
from intake.models.appointments import AppointmentRequest
from intake.models.submissions import Decision, Kind, Submission, Urgency
from intake.protocols import current
from intake.questionnaire import sending
from tests import builders
from tests.desk import page_of, waiting, words

pytestmark = pytest.mark.django_db

SERIOUS = {
    "main_reason": "sore_wound",
    "vein_look": ("varicose", "open_sore"),
    "vein_bleed": "last_7d",
    "vein_sx": ("heavy_ache",),
    "wound_time": "ge_2w",
    "wound_signs": ("on_foot_toe",),
    "conditions": ("diabetes",),
    "foot_signs": ("numb_burning",),
    "reason_text": "It <script>alert(1)</script> bleeds & aches.",
}

RESTLESS = {
    "main_reason": "restless",
    "rls_urge": "yes",
    "rls_rest": "yes",
    "rls_move": "yes",
    "rls_evening": "evening",
    "rls_with": ("none",),
    "rls_freq": "d6_7",
    "lr7_days": 5,
    "lr7_nights": 6,
    "lr7_strength": 8,
    "lr7_interfere": "lot",
    "iron_results": "yes_numbers",
    "ferritin": Decimal("11.5"),
    "tsat": Decimal(12),
    "meds_classes": ("antihistamine_sedating",),
    "med_link": "no",
}


def test_all_that_decides_comes_before_the_answers(clinician):
    submission = builders.submission(**SERIOUS)
    page = clinician.get(page_of(submission))
    text = words(page)
    first = text[: text.index("Contact and answers")]

    assert page.status_code == 200
    for told in (
        submission.reference,
        "Quentin Canary",
        "44 years, Male",
        "born 27 Mar 1982",
        "English",
        "(202) 555-0147",
        "Same day",
        "Due:",
        "nobody has taken it",
        "Both",
        "Visit none booked",
    ):
        assert told in first
    for fired in submission.result.fired:
        assert f"{fired.name.capitalize()[:1]}{fired.name[1:]}" in first
        assert fired.id in first
    assert "<title>" + submission.reference in page.content.decode()
    assert first.index("Quentin Canary") < first.index("Why") < first.index("Decide Urgency")


def test_a_reason_names_the_answer_the_limit_and_the_source(clinician):
    submission = builders.submission(**RESTLESS)
    page = clinician.get(page_of(submission))
    text = words(page)

    assert "Low iron numbers with leg restlessness" in text
    assert "Ferritin 11.5 ng/mL (limit ≤ 75)" in text
    assert "TSAT 12 % (limit < 20)" in text
    assert "Ferritin: 11.5 ng/mL limit ≤ 75, N03" in text
    assert 'href="https://doi.org/10.5664/jcsm.11390" rel="noreferrer"' in page.content.decode()
    assert "Medicines: sedating antihistamine" in text
    assert "Ferritin 11.5 ng/mL N03" in text  # the answer below is marked with its rule


def test_pregnancy_stands_beside_the_name(clinician):
    woman = {"sex_at_birth": "female", "age_years": 27, "pregnancy_status": "no"}
    submission = builders.submission({"birth_date": "1999-09-23"}, **woman)

    assert "27 years, Female, not pregnant" in words(clinician.get(page_of(submission)))


def test_every_rule_says_why_from_which_answer_and_by_which_source(clinician):
    submission = builders.submission(**SERIOUS)
    text = words(clinician.get(page_of(submission)))

    for fired in (*submission.result.fired, *submission.result.flags):
        assert " ".join(fired.reason.split()) in text
        assert " ".join(fired.source.split()) in text
    assert "Did a vein in your leg bleed" in text or "bleed" in text
    assert "In the last 7 days" in text or "last 7 days" in text


def test_no_red_flag_is_said_in_words(clinician):
    text = words(clinician.get(page_of(builders.submission())))

    assert "No red flag: no rule for emergencies or same-day contact fired." in text


def test_all_answers_are_there_as_they_were_asked(clinician):
    submission = builders.submission(iron_results="yes_no_numbers")
    text = words(clinician.get(page_of(submission)))
    protocol = current()

    for name in submission.answers:
        if name in ("lang_help", "callback_phone", "ack"):
            continue
        question = protocol.question(name)
        assert " ".join(question.text.split()) in text, name
    assert "– not answered" in text
    assert "In your own words (optional) – not answered" in text
    assert "Date of birth 27 Mar 1982" in text
    assert "Monday, Thursday" in text


def test_somebody_who_answered_for_another_is_quoted_so(clinician):
    submission = builders.submission(
        {"proxy_name": "Petra Canary"}, who="caregiver", reason_text="Her words."
    )
    text = words(clinician.get(page_of(submission)))

    assert "filled in by another person" in text
    assert "Petra Canary" in text
    assert "What bothers the patient most?" in text
    assert current().question("main_reason").text not in text


def test_an_old_submission_shows_what_that_patient_read(clinician):
    protocol = current()
    document = msgspec.json.decode(protocol.document())
    text = protocol.question("main_reason").text
    changed = msgspec.json.encode(document).replace(
        msgspec.json.encode(text), msgspec.json.encode("What ails thee?")
    )
    old = documents.from_document(changed)
    assert old.content_hash != protocol.content_hash
    documents.store_protocol(old)
    submission = builders.submission()
    Submission.objects.filter(pk=submission.pk).update(protocol_id=old.content_hash)
    page = words(clinician.get(page_of(submission)))

    assert "What ails thee?" in page
    assert text not in page
    assert old.content_hash[:12] in page


def test_what_a_patient_wrote_is_text_and_nothing_else(clinician):
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7|add:7 }}"
    submission = builders.submission({"name": evil}, reason_text=evil)
    for url in (page_of(submission), "/admin/intake/submission/"):
        body = clinician.get(url).content.decode()
        assert "alert(1)" in body
        assert "<script>alert" not in body
        assert "<img src=x" not in body
        assert "{{ 7|add:7 }}" in body


def test_a_stopped_form_shows_only_what_was_asked(clinician):
    draft, _key = builders.draft(em_now=("cold_leg_sudden",))
    sending.tell_clinic(draft=draft, phone="+12025550147", name="Carl Canary")
    (submission,) = Submission.objects.all()
    # questions after the stop do not count as asked
    assert submission.kind == Kind.STOPPED
    text = words(clinician.get(page_of(submission)))

    assert "Stopped by an emergency answer" in text
    assert "Emergency" in text
    assert "not answered" not in text or submission.answers.keys() != {"em_now"}


def test_a_stopped_form_hides_the_questions_behind_the_stop(clinician):
    submission = builders.submission()
    answers = {"em_now": ["cold_leg_sudden"], "em_past": ["none"]}
    submission.kind, submission.answers = Kind.STOPPED, answers
    submission.save()
    text = words(clinician.get(page_of(submission)))

    assert current().question("em_now").text in text
    assert "not answered" not in text
    assert current().question("tobacco").text not in text


def test_the_question_about_suicide_is_not_shown_where_it_was_not_asked(clinician):
    asked = builders.submission(si_screen="none")
    without = builders.submission(si_screen=None)
    question = current().question("si_screen").text

    shown = [
        question in words(clinician.get(page_of(row)))
        for row in (asked, without)
        if "si_screen" in asked.answers
    ]
    assert shown in ([True, False], [])
    assert question not in words(clinician.get(page_of(without)))


def test_an_appointment_request_needs_no_answers(clinician):
    submission = builders.submission()
    Submission.objects.filter(pk=submission.pk).update(kind=Kind.APPOINTMENT)
    text = words(clinician.get(page_of(submission)))

    assert "Appointment request only" in text
    assert current().question("em_now").text in text
    assert current().question("tobacco").text not in text


def test_an_emergency_that_was_taken_back_stands_there(clinician):
    submission = builders.submission()
    at = "2026-11-23T10:00:00+00:00"
    stop = {"rules": ["E02"], "page": "safety", "at": at, "retracted": at}
    submission.assessment = {**submission.assessment, "stops": [stop]}
    submission.save()

    assert "Taken back: chest or breathing" in words(clinician.get(page_of(submission)))


def test_the_neighbours_in_the_list_are_one_click_away(clinician):
    me = builders.member("clinician")
    colleague = builders.member("clinician", "dr-other")
    order = [
        waiting(urgency=Urgency.SAME_DAY, hours=1),
        waiting(urgency=Urgency.SOON, hours=1, assignee=me),
        waiting(urgency=Urgency.SOON, hours=2, assignee=colleague, status="in_review"),
        waiting(urgency=Urgency.ROUTINE, hours=-9),
    ]
    pages = [clinician.get(page_of(row)) for row in order]

    def link(page, name):
        found = re.search(rf'href="([^"]+)"[^>]*>{name}<', page.content.decode())
        return found and found[1]

    for number, page in enumerate(pages):
        assert f"{number + 1} of 4" in words(page)
        before = page_of(order[number - 1]) if number else None
        after = page_of(order[number + 1]) if number < 3 else None
        assert (link(page, "Previous"), link(page, "Next")) == (before, after)


def test_the_page_says_who_looked(clinician):
    submission = waiting()
    colleague = builders.member("clinician", "dr-other")
    colleague.first_name, colleague.last_name = "Ada", "Other"
    colleague.save()
    builders.sign_in(builders.Client(), colleague).get(page_of(submission))
    text = words(clinician.get(page_of(submission)))

    assert "Opened: Ada Other" in text
    assert "Sent: the patient" in text
    assert "That you opened this page is recorded, too." in text


def test_words_for_what_happened_and_when(clinician):
    me = builders.member("clinician")
    submission = waiting(submitted_at=timezone.now() - timedelta(hours=3))
    decisions.decide(
        submission=submission,
        given=DecisionInput(Urgency.URGENT, "book_urgent", "Worse than it reads.", "Call."),
        by=me,
        revision=0,
        request_id="r" * 32,
    )
    text = words(clinician.get(page_of(submission)))

    assert "Decided" in text
    assert "Book an urgent visit" in text
    assert "Urgent (was Routine)" in text
    assert "Worse than it reads." in text
    assert "sent 3 h ago" in text
    assert "Decide Urgency" not in text  # no decision is left to take
    assert Decision.objects.count() == 1
    assert AppointmentRequest.objects.count() == 1


@pytest.mark.parametrize("what", ["", "nonsense", "00000000-0000-7000-8000-000000000000"])
def test_no_such_submission(clinician, what):
    response = clinician.get(f"/admin/intake/submission/{what or 'x'}/change/")

    assert response.status_code == 404
