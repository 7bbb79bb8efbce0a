"""Part 2, "Before the visit": the questions that a patient may answer after sending."""

from datetime import timedelta

import msgspec
import pytest
from django.utils import timezone

from clinic.models import Event, Message
from intake import documents, protocols
from intake.draft_content import Content
from intake.models.submissions import Draft, Kind, Submission, Urgency
from intake.questionnaire import answering, drafts, sending
from tests import builders
from tests.desk import page_of, words
from tests.intake import book, my_visit
from tests.intake.patient import Patient
from tests.intake.way_in import code_in, inside, letters

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roomy", "codes_without_limit")]

CARD = {
    "payer": "Example Health Plan",
    "member_number": "ECX 100 200",
    "referring_doctor": "Dr. Finch, Exampletown",
    "pharmacy": "Corner Drugs, 5 Example Street",
}
SNORES = {"habits": ("snore_gasps",), "family_rls": "yes"}


def sent(url: str = "/intake/", **says) -> tuple[Patient, Submission]:
    """Return a patient on the receipt of part 1, and the submission."""
    patient = Patient(**says)
    patient.whole_journey(url)
    assert patient.page.step == "sent"
    return patient, Submission.objects.get()


def begun(**says) -> tuple[Patient, Submission]:
    """Return a patient on the first page of part 2, and the submission of part 1."""
    patient, submission = sent(**says)
    patient.press("part_2")
    return patient, submission


def both() -> tuple[Submission, Submission]:
    return Submission.objects.get(kind=Kind.INTAKE), Submission.objects.get(kind=Kind.PART_2)


# --- the two parts -------------------------------------------------------------------------------


@pytest.mark.usefixtures("both_served")
@pytest.mark.parametrize("name", protocols.available())
def test_each_question_is_asked_in_one_part_and_part_2_is_stored_with_part_1(name):
    says = {"conditions": ("none",), **CARD} if name == "legs" else everything_in("veins")
    patient, submission = sent(f"/intake/{name}/", **says, **SNORES)
    later = protocols.load(name).uses.later
    asked = {control for page in patient.seen for form in page.forms for control in form.asked}
    assert not asked & later

    patient.press("part_2")
    assert patient.page.step == "safety"
    patient.walk_to("check")
    receipt = patient.send()
    asked = {c for page in patient.seen for form in page.forms for c in form.asked} - asked
    first, second = both()
    assert asked == later & second.answers.keys()
    assert submission.reference in receipt.text
    assert second.reference not in receipt.text
    assert (second.follows, second.protocol_id) == (first, first.protocol_id)
    assert first.answers == submission.answers


def everything_in(name: str) -> dict[str, object]:
    """Return an answer to every question: the option "none", or else the first option."""
    kinds = {"integer": lambda q: str(int(q.min or 0) or 0), "text": lambda q: "None."}
    protocol, said = protocols.load(name), {}
    for question in protocol.questions:
        if question.id in protocol.uses.contact.stored_names:
            continue
        if question.type == "multi":
            said[question.id] = question.exclusive[:1] or (question.options[0].code,)
        elif question.type == "single":
            said[question.id] = question.options[0].code
        elif question.type in kinds:
            said[question.id] = kinds[question.type](question)
    return {**said, **{name: builders.ORDINARY[name] for name in ("age_years", "sex_at_birth")}}


def test_part_2_asks_by_the_answers_of_part_1_and_shows_none_of_them():
    patient, _submission = begun(vein_look=("spider",), vein_bleed="never")
    patient.walk_to("check")
    page = patient.page
    assert [q for q in patient.seen[-3].form.asked if q != "website"] == [
        "family_rls",
        "vein_sx",
        "habits",
    ]
    assert "What bothers you most?" not in page.text
    assert "Quentin" not in page.text
    other, _submission = begun_anew(rls_urge="no")
    other.walk_to("before_visit")
    assert "family_rls" not in other.page.form.asked


def begun_anew(**says) -> tuple[Patient, Submission]:
    Draft.objects.all().delete()
    Submission.objects.all().delete()
    return begun(**says)


