"""A small second protocol, `skin`, for tests with two protocols.

Its questions have other ids than the questions of `legs`, but its pages have the same names, so
that tests find code that mixes the two protocols. Its rules are invented; no clinic may use them.
"""

from pathlib import Path
from typing import Any

import yaml

from intake import documents, protocols
from intake.demonstration import material
from intake.domain.definition import Protocol, from_data
from intake.questionnaire.views import contact_step, question_step, start, wish_step

NAME = "skin"
# The answers of an adult with nothing urgent.
SAYS: dict[str, Any] = {
    "stop_first": ("nothing",),
    "filler": "me",
    "years": 44,
    "spot_seen": "no_spot",
    "story": "It itches.",
    "talk_help": "plain",
    "ring_at": "(202) 555-0147",
    "understood": "on",
}
EMERGENCY = {"stop_first": ("spreading",)}
ADVICE = "Call 911 now. A red patch that grows by the hour needs help."
PROXY = {"filler": "helper"}

LEVELS = [
    {"code": "emergency", "rank": 4, "target": "now", "contact_within": {"open_hours": 0}},
    {
        "code": "same_day",
        "rank": 3,
        "target": "clinician contact within {within}",
        "contact_within": {"open_hours": 2},
        "tell": "A clinician reads your answers today, by {by}.",
        "closed": "Our clinic is closed now. Go to urgent care today.",
    },
    {
        "code": "urgent",
        "rank": 2,
        "target": "nurse call within {within}, seen within {seen_within}",
        "contact_within": {"business_days": 1},
        "seen_within": {"days": 10},
        "tell": "A nurse reads your answers and contacts you by {by}.",
    },
    {
        "code": "soon",
        "rank": 1,
        "target": "seen within {within}",
        "contact_within": {"days": 21},
        "tell": "We read your answers and aim for the visit within {within}.",
    },
    {
        "code": "routine",
        "rank": 0,
        "target": "next regular visit (within {within})",
        "contact_within": {"days": 63},
        "tell": "We read your answers and aim for the visit within {within}.",
    },
]


def _question(id: str, page: str, type: str, text: str, **more: Any) -> dict[str, Any]:
    return {
        "id": id,
        "page": page,
        "type": type,
        "text": text,
        "required": True,
        "show_if": None,
        "seconds": 20,
        **more,
    }


def _options(**labels: str) -> list[dict[str, str]]:
    return [{"code": code, "label": label} for code, label in labels.items()]


QUESTIONNAIRE: dict[str, Any] = {
    "version": "1.0.0",
    "date": "2026-11-30",
    "locale": "en-US",
    "grammar": {},
    "title": "Skin and sores",
    "audience": "For people with a rash or a sore on a leg.",
    "uses": {
        "safety": "stop_first",
        "who": {"q": "filler", "proxy": ["helper"]},
        "age": "years",
        "complaint": ["spot_seen"],
        "own_words": "story",
        "free_text": ["story", "creams"],
        "contact": {
            "phone": "ring_at",
            "language_help": "talk_help",
            "acknowledged": "understood",
            "speaks": {"es": "spanish_talk"},
        },
        "walks": {
            "appointment": ["stop_first"],
            "addition": ["stop_first", "story"],
            "part_2": ["stop_first", "creams"],
        },
    },
    "sections": [
        {
            "id": "safety",
            "title": "First",
            "questions": [
                _question(
                    "stop_first", "safety", "multi", "Is one of these true now?",
                    options=_options(spreading="A red patch grows by the hour", nothing="No"),
                    exclusive=["nothing"], interrupts=True, worse="ticked",
                )
            ],
        },
        {
            "id": "about",
            "title": "The patient",
            "questions": [
                _question(
                    "filler", "about", "single", "Who fills this in?",
                    options=_options(me="The patient", helper="Another person"),
                ),
                _question(
                    "years", "about", "integer", "Age of the patient in years?", min=0, max=120
                ),
                _question(
                    "spot_seen", "about-2", "single", "What do you see on the skin?",
                    options=_options(no_spot="Nothing new", rash="A rash", sore="A sore"),
                    proxy={"text": "What does the patient see on the skin?"},
                ),
                _question(
                    "story", "about-2", "text", "Tell us about the skin.", max_length=500,
                    required=False,
                ),
            ],
        },
        {
            "id": "visit",
            "title": "Before the visit",
            "questions": [
                _question(
                    "creams", "visit", "text", "Which creams are used?", max_length=200,
                    required=False,
                ),
            ],
        },
        {
            "id": "contact",
            "title": "How to reach you",
            "questions": [
                _question(
                    "talk_help", "contact", "single", "Which language help is needed?",
                    options=_options(plain="None", spanish_talk="Spanish"),
                ),
                _question("ring_at", "contact", "text", "Which number can we call?", max_length=25),
                _question(
                    "understood", "contact", "boolean", "This form is not for emergencies.",
                    must_be=True,
                ),
            ],
        },
    ],
}  # fmt: skip

