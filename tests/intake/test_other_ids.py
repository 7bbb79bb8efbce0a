"""The program works with a copy of the protocol `legs` in which all ids are renamed.

The copy asks the same questions, but its questions, sections, pages and computed values have other
ids. If the program looked for an id of `legs` by name, it would not find that id in the copy.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.utils import timezone

from intake import protocols
from intake.domain.definition import Protocol, from_document
from intake.domain.problems import problems
from intake.models.submissions import Draft, Kind, Submission
from tests import builders
from tests.desk import page_of, words
from tests.intake import second
from tests.intake.my_visit import inside
from tests.intake.patient import Patient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_served")]
LEGS = protocols.load("legs")
# this id stays, because the program itself sets the computed value of this name
KEPT = {"safety_retracted"}


def renamed(protocol: Protocol) -> Protocol:
    """Return a copy of the protocol with new ids everywhere, except for `KEPT`."""
    ids = {
        *(question.id for question in protocol.questions),
        *(section.id for section in protocol.questionnaire.sections),
        *(page.id for page in protocol.pages),
        *protocol.rules.computed,
    } - KEPT

    def new(value: Any, key: str = "") -> Any:
        if key == "danger":  # frames and concepts have names of their own
            return value
        if isinstance(value, dict):
            named = key in ("computed", "count")
            return {(_new(k) if named and k in ids else k): new(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [new(one, key) for one in value]
        if key in ("say", "ask_back"):
            return value.replace("{", "{v")
        names_an_id = key in NAMING and value in ids
        return _new(value) if names_an_id else value

    document = msgspec.json.decode(protocol.document())
    return from_document(msgspec.json.encode(new(document)))


NAMING = {
    *("id", "page", "q", "var", "inputs"),
    *("safety", "age", "first_line", "complaint", "own_words", "free_text", "crisis"),
    *("phone", "language_help", "acknowledged", "appointment", "addition", "part_2"),
    *("glance", "nurse_asks", "payer", "member", "doctor", "pharmacy"),
}


def _new(id: str) -> str:
    """Return the new id. A page's new id still begins with the new id of its section."""
    return f"v{id}"


OTHER = renamed(LEGS)


@pytest.fixture
def _served(monkeypatch: pytest.MonkeyPatch, fresh_pages: None) -> Iterator[None]:
    monkeypatch.setattr(protocols, "load", lambda name: OTHER)
    second.start_anew()
    yield
    monkeypatch.undo()
    second.start_anew()


def patient_of_copy(**says: Any) -> Patient:
    """Return the usual test patient, with the same answers under the renamed question ids."""
    patient = Patient(**says)
    ids = {question.id for question in LEGS.questions}
    patient.says = {
        (_new(name) if name in ids else name): said for name, said in patient.says.items()
    }
    return patient


def test_the_copy_shares_no_id_and_has_no_problems() -> None:
    assert problems(OTHER) == []
    theirs = {question.id for question in OTHER.questions}
    assert len(theirs) == len(LEGS.questions)
    assert theirs.isdisjoint(question.id for question in LEGS.questions)


def test_a_patient_walks_to_the_receipt_and_staff_read_who_and_what() -> None:
    patient = patient_of_copy(reason_text="It itches.")
    page = patient.whole_journey()
    assert page.step == "sent"
    row = Submission.objects.get()
    assert row.person["callback_phone"] == "+12025550147"
    assert row.person["lang_help"] == "english"
    assert row.person["ack"] is True
    assert not {"vcallback_phone", "vlang_help", "vack"} & row.answers.keys()
    text = words(builders.staff_client("clinician").get(page_of(row)))
    for told in (
        "44 years, Male",
        "(202) 555-0147",
        "More than 1 year ago",
        "It itches.",
        "4 of 4 symptom features of restless legs (self-reported)",
        "English is fine",
    ):
        assert told in text


def test_another_person_fills_it_in_and_gives_two_names() -> None:
    patient = patient_of_copy(who="caregiver")
    patient.whole_journey()
    row = Submission.objects.get()
    assert row.person["proxy_name"] == "Petra Canary"
    assert any("Does the patient" in page.text for page in patient.seen)


def test_a_request_for_a_visit_asks_for_danger_and_who_asks() -> None:
    patient = patient_of_copy(who="parent_guardian", age_years=15)
    page = patient.start("/appointments/")
    assert page.step == "vsafety"
    patient.walk_to("check")
    patient.send()
    row = Submission.objects.get()
    assert row.kind == Kind.APPOINTMENT
    assert row.answers == {
        "vem_now": ["none"],
        "vem_past": ["none"],
        "vwho": "parent_guardian",
        "vage_years": 15,
        "vleg_new": ["none"],
        "vfoot_signs": ["none"],
    }


def test_an_emergency_stops_at_once_and_the_clinic_is_told() -> None:
    patient = patient_of_copy()
    patient.start()
    page = patient.answer(vem_now=("cold_leg_sudden",))
    assert page.red_card
    patient.post("/intake/emergency/", {"go": "tell", "phone": "202-555-0199", "name": ""})
    row = Submission.objects.get()
    assert (row.kind, row.person["callback_phone"]) == (Kind.STOPPED, "+12025550199")


def test_a_child_alone_is_stopped_and_an_age_that_is_a_slip_is_asked_about() -> None:
    patient = patient_of_copy(age_years=7)
    patient.start()
    patient.walk_to("vabout")
    page = patient.answer(vage_years="7")
    assert page.path == "/intake/sure/"
    assert Draft.objects.exists()


def test_a_birth_date_that_disagrees_leads_back_to_the_age() -> None:
    patient = patient_of_copy()
    patient.start()
    patient.walk_to("contact")
    page = patient.answer(birth_date_year="1950")
    assert page.status == 422
    assert page.links_to("/intake/legs/p/vabout/?change=1")


def test_danger_in_a_reply_raises_the_alarm_and_an_addition_has_its_steps() -> None:
    patient_of_copy().whole_journey()
    row = Submission.objects.get()
    own = inside(row)
    own.post("/my/reply/", {"text": "I have chest pain", "go": "send"})
    row.refresh_from_db()
    assert row.alarm
    page = own.post("/my/add/", {"go": "add"})
    assert page.step == "vsafety"
    own.says = patient_of_copy(reason_text="It is worse.").says
    own.walk_to("check")
    own.send()
    more = Submission.objects.exclude(pk=row.pk).get()
    assert more.kind == Kind.ADDITION
    assert more.answers["vreason_text"] == "It is worse."
    assert more.person["callback_phone"] == row.person["callback_phone"]


def test_a_device_left_alone_hides_the_contact_and_keeps_it() -> None:
    patient = patient_of_copy()
    patient.start()
    patient.walk_to("appointment")
    Draft.objects.update(updated_at=timezone.now() - timedelta(minutes=31))
    page = patient.get("/intake/p/contact/")
    assert "0147" not in page.html
    page = patient.press("continue")
    assert page.status == 200, page.errors
    patient.walk_to("check")
    patient.send()
    assert Submission.objects.get().person["callback_phone"] == "+12025550147"


def test_what_was_typed_into_the_contact_comes_back_after_saving() -> None:
    patient = patient_of_copy(who="caregiver")
    patient.start()
    patient.walk_to("contact")
    patient.press("save", {**patient.filled(), "email": "", "prefer": "email"})
    page = patient.get("/intake/p/contact/")
    assert page.form.controls["vcallback_phone"].chosen == ["(202) 555-0147"]
    assert page.form.controls["vlang_help"].chosen == ["english"]
