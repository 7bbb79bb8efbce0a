"""Each page accepts input in the form in which people type it, or says what is wrong.

The tables of dates, phone numbers and texts are in `tests/intake/domain` and `tests/intake/forms`.
These tests show that each page uses those readers, and that a box keeps what was typed.
"""

import pytest

from clinic.secrets.sealing import blind
from intake.models.submissions import Submission
from tests import builders
from tests.intake.patient import Patient
from tests.intake.questionnaire.everything import at
from tests.intake.questionnaire.stops import stopped, tell
from tests.intake.way_in import MAILBOX, asking, code_in, enter, letters

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("crisis_question", "roomy", "codes_without_limit"),
]

ODD = (
    "\u200b\u202e\u2069",
    "\u3164",
    "\x1b[0m",
    "a\x07b",
    "x\u2028y\u2029z\x85",
    "\ufffe\uffff",
    "9" * 500,
    "²½①",
    "<15",
    "\u202a" * 60,
    "👩\u200d⚕️",
)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ({"name": "\u202aQuentin\u00ad Canary\u202c"}, {"name": "Quentin Canary"}),
        ({"name": "Quentin\u2028Canary\x0b"}, {"name": "Quentin Canary"}),
        ({"name": "\u2067משה כהן\u2069"}, {"name": "משה כהן"}),
        ({"email": "\u2068sam@exam\u00adple.org\u2069"}, {"email": "sam@example.org"}),
        ({"email": "sam＠example.org"}, {"email": "sam@example.org"}),
        ({"callback_phone": "\u202a(202) 555-0123\u202c cell"}, {"callback_phone": "+12025550123"}),
        (
            {"birth_date_month": "Ene. 1, %s", "birth_date_day": "", "birth_date_year": ""},
            {"birth_date": "%s-01-01"},
        ),
    ],
)
def test_the_contact_page_takes_what_is_meant(typed, stored):
    patient = at("contact")
    year = patient.says["birth_date_year"]
    typed = {name: text.replace("%s", year) for name, text in typed.items()}
    assert patient.answer(**typed).step == "appointment", patient.page.errors
    contact = patient.draft.content["contact"]
    assert {name: contact[name] for name in stored} == {
        name: text.replace("%s", year) for name, text in stored.items()
    }


def test_no_odd_input_breaks_the_contact_page_or_is_lost_from_its_box():
    patient = at("contact")
    for name in ("name", "email", "callback_phone", "birth_date_month"):
        for odd in ODD:
            page = patient.answer(**{name: odd})
            if page.step == "appointment":
                patient.get(patient.page.link("Back"))
                continue
            assert page.status == 422
            assert page.errors
            if not set(odd) & set("\x1b\x07\x85\ufffe\uffff"):
                assert page.form.values.get(name, [""]) == [odd]


def test_no_odd_input_breaks_the_way_in():
    reference = builders.submission().reference
    patient = asking(reference)
    for odd in ODD:
        page = patient.post("/my/", {"reference": reference, "address": odd, "go": "send"})
        assert page.status == 422
        page = patient.post("/my/", {"reference": odd, "address": MAILBOX, "go": "send"})
        assert page.status == 422
        assert enter(patient, odd).status == 422


def test_reference_address_and_code_may_be_pasted_with_what_nobody_sees():
    reference = builders.submission().reference
    patient = asking(
        f"\u2068{reference[:4]}\u200b\u2013{reference[4:]}\u2069", f"\ufeff{MAILBOX}\u200b"
    )
    code = code_in(letters())
    wide = "".join(chr(ord(sign) + 0xFEE0) if sign.isdigit() else sign for sign in code)
    assert enter(patient, f"\u202a{wide}\u00ad\u202c").path == "/my/"


@pytest.mark.parametrize(
    ("phone", "stored"),
    [
        ("\u2068202-555-0123\u2069 (work)", "+12025550123"),
        ("0034 612 345 678", "+34612345678"),
        ("+52 1 55 1234 5678", "+525512345678"),
    ],
)
def test_the_emergency_page_takes_a_number_from_an_address_book(phone, stored):
    tell(stopped(), phone=phone, name="\u202aAna\u202c")
    person = Submission.objects.get().person
    assert (person["callback_phone"], person["name"]) == (stored, "Ana")


