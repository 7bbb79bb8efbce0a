"""Where the clinic serves two protocols: a request for an appointment, and the bench's visitor."""

from itertools import combinations
from typing import Any

import pytest

from intake import documents, protocols
from intake.domain.triage import assess
from intake.models.submissions import Draft, Submission
from tests import builders
from tests.bench import goals, patients
from tests.builders import ORDINARY
from tests.desk import WORKLIST, words
from tests.intake import second
from tests.intake.patient import Patient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("both_served", "roomy")]
EMERGENCY = {"em_now": ("bleeding_now",)}


def asking(address: str, topic: str | None = None, **says: Any) -> Patient:
    """Return a patient who has begun a request and chosen `topic`; None for an untouched form."""
    patient = Patient(**says)
    patient.get(address)
    said = {} if topic is None else {"topic": topic}
    form = next(form for form in patient.page.forms if "mine" in form.buttons)
    patient.press("mine", {**form.values, **said})
    return patient


def asked_by(patient: Patient) -> str:
    return documents.protocol_of(patient.draft.protocol_id).name


@pytest.mark.parametrize("prefix", ["", "/es"])
@pytest.mark.parametrize(
    ("address", "topic", "name"),
    [
        ("/appointments/", None, "legs"),
        ("/appointments/", "", "legs"),
        ("/appointments/", "legs", "legs"),
        ("/appointments/", "veins", "veins"),
        ("/appointments/veins/", None, "veins"),
        ("/appointments/veins/", "", "legs"),
        ("/appointments/veins/", "legs", "legs"),
        ("/appointments/", "nonsense", "legs"),
        ("/appointments/veins/", "shared", "legs"),
    ],
)
def test_a_request_belongs_to_what_the_patient_says_or_comes_from(prefix, address, topic, name):
    patient = asking(prefix + address, topic)
    assert asked_by(patient) == name
    assert patient.page.path == f"{prefix}/intake/{name}/p/safety/"


@pytest.mark.parametrize("name", ["legs", "veins"])
def test_safety_is_asked_once_and_the_row_is_judged_and_shown_as_its_own(name):
    patient = asking("/appointments/", name)
    patient.walk_to("check")
    assert [page.step for page in patient.seen].count("safety") == 1
    patient.send()
    submission = Submission.objects.get()
    protocol = documents.protocol_of(submission.protocol_id)
    assert protocol.name == name
    asked = {*protocol.uses.walks.appointment, *protocol.uses.contact_agrees_with}
    assert {"em_now", "who", "age_years"} <= submission.answers.keys() <= asked
    title = protocol.questionnaire.title
    assert title in words(builders.staff_client("clinician").get(f"{WORKLIST}?protocol={name}"))


@pytest.mark.parametrize("name", ["legs", "veins"])
def test_an_emergency_stops_a_request_of_each(name):
    patient = asking(f"/appointments/{name}/")
    assert patient.answer(**EMERGENCY).red_card
    patient.press("tell", {"phone": "202-555-0147", "name": ""})
    submission = Submission.objects.get()
    assert documents.protocol_of(submission.protocol_id).name == name
    assert submission.get_urgency_display() == "Emergency"


def test_whoever_asks_the_same_safety_answers_are_judged_the_same():
    """So the protocol that is served first can judge a request that names no protocol."""
    first, other = (protocols.load(name) for name in ("legs", "veins"))
    safety = first.question(first.uses.safety)
    codes = [option.code for option in safety.options if option.code not in safety.exclusive]
    known = {"who": ORDINARY["who"], "age_years": ORDINARY["age_years"]}
    for count in range(len(codes) + 1):
        for some in combinations(codes, count):
            for retracted in (False, True):
                answers = {**known, safety.id: some or safety.exclusive}
                one, two = (
                    assess(each, answers, safety_retracted=retracted) for each in (first, other)
                )
                assert one.urgency == two.urgency, some
                red = [
                    {(f.id, f.advice) for f in each.fired if f.level in ("emergency", "same_day")}
                    for each in (one, two)
                ]
                assert red[0] == red[1], some


def test_the_page_names_the_choices_and_keeps_the_one_of_the_address():
    page = Patient().get("/appointments/veins/")
    choice = page.form.controls["topic"]
    assert choice.offered == ["legs", "veins", ""]
    assert choice.chosen == ["veins"]
    assert "Something else, or I am not sure" in page.text
    assert Patient().get("/appointments/").form.controls["topic"].chosen == [""]
    assert page.links_to("/intake/veins/")


def test_a_draft_under_way_is_kept_until_the_patient_says_so_and_the_choice_stays():
    patient = Patient()
    patient.start("/intake/legs/")
    patient.get("/appointments/")
    page = patient.post("/appointments/", {"device": "mine", "topic": "veins"})
    assert "You already started answering" in page.text
    assert Draft.objects.get().kind == "intake"
    starting = next(form for form in page.forms if "mine" in form.buttons)
    assert starting.controls["topic"].chosen == ["veins"]
    patient.press("mine")
    assert asked_by(patient) == "veins"
    assert patient.draft.kind == "appointment"


def test_a_second_press_goes_on_with_the_same_request():
    patient = asking("/appointments/", "veins")
    before = patient.draft.pk
    page = patient.post("/appointments/", {"device": "mine", "topic": "veins"})
    assert page.path == "/intake/veins/p/safety/"
    assert patient.draft.pk == before


@pytest.mark.parametrize("address", ["/appointments/veins/", "/es/appointments/veins/"])
def test_an_address_of_a_protocol_that_is_no_longer_served_leads_to_the_request(
    both_served, address
):
    second.serve(both_served, "legs")
    page = Patient().get(address)
    assert page.path == address.replace("veins/", "")
    assert "topic" not in page.form.controls
    assert asked_by(asking(page.path)) == "legs"
    assert Patient().get("/appointments/nonsense/").status == 404


def test_an_old_tab_that_names_a_protocol_no_longer_served_begins_a_request(both_served):
    patient = Patient()
    patient.get("/appointments/")
    second.serve(both_served, "legs")
    patient.press("mine", {"topic": "veins"})
    assert asked_by(patient) == "legs"
    assert patient.page.path == "/intake/legs/p/safety/"


@pytest.mark.parametrize("name", protocols.available())
def test_the_visitor_of_the_bench_walks_each_protocol_to_its_receipt(monkeypatch, name):
    monkeypatch.setitem(patients.PAGES, name, list(patients.pages_of(protocols.load(name))))
    for answer in patients.intake(goals.InProcess(), name):
        assert answer.status in (200, 302)
    submission = Submission.objects.get()
    assert documents.protocol_of(submission.protocol_id).name == name
