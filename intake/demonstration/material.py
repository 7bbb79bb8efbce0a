"""What synthetic patients are made of: invented names, weights of answers, and stories.

Phone numbers begin with a real area code; 555-01xx belongs to no subscriber.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from intake.models.submissions import Kind

FIRST = """
    Amara Ana Beatriz Bram Carlos Chloe Daniel Dolores Elif Emeka Fatima Femi George Grace Hana
    Henrik Ines Isaac Jamila João José Kofi Lena Linh Lucía Malik Maria Mei Miriam Noah Nora
    Omar Olga Patrick Priya Quinn Rafael Ruth Sam Siobhán Sofia Tomás Uma Vera Wen Ximena Yara
    Zoë
""".split()
LAST = """
    Abara Anderson Baptiste Begum Castillo Chen Dlamini Dubois Eriksen Fernández Flores García
    Goldberg Haddad Hansen Ibrahim Ivanova Jackson Kaplan Kim Kowalska Lopez MacLeod Martínez
    Mbeki Nakamura Nguyen O’Brien Okafor Park Patel Quist Ramírez Rossi Silva Singh Smith Tanaka
    Torres Ueda Varga Walker Washington Xu Yilmaz Young Zamora Zhang
""".split()
AREAS = ("202", "212", "305", "312", "404", "415", "512", "602", "617", "713", "702", "206")

# The weight of each option of a single choice. Without weights all options are equally likely.
WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "who": {"self": 90, "caregiver": 10},
    "sex_at_birth": {"female": 60, "male": 38, "intersex": 1, "prefer_not": 1},
    "pregnancy_status": {"no": 88, "pregnant": 5, "maybe": 2, "recent": 3, "na": 2},
    "main_reason": {
        "restless": 45, "walking_pain": 10, "swelling": 10, "veins": 15, "sore_wound": 3,
        "cramps": 8, "numbness": 6, "other": 3,
    },
    "onset": {"today": 2, "d2_14": 8, "w2_12": 20, "m3_12": 30, "over_1y": 40},
    "rls_urge": {"yes": 65, "no": 25, "unsure": 10},
    "rls_rest": {"yes": 80, "no": 10, "unsure": 10},
    "rls_move": {"yes": 70, "was_before": 8, "no": 12, "unsure": 10},
    "rls_evening": {
        "evening": 60, "was_before": 8, "daytime": 8, "no_difference": 14, "unsure": 10,
    },
    "rls_freq": {"d6_7": 15, "d4_5": 15, "d2_3": 25, "d1": 15, "lt1": 20, "rare": 10},
    "lr7_interfere": {"none": 30, "little": 35, "some": 25, "lot": 10},
    "drowsy_drive": {"no": 80, "drowsy": 8, "fell_asleep": 1, "dont_drive": 11},
    "swell_long": {"none": 75, "both_new": 2, "one_long": 6, "both_long": 17},
    "vein_bleed": {"never": 95, "last_7d": 1, "over_7d": 4},
    "walk_pain": {"yes": 18, "no": 76, "cant_tell": 6},
    "cold_since": {"w2_12": 50, "over_12w": 50},
    "iron_results": {"yes_numbers": 15, "yes_no_numbers": 25, "no": 35, "unsure": 25},
    "med_link": {"yes": 15, "no": 60, "unsure": 25},
    "tobacco": {"never": 60, "former": 28, "current": 12},
    "mood_2w": {"ok": 65, "low_some": 28, "low_most": 7},
    "si_screen": {"none": 96, "prefer_not": 3, "passive": 1},
    "lang_help": {
        "english": 80, "spanish": 12, "asl": 1, "other_language": 4, "reading_help": 3,
    },
}  # fmt: skip
# The chance of each box of a multiple choice. No box ticked means the exclusive option.
CHANCES: Mapping[str, Mapping[str, float]] = {
    "rls_with": {
        "cramp_knot": 0.15, "position_fix": 0.1, "swelling_heavy": 0.2, "joint_pain": 0.1,
        "muscle_sore": 0.1, "burning_always": 0.1, "habit": 0.1, "whole_body": 0.05,
        "walk_stop": 0.03,
    },
    "leg_new": {
        "swelling_one": 0.02, "calf_thigh_pain": 0.02, "red_warm": 0.01, "red_warm_fever": 0.005,
        "sore_vein_below": 0.01, "sore_vein_above": 0.005,
    },
    "clot_risk": {"prior_clot": 0.1, "hormones": 0.1, "long_trip": 0.1, "clot_family": 0.1},
    "vein_look": {
        "spider": 0.35, "varicose": 0.25, "brown_skin": 0.06, "itchy_rash": 0.05,
        "hard_skin": 0.03, "healed_sore": 0.03, "open_sore": 0.02,
    },
    "vein_sx": {
        "heavy_ache": 0.5, "worse_standing": 0.4, "better_up": 0.4, "itch_burn": 0.2,
        "night_cramps": 0.3,
    },
    "wound_signs": {"on_foot_toe": 0.3, "pus_smell": 0.1, "spreading_red": 0.1},
    "walk_pattern": {
        "in_calf": 0.6, "in_thigh_buttock": 0.2, "in_foot": 0.1, "in_joint": 0.3,
        "also_when_still": 0.3, "stops_10min": 0.6, "bend_helps": 0.1,
    },
    "foot_signs": {
        "night_foot_pain": 0.015, "black_toe": 0.002, "cold_pale_one": 0.01, "numb_burning": 0.12,
    },
    "conditions": {
        "rls_dx": 0.15, "iron_low": 0.15, "kidney": 0.06, "dialysis": 0.01, "diabetes": 0.15,
        "neuropathy": 0.06, "parkinson": 0.01, "pad": 0.04, "vein_disease": 0.15,
        "clot_history": 0.05, "heart": 0.08, "heart_failure": 0.03, "cancer_active": 0.03,
        "sleep_apnea": 0.1, "depression_anxiety": 0.2, "back_spine": 0.2, "gut_bariatric": 0.05,
        "leg_procedure": 0.06,
    },
    "blood_loss": {
        "heavy_periods": 0.1, "donate_blood": 0.05, "black_stool": 0.005, "plant_diet": 0.12,
    },
    "meds_classes": {
        "antihistamine_sedating": 0.15, "antinausea": 0.03, "antipsychotic": 0.03,
        "ssri_snri": 0.15, "tca_mirtazapine": 0.05, "lithium": 0.01, "dopamine_agonist": 0.08,
        "levodopa": 0.02, "gabapentinoid": 0.1, "opioid": 0.04, "sedative": 0.06,
        "iron_oral": 0.12, "iron_iv": 0.02, "blood_thinner": 0.07, "antiplatelet": 0.15,
        "hormones": 0.08,
    },
    "dopa_effects": {
        "earlier": 0.3, "stronger_spread": 0.2, "more_dose": 0.2, "wears_off": 0.2,
        "strong_urges": 0.03, "sleep_attack": 0.02, "stopped_suddenly": 0.03,
    },
    "habits": {
        "alcohol_daily": 0.1, "caffeine_late": 0.4, "low_activity": 0.4, "snore_gasps": 0.2,
    },
}  # fmt: skip
NUMBERS: Mapping[str, tuple[float, float]] = {
    "ferritin": (12, 220), "tsat": (8, 44), "hemoglobin": (10.5, 16.5),
}  # fmt: skip
REASONS = (
    "It starts when I sit down in the evening and I have to get up and walk.",
    "Heavy legs after work, better when I put them up.",
    "I cannot sleep because my legs will not stay still.",
    "My mother had the same thing.",
    "The veins look worse than last year.",
    "",
    "",
    "",
)
MEDICINES = ("", "", "", "lisinopril, metformin", "thyroid pill", "vitamin D")


@dataclass(frozen=True)
class Story:
    """A kind of patient: how often it occurs, its ages, and the answers that make it."""

    name: str
    weight: float
    ages: tuple[int, int] = (19, 88)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    kind: str = Kind.INTAKE
    # an emergency answer that the patient gave first and then took back
    retracted: Mapping[str, Any] = field(default_factory=dict)


NONE = ("none",)
STORIES = (
    Story("ordinary", 60),
    Story("restless nights", 18, fixed={
        "main_reason": "restless", "rls_urge": "yes", "rls_rest": "yes", "rls_move": "yes",
        "rls_evening": "evening", "rls_freq": "d4_5", "lr7_interfere": "lot",
    }),
    Story("very severe", 2, fixed={
        "main_reason": "restless", "rls_urge": "yes", "rls_rest": "yes", "rls_move": "was_before",
        "rls_evening": "was_before", "rls_freq": "d6_7", "lr7_days": 7, "lr7_nights": 7,
        "lr7_strength": 9, "lr7_interfere": "lot",
    }),
    Story("augmentation", 2, ages=(45, 80), fixed={
        "rls_urge": "yes", "meds_classes": ("dopamine_agonist",),
        "dopa_effects": ("earlier", "stronger_spread"),
    }),
    Story("new swollen leg", 2, fixed={
        "main_reason": "swelling", "onset": "d2_14", "leg_new": ("swelling_one",),
        "clot_risk": ("long_trip",),
    }),
    Story("rest pain taken for restless legs", 1, ages=(55, 85), fixed={
        "main_reason": "restless", "foot_signs": ("night_foot_pain",), "tobacco": "current",
    }),
    Story("slow foot wound with diabetes", 1, ages=(50, 80), fixed={
        "main_reason": "sore_wound", "conditions": ("diabetes",), "vein_look": ("open_sore",),
        "wound_time": "ge_2w", "wound_signs": ("on_foot_toe",), "foot_signs": ("numb_burning",),
    }),
    Story("bled vein", 1, fixed={"vein_look": ("varicose",), "vein_bleed": "last_7d"}),
    Story("short walking distance", 2, ages=(55, 85), fixed={
        "main_reason": "walking_pain", "walk_pain": "yes", "walk_distance": "under_2_blocks",
        "walk_pattern": ("in_calf", "stops_10min"),
    }),
    Story("alarming words", 1, fixed={
        "reason_text": "My foot went ice cold last winter, fine now.",
    }),
    Story("pregnant and restless", 2, ages=(22, 40), fixed={
        "sex_at_birth": "female", "pregnancy_status": "pregnant", "preg_warning": NONE,
        "rls_urge": "yes", "rls_rest": "yes", "rls_move": "yes", "rls_evening": "evening",
    }),
    Story("young person with a guardian", 2, ages=(8, 17), fixed={"who": "parent_guardian"}),
    Story("answers that disagree", 2, fixed={
        "main_reason": "sore_wound", "vein_look": ("varicose",), "rls_urge": "yes",
        "rls_freq": "lt1", "lr7_days": 3, "lr7_nights": 6,
    }),
    Story("took an emergency back", 1, retracted={"em_now": ("chest_or_breath",)}),
    Story("stopped: cold leg", 0.7, fixed={"em_now": ("cold_leg_sudden",)}, kind=Kind.STOPPED),
    Story("stopped: breathless", 0.6, fixed={"em_now": ("chest_or_breath",)}, kind=Kind.STOPPED),
    Story("stopped: diabetic foot", 0.4, ages=(55, 80), kind=Kind.STOPPED, fixed={
        "foot_signs": ("black_toe",), "conditions": ("diabetes",),
    }),
    Story("only an appointment", 4, kind=Kind.APPOINTMENT),
)  # fmt: skip
