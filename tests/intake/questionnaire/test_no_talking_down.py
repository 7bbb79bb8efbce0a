"""Cases that once had too low an urgency because of one more answer, over HTTP.

The answers of a case stand in the golden tables. The expected urgency stands here, so that the
command that judges the golden tables again cannot change it.
"""

from typing import Any

import pytest

from intake.authoring import golden
from intake.draft_content import Content
from intake.models.submissions import Submission, Urgency
from intake.protocols import load
from intake.questionnaire.walk import Walk
from tests.builders import ORDINARY
from tests.intake.patient import CONTACT, WISH, Patient, born

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("both_served", "roomy")]

# The answers of every case unless its row has another answer. None of them raises the urgency.
FOLLOW_UP: dict[str, Any] = {
    "clot_risk": ("none",),
    "vein_bleed": "never",
    "bleed_count": "1",
    "wound_time": "lt_2w",
    "wound_signs": ("none",),
    "walk_pattern": ("in_joint",),
    "preg_warning": ("none",),
    "em_again": ("none",),
}
VEINS: dict[str, Any] = {
    **{id: ORDINARY[id] for id in ORDINARY if id in {q.id for q in load("veins").questions}},
    "visit_reason": "bulging",
    "leg_feel": ("none",),
    "phlebitis_count": "0",
    "vein_treatment": ("none",),
    "stocking_wear": "never_wore",
    "scanned": "no_scan",
    "allergies": ("none",),
    "told_have": ("none",),
    "clot_when": "clot_over_1y",
    "treatment_side": "side_left",
    "treatment_result": "still_better",
    "thinners": ("none",),
    "life_effect": "none",
}
BASE = {"legs": {**ORDINARY, **FOLLOW_UP}, "veins": {**VEINS, **FOLLOW_UP}}
WANTED = {
    # case: the urgency that it had before, and the urgency that it must have
    ("legs", "S01-20"): ("routine", "same_day"),  # swollen since today, in one leg
    ("legs", "S31-1"): ("routine", "same_day"),  # numb since today, in one leg
    ("legs", "S21-1"): ("soon", "same_day"),  # pregnant, one leg swollen for over 2 weeks
    ("legs", "S21-20"): ("soon", "same_day"),  # the same with a clot before and estrogen
    ("legs", "S11-8"): ("urgent", "same_day"),  # sore vein, a clot told among the illnesses
    ("legs", "S11-9"): ("urgent", "same_day"),  # the same with cancer
    ("legs", "S33-1"): (
        "soon",
        "same_day",
    ),  # artery disease, procedure, few steps, also when still
    ("legs", "S32-2"): ("routine", "same_day"),  # pain after few steps, new
    ("legs", "U08-7"): ("routine", "urgent"),  # restless all over, antipsychotic, link unsure
    ("legs", "U21-9"): ("soon", "urgent"),  # low, depression, suicide question off
    ("legs", "S22-1"): ("urgent", "same_day"),  # sore, diabetes, dialysis, artery disease
    ("legs", "S10-5"): ("soon", "same_day"),  # bled this week, brown skin
    ("legs", "U15-5"): ("urgent", "routine"),  # an old sore, asked again: it is gone
    ("legs", "U15-4"): ("urgent", "urgent"),  # an old sore, asked again: it is there
    ("veins", "S11-21"): ("urgent", "same_day"),  # sore vein, a blood thinner for a clot
    ("veins", "S10-6"): ("soon", "same_day"),  # bled this week, itchy skin
    ("veins", "S22-4"): ("urgent", "same_day"),  # sore, diabetes, dialysis
    ("veins", "VS1-8"): ("same_day", "routine"),  # an old bleed, asked again: a mistake
}


def patient_of(name: str, case: str) -> Patient:
    """Return a patient who gives the answers of a golden case, and nothing else that raises."""
    rows = {row["case"]: row for row in golden.all_cases(load(name))}
    answers, _meta = golden.answers_of(load(name), rows[case]["answers"])
    says = {**CONTACT, **WISH, **BASE[name], **answers}
    return Patient(**{**says, **born(says["age_years"])})


@pytest.mark.parametrize(("name", "case"), WANTED)
def test_a_patient_who_was_judged_too_low_gets_the_wanted_urgency(name: str, case: str) -> None:
    _before, wanted = WANTED[name, case]
    patient = patient_of(name, case)
    page = patient.whole_journey(f"/intake/{name}/")
    submission = Submission.objects.get()
    assert page.path == "/intake/sent/"
    assert submission.urgency == Urgency.of(wanted)
    first = submission.result.fired[0]
    behind = [id for id, value in first.inputs.items() if value is not None]
    assert wanted == "routine" or submission.answers.keys() & behind, "staff read no answer"


@pytest.mark.parametrize(("case", "number"), [("E21-1", "911"), ("E22-1", "911")])
@pytest.mark.parametrize("name", ["legs", "veins"])
def test_a_new_problem_of_one_leg_is_asked_once_more_and_stops_the_form(
    name: str, case: str, number: str
) -> None:
    patient = patient_of(name, case)
    patient.start(f"/intake/{name}/")
    patient.walk_to("reason-4")
    page = patient.answer()
    assert page.path == "/intake/emergency/"
    assert page.links_to(f"tel:{number}")


def test_a_problem_of_both_legs_is_not_asked_once_more() -> None:
    patient = patient_of("legs", "S31-4")
    patient.start("/intake/legs/")
    patient.walk_to("check")
    assert "reason-4" not in [page.step for page in patient.seen]


def test_an_emergency_stops_at_the_page_of_each_answer_behind_a_fact() -> None:
    """A sore with diabetes, and a fever that the patient ticked beside the red skin (E11)."""
    rows = {row["case"]: row for row in golden.all_cases(load("legs"))}
    answers, _meta = golden.answers_of(load("legs"), rows["E11-14"]["answers"])
    walk = Walk(load("legs"), Content(answers={**BASE["legs"], **answers}))
    assert [step for step in walk.steps if walk.stops_by(step)] == [
        "reason",
        "veins",
        "veins-3",
        "arteries",
        "health",
    ]
