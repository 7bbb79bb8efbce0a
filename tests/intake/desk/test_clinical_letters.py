"""Letters: a draft until a clinician signs, then as it was signed; reported, not examined."""

from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from clinic.models import Event
from intake.desk import clinical_letters, pdf
from intake.desk.clinical_letters import LONGEST
from intake.desk.submission_page import SubmissionPage
from intake.models.clinical_letters import ClinicalLetter
from tests import builders
from tests.desk import Trail, page_of, verdict, waiting, words
from tests.intake.questionnaire.veil import HERS

pytestmark = pytest.mark.django_db
TEXT = "Dear colleague,\n\nplease see her soon."
TO = "Dr. Ruiz\n12 Main Street"


@pytest.fixture
def submission():
    return builders.submission({"name": "Ana Reyes"}, reason_text="It burns at night")


@pytest.fixture
def clinician():
    return builders.staff_client("clinician")


def letters(submission, **query):
    tail = "&".join(f"{name}={value}" for name, value in query.items())
    return f"{page_of(submission, 'letters')}?{tail}"


def written(client, submission, button="draft", kind="referring", **typed):
    """Post a letter. Returns the answer."""
    return client.post(
        letters(submission, kind=kind), {"to": TO, "text": TEXT, button: "", **typed}
    )


def only(submission):
    (letter,) = clinical_letters.letters_of(submission)
    return letter


def paper(client, submission, letter):
    page = client.get(f"{page_of(submission, 'letter')}?letter={letter.pk}")
    assert page.status_code == 200
    return words(page)


@pytest.mark.parametrize("kind", ClinicalLetter.Kind.values)
def test_the_first_text_says_what_was_reported_and_what_was_decided(clinician, submission, kind):
    clinician.post(page_of(submission, "decide"), verdict(submission))
    form = clinician.get(letters(submission, kind=kind)).context["form"]
    text = form.initial["text"]

    assert "Ana Reyes" in text
    assert "reported by the patient, not examined" in text
    assert ("It burns at night" in text) is (kind == "chart")
    assert "Our decision: Book a regular visit" in text
    assert ("to" in form.fields) is (kind == "referring")


def test_private_answers_stay_out_of_a_letter_that_leaves_the_clinic(clinician):
    submission = builders.submission(**{**HERS, "pregnancy_status": "pregnant"})
    page = SubmissionPage(submission)
    resting = [
        each.rule.name
        for each in page.reasons
        if clinical_letters._rests_on_private(page, each.rule.id)
    ]
    assert resting

    chart, referring = (
        clinician.get(letters(submission, kind=kind)).context["form"].initial["text"]
        for kind in ("chart", "referring")
    )

    assert page.glance[0].label in referring
    for words_of in ("PHQ-2", *resting):
        assert words_of in chart
        assert words_of not in referring


@pytest.mark.parametrize("button", ["draft", "sign"])
def test_each_letter_says_not_examined_and_a_draft_that_it_is_one(clinician, submission, button):
    answer = written(clinician, submission, button)
    letter = only(submission)

    assert answer.headers["Location"].endswith(f"?letter={letter.pk}")
    said = paper(clinician, submission, letter)
    assert "Reported by the patient, not examined." in said
    assert "please see her soon." in said
    assert "Dr. Ruiz" in said
    assert ("DRAFT" in said) is (button == "draft")
    assert ("Signed by" in said) is (button == "sign")


def test_a_draft_is_changed_and_then_signed(clinician, submission):
    written(clinician, submission)
    clinician.post(letters(submission, letter=only(submission).pk), {"text": "Two", "draft": ""})
    page = letters(submission, letter=only(submission).pk)
    clinician.post(page, {"to": TO, "text": "Three", "sign": ""})

    assert only(submission).content == {"to": TO, "text": "Three"}
    assert only(submission).signed
    events = Event.objects.filter(subject=submission.pk, detail__kind="letter").order_by("seq")
    assert [event.action for event in events] == ["create", "create", "state"]


def test_a_signed_letter_stays_as_signed(clinician, submission):
    written(clinician, submission, "sign")
    signed = only(submission)
    page = letters(submission, letter=signed.pk)

    assert "<textarea" not in clinician.get(page).content.decode()
    answer = clinician.post(page, {"to": TO, "text": "Other", "draft": ""})

    assert answer.status_code == 409
    assert "signed and stays as it is" in words(answer)
    assert "Other" in answer.content.decode()
    assert only(submission) == signed
    assert only(submission).content["text"] == TEXT