RULES: dict[str, Any] = {
    "version": "1.0.0",
    "date": "2026-11-30",
    "levels": LEVELS,
    "alarm_patterns": ["turned green"],
    "computed": {},
    "rules": [
        {
            "id": "E1",
            "level": "emergency",
            "name": "spreading patch",
            "interrupt": True,
            "inputs": ["stop_first"],
            "when": {"q": "stop_first", "op": "contains", "value": "spreading"},
            "reason": "A patch that grows by the hour.",
            "advice": ADVICE,
            "source": "Invented for a test",
        },
        {
            "id": "D1",
            "level": "same_day",
            "name": "alarming words",
            "interrupt": False,
            "inputs": ["story", "creams"],
            "when": {
                "any": [
                    {"q": text, "op": "text_any_regex", "value": "@alarm_patterns"}
                    for text in ("story", "creams")
                ]
            },
            "reason": "Green skin.",
            "advice": "Green skin must be seen today. Go to urgent care.",
            "closed": "Our clinic is closed now. Go to urgent care today.",
            "may_wait_hours": 0,
            "source": "Invented for a test",
        },
        {
            "id": "N1",
            "level": "routine",
            "name": "anything else",
            "interrupt": False,
            "inputs": ["stop_first"],
            "when": {"q": "stop_first", "op": "contains", "value": "nothing"},
            "reason": "Nothing urgent.",
            "advice": "Keep the skin clean and dry.",
            "source": "Invented for a test",
            "fallback": True,
            "only_if_none": True,
        },
    ],
}

SPANISH: dict[str, Any] = {
    "language": "es",
    "title": "Piel y llagas",
    "audience": "Para personas con una erupción o una llaga en una pierna.",
    "sections": {
        "safety": "Primero",
        "about": "La persona",
        "visit": "Antes de la visita",
        "contact": "Cómo comunicarnos",
    },
    "questions": {
        "stop_first": {
            "text": "¿Pasa algo de esto ahora?",
            "options": {"spreading": "Una mancha roja crece por horas", "nothing": "No"},
        },
        "filler": {"text": "¿Quién llena esto?", "options": {"me": "Yo", "helper": "Otra persona"}},
        "years": {"text": "¿Qué edad tiene, en años?"},
        "spot_seen": {
            "text": "¿Qué se ve en la piel?",
            "options": {"no_spot": "Nada nuevo", "rash": "Una erupción", "sore": "Una llaga"},
            "proxy": {"text": "¿Qué ve la persona en la piel?"},
        },
        "story": {"text": "Cuéntenos sobre la piel."},
        "creams": {"text": "¿Qué cremas se usan?"},
        "talk_help": {
            "text": "¿Qué ayuda de idioma necesita?",
            "options": {"plain": "Ninguna", "spanish_talk": "Español"},
        },
        "ring_at": {"text": "¿A qué número podemos llamar?"},
        "understood": {"text": "Este formulario no es para emergencias."},
    },
    "levels": {
        "emergency": {"target": "ahora"},
        "same_day": {
            "target": "contacto dentro de {within}",
            "tell": "Leemos sus respuestas hoy, a más tardar {by}.",
            "closed": "La clínica está cerrada. Vaya hoy a una sala de emergencia.",
        },
        "urgent": {
            "target": "llamada dentro de {within}, visita dentro de {seen_within}",
            "tell": "Una enfermera lee sus respuestas y le llama a más tardar {by}.",
        },
        "soon": {
            "target": "visita dentro de {within}",
            "tell": "Leemos sus respuestas. La visita es dentro de {within}.",
        },
        "routine": {
            "target": "próxima visita (dentro de {within})",
            "tell": "Leemos sus respuestas. La visita es dentro de {within}.",
        },
    },
    "rules": {
        "E1": {"advice": "Llame al 911 ahora. Una mancha que crece por horas necesita ayuda."},
        "D1": {
            "advice": "La piel verde se debe ver hoy. Vaya a una clínica de urgencia.",
            "closed": "La clínica está cerrada. Vaya hoy a una clínica de urgencia.",
        },
        "N1": {"advice": "Mantenga la piel limpia y seca."},
    },
}

STORIES: dict[str, Any] = {
    "weights": {},
    "chances": {},
    "numbers": {},
    "texts": {"story": ["", "It itches."], "creams": [""]},
    "stories": [
        {"name": "calm", "weight": 9, "answers": {"filler": "me"}},
        {"name": "spreading", "weight": 1, "answers": {"stop_first": ["spreading"]}},
    ],
}


def protocol(**heads: Any) -> Protocol:
    """Return the second protocol; `heads` replace keys at the top of its questionnaire."""
    return from_data(NAME, {**QUESTIONNAIRE, **heads}, RULES)


def write(folder: Path, approval: dict[str, Any] | None = None, **heads: Any) -> None:
    """Write the files of the second protocol into a folder, and replace earlier files."""
    own = folder / NAME
    own.mkdir(exist_ok=True)
    content_hash = protocol(**heads).content_hash
    for name, data in {
        "questionnaire": {**QUESTIONNAIRE, **heads},
        "rules": RULES,
        "approval": approval or {},
        "es": {**SPANISH, "translates": content_hash},
        "stories": STORIES,
    }.items():
        (own / f"{name}.yaml").write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")


def serve(folder: Path, *names: str) -> None:
    """Serve the protocols `names` from now on, as if the program had just been started."""
    text = "".join(f"- {name}\n" for name in names)
    (folder / "served.yaml").write_text(text, encoding="utf-8")
    start_anew()


def start_anew() -> None:
    """Clear the caches of everything that a process reads only once."""
    for module in (protocols, documents, material, contact_step, question_step, start, wish_step):
        for thing in vars(module).values():
            if hasattr(thing, "cache_clear"):
                thing.cache_clear()