# --- the details for the chart -------------------------------------------------------------------


@pytest.mark.parametrize(("typed", "told"), [("A\x07B", "characters"), ("x" * 500, "120")])
@pytest.mark.parametrize("name", CARD)
def test_a_detail_that_cannot_be_taken_is_said_by_its_field_and_all_is_kept(name, typed, told):
    patient, _submission = begun(**CARD)
    patient.walk_to("before_visit-2")
    page = patient.answer(**{name: typed})
    assert page.status == 422
    assert any(told in error for error in page.errors)
    for other, said in CARD.items():
        assert page.form.values[other] == [typed if other == name else said]


def test_details_are_one_line_may_be_left_blank_and_are_shown_as_sent():
    patient, _submission = begun(**CARD | {"pharmacy": None})
    patient.walk_to("before_visit-2")
    assert "<textarea" not in patient.page.html
    patient.walk_to("check")
    assert CARD["member_number"] in patient.page.text
    patient.send()
    assert both()[1].answers.keys() & CARD.keys() == CARD.keys() - {"pharmacy"}


# --- what it says, and how it is judged ----------------------------------------------------------


def test_a_calm_part_2_gives_nobody_work_and_lowers_nothing(clinician):
    patient, _submission = begun(drowsy_drive="fell_asleep", **SNORES)
    before = Submission.objects.get()
    patient.walk_to("check")
    patient.send()
    first, second = both()
    assert "We added your answers to your request." in patient.page.text
    assert (second.status, second.result.fired) == ("closed", ())
    assert [flag.id for flag in second.result.flags] == ["F14"]
    assert (first.urgency, first.target_at, first.status, first.revision) == (
        before.urgency,
        before.target_at,
        "new",
        before.revision,
    )
    assert list(Submission.objects.waiting()) == [first]
    assert not Message.objects.filter(occasion=str(second.pk)).exists()


def test_a_red_flag_of_part_1_fires_nothing_again():
    patient, submission = begun(leg_new=("swelling_one",), clot_risk=("none",))
    assert submission.urgency == Urgency.SAME_DAY
    patient.walk_to("check")
    patient.send()
    assert both()[1].result.fired == ()


def test_an_emergency_in_part_2_stops_the_form_and_can_be_told():
    patient, submission = begun()
    page = patient.answer(em_now=("chest_or_breath",))
    assert page.step == "emergency"
    patient.post("/intake/emergency/", {"phone": "202-555-0147", "name": "", "go": "tell"})
    told = Submission.objects.get(kind=Kind.STOPPED)
    assert (told.follows, told.urgency) == (submission, Urgency.EMERGENCY)
    assert told.escalate_at is not None


def test_an_emergency_taken_back_in_part_2_is_read_the_same_day():
    patient, _submission = begun()
    patient.answer(em_now=("chest_or_breath",))
    patient.press("mistake")
    patient.walk_to("check")
    patient.send()
    assert [fired.id for fired in both()[1].result.fired] == ["S18"]


# --- staff ---------------------------------------------------------------------------------------


def test_staff_read_part_2_beside_part_1_with_the_time_and_what_is_not_answered(clinician):
    patient, submission = begun(**SNORES)
    text = words(clinician.get(page_of(submission)))
    assert "The patient has not answered these questions" in text
    assert "Do any of these fit you? – not answered" in text
    patient.walk_to("before_visit")
    patient.says.pop("family_rls")
    patient.walk_to("check")
    patient.send()
    text = words(clinician.get(page_of(submission)))
    part = text[text.index("Before the visit (part 2)") :]
    assert "by the patient" in part
    assert "Loud snoring" in part
    assert "have restless legs? – not answered" in part
    assert "F14" in text
    read = Event.objects.filter(action="read", subject=str(both()[1].pk))
    assert read.count() == 1


# --- once, later, and too late -------------------------------------------------------------------


def test_what_was_begun_is_gone_on_with_from_the_own_page():
    patient, submission = begun(habits=("snore_gasps",))
    patient.walk_to("check")
    patient = inside(submission)
    page = patient.press("part_2")
    assert page.step == "check"
    assert "Loud snoring" in page.text
    patient.send()
    assert "Before the visit" not in inside(submission).page.text


