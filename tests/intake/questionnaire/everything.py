"""A patient who is asked every question, and a function that posts one wrong answer."""

from typing import Any

from intake.protocols import current
from tests.intake.patient import TALKATIVE, Page, Patient

PROTOCOL = current()
# A patient who is asked everything, to reach a page of each kind.
EVERYTHING = {
    **TALKATIVE,
    "pregnancy_status": "recent",
    "preg_warning": ("none",),
    "leg_new": ("sore_vein_below",),
    "clot_risk": ("none",),
    "vein_look": ("varicose", "open_sore"),
    "wound_time": "lt_2w",
    "wound_signs": ("none",),
    "foot_signs": ("cold_pale_one",),
    "cold_since": "over_12w",
    "si_screen": "none",
}


def at(step: str, **says: Any) -> Patient:
    patient = Patient(**{**EVERYTHING, **says})
    patient.jump_to(step)
    return patient


def refused(patient: Patient, question_id: str, typed: Any) -> Page:
    """Post the patient's page with one wrong answer. The page must come back with all answers."""
    before = patient.counted
    page = patient.answer(**{question_id: typed})
    assert page.status == 422, f"{question_id}={typed!r} was taken"
    assert page.errors
    assert page.title.startswith("Error: ")
    after = patient.counted
    assert after == before, "something was stored"
    for name in page.form.asked:
        if name != question_id and patient.says.get(name) is not None:
            said = patient.says[name]
            said = [str(v) for v in said] if isinstance(said, tuple) else [str(said)]
            assert page.form.values.get(name) == said, f"{name} was not kept"
    return page
