"""A browser may fill in its owner's name, birthday and address only in fields about the owner."""

import re

import pytest

from intake.access.forms import CodeForm, FindForm, ReplyForm, ReturnForm, TellForm
from intake.questionnaire.forms.wish import Choices, WishForm
from tests import builders
from tests.intake.patient import Page, Patient
from tests.intake.way_in import asking, code_in, enter, letters

pytestmark = pytest.mark.django_db
OWN_BIRTH = {f"birth_date_{part}": f"bday-{part}" for part in ("month", "day", "year")}
NO_BIRTH = dict.fromkeys(OWN_BIRTH, "off")
REACH = {"callback_phone": "tel", "email": "email", "hears": "off"}
WHO = ["self", "parent_guardian", "caregiver"]


def tokens(page: Page) -> dict[str, str]:
    """Return the autocomplete token of each text box, or '', without the hidden box for bots."""
    boxes = re.findall(r"<(?:input|textarea)\b[^>]*>", page.html)
    attributes = [dict(re.findall(r'([\w-]+)="([^"]*)"', box)) for box in boxes]
    typed = [
        a for a in attributes if a.get("type") not in ("hidden", "radio", "checkbox", "submit")
    ]
    return {a["name"]: a.get("autocomplete", "") for a in typed if a["name"] != "website"}


# the person who fills in the form → the autocomplete token of each text box
CONTACT = {
    "self": {"name": "name", **OWN_BIRTH, **REACH},
    "parent_guardian": {"name": "off", "proxy_name": "name", **NO_BIRTH, **REACH},
    "caregiver": {"name": "off", "proxy_name": "name", **NO_BIRTH, **REACH},
}


@pytest.mark.parametrize("who", WHO)
def test_the_contact_page_of_the_questionnaire(who):
    patient = Patient(who=who)
    patient.start()
    patient.walk_to("contact")
    assert tokens(patient.page) == CONTACT[who]
    page = patient.press("continue", {})  # the same page with errors
    assert page.status == 422
    assert tokens(page) == CONTACT[who]


@pytest.mark.parametrize("who", WHO)
def test_a_request_for_a_visit_asks_who_on_the_same_page(who):
    patient = Patient(who=who)
    patient.start("/appointments/")
    patient.walk_to("contact")
    unknown = {"name": "off", "proxy_name": "off", **NO_BIRTH, **REACH}
    assert tokens(patient.page) == unknown
    known = {"proxy_name": "off", **CONTACT[who]}
    assert tokens(patient.answer(email="no address")) == known
    patient.answer()
    patient.walk_to("check")
    assert tokens(patient.change("contact")) == known


@pytest.mark.parametrize("who", WHO)
def test_the_emergency_page(who):
    patient = Patient(who=who)
    patient.start()
    patient.walk_to("check")
    patient.change("safety")
    page = patient.answer(em_now=("chest_or_breath",))
    assert tokens(page) == {"phone": "tel", "name": "name" if who == "self" else "off"}
    label = "Your name" if who == "self" else "Patient’s full name"
    assert label in page.text
    again = patient.press("tell", {"phone": "1", "name": "Petra Canary"})
    assert again.status == 422
    assert tokens(again) == tokens(page)


def test_the_emergency_page_before_anybody_said_who_fills_in():
    patient = Patient()
    patient.start()
    page = patient.answer(em_now=("chest_or_breath",))
    assert "Your name" in page.text
    assert tokens(page) == {"phone": "tel", "name": "name"}


@pytest.mark.parametrize("who", WHO)
def test_no_other_page_of_the_walk_is_filled_in_by_a_browser(who):
    patient = Patient(who=who, pregnancy_status="no", sex_at_birth="female")
    patient.start()
    patient.walk_to("check")
    boxes = [tokens(page) for page in patient.seen if page.step != "contact"]
    assert {"age_years", "reason_text", "earliest_day"} <= {n for b in boxes for n in b}
    assert {token for box in boxes for token in box.values()} == {"off"}


@pytest.mark.parametrize("who", WHO)
def test_coming_back_and_adding_something(who):
    submission = builders.submission(who=who)
    visitor = Patient()
    assert tokens(visitor.get("/my/")) == {"reference": "off", "address": "email"}
    assert tokens(visitor.get("/my/find/")) == {"address": "email"}
    patient = asking(submission.reference)
    assert tokens(patient.page) == {"code": "one-time-code"}
    enter(patient, code_in(letters()))
    assert tokens(patient.page) == {"text": "off"}
    patient.press("add")
    while patient.page.step != "check":
        assert set(tokens(patient.page).values()) <= {"off"}
        patient.answer()


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (TellForm(), {"phone": "tel", "name": "name"}),
        (TellForm(proxied=True), {"phone": "tel", "name": "off"}),
        (FindForm(), {"address": "email"}),
        (ReturnForm(), {"reference": "off", "address": "email"}),
        (CodeForm(), {"code": "one-time-code"}),
        (ReplyForm(), {"text": "off"}),
    ],
)
def test_the_short_forms(form, expected):
    said = {name: field.widget.attrs.get("autocomplete") for name, field in form.fields.items()}
    assert said == expected


def test_the_wish_holds_nothing_of_a_person():
    widget = WishForm(choices=Choices()).fields["earliest"].widget
    assert {part.attrs["autocomplete"] for part in widget.widgets} == {"off"}


@pytest.mark.parametrize(
    "url", ["/admin/auth/user/add/", "/admin/intake/clinician/add/", "/admin/intake/location/add/"]
)
def test_staff_type_the_names_of_others(url):
    role = "administrator" if "user" in url else "front desk"
    response = builders.staff_client(role).get(url)
    page = Page(url, response)
    assert page.status == 200
    boxes = tokens(page)
    assert boxes
    assert set(boxes.values()) == {"off"}