def send_elsewhere(first: Submission) -> None:
    """Send part 2 of a submission from another browser."""
    draft, _key = drafts.begin(
        kind=Kind.PART_2, language="en", follows=first, content=Content({"em_now": ("none",)})
    )
    for page in drafts.walk_of(draft).pages:
        values = {"em_now": ("none",)} if page.id == "safety" else {}
        answering.save_page(draft=draft, page=page, values=values)
        draft.refresh_from_db()
    sending.submit(draft=draft)


TOO_LATE = [
    (lambda row: Submission.objects.update(status="withdrawn"), "This request is finished"),
    (lambda row: Submission.objects.update(status="closed"), "This request is finished"),
    (lambda row: Submission.objects.update(kind=Kind.APPOINTMENT), "There are no more questions"),
    (send_elsewhere, "already answered these questions"),
]


@pytest.mark.parametrize(("change", "why"), TOO_LATE)
@pytest.mark.parametrize("where", ["receipt", "own page", "check page"])
def test_too_late_is_said_in_a_sentence(change, why, where):
    patient, submission = begun() if where == "check page" else sent()
    if where == "own page":
        patient = inside(submission)
    if where == "check page":
        patient.walk_to("check")
    change(submission)
    sent_before = Submission.objects.count()
    page = patient.send() if where == "check page" else patient.press("part_2")
    assert page.status == 409
    assert why in page.text
    assert Submission.objects.count() == sent_before


def test_an_expired_receipt_leads_to_the_own_page():
    patient, _submission = sent()
    Draft.objects.update(updated_at=timezone.now() - timedelta(days=3))
    page = patient.press("part_2")
    assert page.status == 410
    assert "We have what you sent." in page.text
    assert page.links_to("/my/")


def test_an_old_receipt_beside_another_form_changes_nothing():
    patient, _submission = sent()
    receipt = patient.page
    patient.start("/appointments/")
    patient.seen.append(receipt)
    page = patient.press("part_2")
    assert page.status == 409
    assert "another form" in page.text
    assert not Draft.objects.filter(kind=Kind.PART_2).exists()


def test_a_submission_from_before_there_was_a_part_2_offers_none():
    first = builders.submission()
    document = msgspec.json.decode(protocols.current().document())
    del document["questionnaire"]["uses"]["walks"]["part_2"]
    old = documents.from_document(msgspec.json.encode(document))
    documents.store_protocol(old)
    Submission.objects.update(protocol=old.content_hash)
    patient = inside(first)
    assert "Before the visit" not in patient.page.text
    page = patient.post("/my/part-2/", {"go": "part_2"})
    assert (page.status, "There are no more questions" in page.text) == (409, True)


def test_part_2_opens_with_its_own_reference_when_staff_write_about_it():
    patient, _submission = begun()
    patient.answer(em_now=("chest_or_breath",))
    patient.press("mistake")
    patient.walk_to("check")
    patient.send()
    page = inside(both()[1]).page
    assert both()[1].reference in page.text
    assert "Before the visit" not in page.text


def test_part_2_is_not_in_the_list_of_requests_and_no_letter_names_it():
    patient, submission = begun()
    patient.walk_to("check")
    patient.send()
    sent_letters = letters()
    assert both()[1].reference not in "\n".join(sent_letters)
    own = Patient()
    own.get("/my/find/")
    own.post("/my/find/", {"address": submission.person["email"], "go": "send"})
    own.post("/my/code/", {"code": code_in(letters()), "go": "enter"})
    assert submission.reference in own.page.text
    assert both()[1].reference not in own.page.text


@pytest.mark.parametrize("is_answered", [False, True])
def test_the_letter_about_a_visit_tells_of_it_until_it_is_answered(lee, is_answered):
    submission = builders.submission()
    book.booked(submission)
    if is_answered:
        send_elsewhere(submission)
    (letter,) = my_visit.sent("appointment_confirmed")
    assert ("You can answer a few more questions on your page" in letter.body) is not is_answered