def test_of_two_who_change_a_draft_the_second_keeps_what_was_typed(clinician, submission):
    written(clinician, submission)
    page = letters(submission, letter=only(submission).pk)
    clinician.post(page, {"to": TO, "text": "First", "draft": ""})
    answer = builders.staff_client("clinician", "okafor").post(
        page, {"to": TO, "text": "Second", "sign": ""}
    )
    assert answer.status_code == 409
    assert "This letter was changed meanwhile." in words(answer)
    assert "Second" in answer.content.decode()
    # and an old tab opens the newest version
    assert "First" in clinician.get(page).content.decode()
    assert only(submission).content["text"] == "First"


def test_the_database_refuses_a_second_change_of_a_version(clinician, submission):
    written(clinician, submission)
    first, by = only(submission), builders.member("clinician")
    one = {"submission": submission, "kind": "chart", "content": {}, "by": by, "at": first.at}
    ClinicalLetter(**one, replaces=first).save(force_insert=True)
    with pytest.raises((IntegrityError, ValidationError)):
        ClinicalLetter(**one, replaces=first).save(force_insert=True)


def test_a_double_click_stores_one_letter(clinician, submission):
    trail = Trail()
    for _click in range(2):
        written(clinician, submission, "sign")
    assert only(submission).signed
    assert len(trail.events(action="state")) == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"text": " "}, "The letter is empty."),
        ({"to": ""}, "Say to whom the letter goes before you sign it."),
        ({"text": "x" * (LONGEST + 1)}, "at most 20000 characters"),
        ({"to": "x" * 501}, "at most 500 characters"),
    ],
)
def test_bad_input_is_a_sentence_and_what_was_typed_stays(clinician, submission, typed, said):
    answer = written(clinician, submission, "sign", **typed)
    assert answer.status_code == 422
    assert said in words(answer)
    assert "see her soon" in answer.content.decode() or "text" in typed
    assert not ClinicalLetter.objects.exists()


@pytest.mark.parametrize("wrong", ["x", "00000000-0000-0000-0000-000000000000", ""])
@pytest.mark.parametrize("name", ["letters", "letter"])
def test_a_letter_that_does_not_exist_is_a_404(clinician, submission, name, wrong):
    assert clinician.get(f"{page_of(submission, name)}?letter={wrong}").status_code == 404


def test_a_letter_of_another_patient_is_a_404(clinician, submission):
    written(clinician, submission)
    other = page_of(waiting("Otto Other"), "letter")
    assert clinician.get(f"{other}?letter={only(submission).pk}").status_code == 404


def test_duty_reads_a_letter_and_writes_none(clinician, submission):
    written(clinician, submission)
    duty = builders.staff_client("duty")
    page = letters(submission, letter=only(submission).pk)

    assert "please see her soon." in words(duty.get(page))
    assert duty.post(page, {"to": TO, "text": "Other", "sign": ""}).status_code == 403
    assert not only(submission).signed


def test_a_printed_letter_is_on_the_accounting_of_disclosures(clinician, submission):
    written(clinician, submission, "sign")
    paper(clinician, submission, only(submission))
    auditor = builders.staff_client("auditor")
    form = {"term": submission.reference, "kind": "left"}
    page = auditor.post("/admin/intake/accessreport/", form, follow=True)

    said = unescape(page.content.decode())
    assert "Printed a letter to a referring doctor, signed" in said
    assert TEXT not in said


def test_a_letter_as_pdf_says_draft_too(clinician, submission, monkeypatch):
    drawn = []
    monkeypatch.setattr(pdf, "is_available", lambda: True)
    monkeypatch.setattr(pdf, "from_html", lambda html: drawn.append(html) or b"%PDF-")
    written(clinician, submission)
    address = f"{page_of(submission, 'letter')}?letter={only(submission).pk}&pdf=1"
    assert clinician.get(address).headers["Content-Type"] == "application/pdf"
    assert "DRAFT" in drawn[0]
    assert "not examined" in drawn[0]
    assert "<link" not in drawn[0]
