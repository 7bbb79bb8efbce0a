"""A patient whom an emergency answer has stopped, and who leaves a phone number for the clinic."""

from django.db import OperationalError

from intake.protocols import current
from tests.intake.patient import Patient

SAFETY = [o.code for o in current().question("em_now").options if o.code != "none"]
PREGNANCY = [o.code for o in current().question("preg_warning").options if o.code != "none"]
PREGNANT = {"sex_at_birth": "female", "pregnancy_status": "pregnant"}
SORE = {"vein_look": ("open_sore",), "wound_time": "lt_2w", "vein_bleed": "never"}
NEW_LEFT = {"onset": "today", "leg_side": "left"}
# rule → page, the answers that make the rule fire
STOPS = {
    "E08": ("mood", {"si_screen": "active_now"}),
    "E09": ("mood", {"si_screen": "active"}),
    "E10": ("arteries-3", {"foot_signs": ("cold_pale_one",), "cold_since": "today"}),
    "E10 a week": ("arteries-3", {"foot_signs": ("cold_pale_one",), "cold_since": "d2_14"}),
    "E10 unsure": ("arteries-3", {"foot_signs": ("cold_pale_one",), "cold_since": "unsure"}),
    "E11 black toe": ("health", {"foot_signs": ("black_toe",), "conditions": ("diabetes",)}),
    "E11 fever": ("health", {**SORE, "wound_signs": ("fever",), "conditions": ("diabetes",)}),
    "E12 wound": ("veins-3", {**SORE, "wound_signs": ("black_dead", "pus_smell")}),
    "E12 toe": ("arteries", {"leg_new": ("red_warm_fever",), "foot_signs": ("black_toe",)}),
    "E21": ("reason-4", {**NEW_LEFT, "em_again": ("cold_leg_sudden",)}),
    "E23": ("safety", {"em_past": ("stroke_passed",)}),
    "E24": ("safety", {"em_past": ("blood_coughed",)}),
    "E25 chest": ("safety", {"em_past": ("fainted_chest",)}),
    "E25 calf": ("veins", {"em_past": ("fainted",), "leg_new": ("calf_thigh_pain",)}),
    "E22": ("reason-4", {**NEW_LEFT, "em_again": ("stroke_signs",)}),
}  # fmt: skip


def at_safety(**says) -> Patient:
    patient = Patient(**says)
    patient.start()
    return patient


def advice_of(rule_id: str) -> str:
    return current().rule(rule_id).advice


def is_stop_page(patient: Patient) -> bool:
    return patient.page.red_card and patient.page.links_to("tel:911")


class Down:
    """A database that does not answer."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, execute, sql, params, many, context):
        self.asked += 1
        raise OperationalError("server closed the connection unexpectedly")


def stopped(**says) -> Patient:
    patient = at_safety(**says)
    patient.answer(em_now=("chest_or_breath",))
    return patient


def tell(patient: Patient, **typed: str):
    return patient.press("tell", {"phone": "202-555-0147", "name": "", **typed})