def test_no_odd_input_breaks_the_emergency_page():
    patient = stopped()
    for odd in ODD:
        page = tell(patient, phone=odd)
        assert page.status == 422
        assert page.red_card
    assert "begin with + and the country code" in page.text
    assert not Submission.objects.exists()


def test_staff_find_a_patient_by_what_was_copied_with_what_nobody_sees():
    row = builders.submission({"name": "Amara Smith", "callback_phone": "+12025550147"})
    client = builders.staff_client("clinician")
    for typed in (
        f"\u202a{row.reference}\u202c",
        "\u2068Amara\u00ad Smith\u2069",
        "\u202a(٢٠٢) 555-0147\u202c",
    ):
        response = client.post("/admin/intake/submission/", {"q": typed}, follow=True)
        assert row.reference in response.content.decode(), typed


def test_text_in_hebrew_keeps_its_marks_and_is_shown_apart():
    words = "\u2067כאב ברגל\u2069 3 \u200fימים"
    patient = at("reason", reason_text=words)
    patient.walk_to("check")
    assert f"<dd><bdi>{words}</bdi>" in patient.page.html
    patient.send()
    assert Submission.objects.get().answers["reason_text"] == words


def test_no_page_cuts_what_is_pasted():
    patient = Patient()
    patient.jump_to("contact")
    assert "maxlength" not in patient.page.html


def test_a_domain_of_another_script_is_stored_as_mail_programs_write_it():
    patient = at("contact", email="sam@münchen.example")
    patient.walk_to("check")
    assert patient.draft.content["contact"]["email"] == "sam@xn--mnchen-3ya.example"
    assert "sam@münchen.example" in patient.page.text
    assert patient.change("contact").form.values["email"] == ["sam@münchen.example"]
    patient.walk_to("check")
    patient.send()
    letters()
    row = Submission.objects.get()
    for typed in ("sam@münchen.example", "SAM@XN--MNCHEN-3YA.EXAMPLE", "sam@mu\u0308nchen.example"):
        assert enter(asking(row.reference, typed), code_in(letters())).path == "/my/"


def test_an_address_that_was_stored_as_it_was_typed_still_opens():
    row = builders.submission({"email": "sam@münchen.example"})
    old = [blind("email", "sam@münchen.example")]
    Submission.objects.filter(pk=row.pk).update(search_keys=old)
    assert enter(asking(row.reference, "sam@münchen.example"), code_in(letters())).path == "/my/"
    patient = Patient()
    patient.get("/my/find/")
    patient.post("/my/find/", {"address": "sam@xn--mnchen-3ya.example", "go": "send"})
    assert enter(patient, code_in(letters())).path == "/my/"


def test_staff_read_a_domain_that_looks_like_another_in_its_stored_form():
    page = at("contact", email="sam@gm\u0430il.com").walk_to("check")  # a Cyrillic а
    assert "sam@gm\u0430il.com" in page.text
    patient = Patient(email="sam@gm\u0430il.com")
    patient.whole_journey()
    row = Submission.objects.order_by("-submitted_at").first()
    response = builders.staff_client("clinician").get(f"/admin/intake/submission/{row.pk}/change/")
    assert "sam@xn--gmil-63d.com" in response.content.decode()
    assert "gm\u0430il" not in response.content.decode()


@pytest.mark.parametrize(("typed", "meant"), [("sam@gmial.com", "sam@gmail.com")])
def test_a_slip_in_an_address_is_asked_about_once(typed, meant):
    patient = at("contact", email=typed)
    page = patient.answer()
    question = f"Did you mean {meant}? If {typed} is right, press the button again."
    assert (page.status, page.errors) == (422, [question])
    assert page.form.values["email"] == [typed]
    page = patient.answer(email="sam@gmal.com")  # a new slip gets a new question
    assert page.errors == [question.replace(typed, "sam@gmal.com")]
    assert patient.answer(email="sam@gmal.com").step == "appointment"
    assert patient.draft.content["contact"]["email"] == "sam@gmal.com"
    patient.get(patient.page.link("Back"))
    assert patient.answer(email="sam@gmal.com").step == "appointment"  # it was accepted before


def test_a_slip_is_asked_about_before_a_code_goes_nowhere():
    reference, address = builders.submission().reference, "sam@hotmial.com"
    patient = asking(reference, address)
    assert patient.page.errors == [
        f"Did you mean sam@hotmail.com? If {address} is right, press the button again."
    ]
    assert patient.press("send").path == "/my/code/"
