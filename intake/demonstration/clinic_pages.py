"""Invented facts for the public pages of the demonstration. Each text says that it is invented."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from clinic.translated import Translated
from intake.models.clinic_pages import (
    Access,
    ClinicianProfile,
    ClinicText,
    InsurancePlan,
    LocationProfile,
    TextKind,
)
from intake.models.clinic_time import Clinician, Location


def _both(english: str, spanish: str) -> Translated:
    return Translated(en=f"{english} (invented)", es=f"{spanish} (inventado)")


PLACE: dict[str, Any] = {
    "fax": "+1 202-555-0124",
    "latitude": Decimal("40.74844"),
    "longitude": Decimal("-73.98566"),
    "way": Translated(
        en="Leave bus 7 at Example Square (invented)\nahead: past the fountain\n"
        "left: at the bakery, into Example Street\nright: at the pharmacy\n"
        "ahead: number 12, the blue door",
        es="Baje del autobús 7 en la plaza Ejemplo (inventado)\nahead: pase la fuente\n"
        "left: en la panadería, por la calle Ejemplo\nright: en la farmacia\n"
        "ahead: número 12, la puerta azul",
    ),
    "transport": _both("Bus 7 to Example Square", "Autobús 7 hasta la plaza Ejemplo"),
    "parking": _both(
        "Parking behind the house, free for 2 hours",
        "Estacionamiento detrás de la casa, gratis por 2 horas",
    ),
    "access": [Access.STEP_FREE, Access.LIFT, Access.TOILET, Access.TABLE],
    "access_note": _both(
        "The ramp is to the left of the blue door",
        "La rampa está a la izquierda de la puerta azul",
    ),
}
PEOPLE: Sequence[dict[str, Any]] = (
    {
        "credentials": "MD",
        "role": _both("Vein and artery doctor", "Doctora de venas y arterias"),
        "sees": _both("Varicose veins, swelling, leg sores", "Várices, hinchazón, llagas"),
        "languages": _both("English, Spanish", "Inglés, español"),
        "takes_new": True,
    },
    {
        "credentials": "MD",
        "role": _both("Sleep doctor", "Doctor del sueño"),
        "sees": _both("Restless legs, bad sleep", "Piernas inquietas, mal sueño"),
        "languages": _both("English, Igbo", "Inglés, igbo"),
        "takes_new": False,
    },
)
PLANS: Sequence[tuple[str, bool, Translated]] = (
    ("Example Health PPO (invented)", False, Translated()),
    ("Sample Care HMO (invented)", True, _both("Not the plan “Basic”", "No el plan “Basic”")),
)
TEXTS = {
    TextKind.LANGUAGES: _both(
        "Our staff speak English and Spanish", "Nuestro personal habla inglés y español"
    ),
    TextKind.JOINING: _both(
        "We send you a link one day before a video visit",
        "Le enviamos un enlace un día antes de la visita por video",
    ),
    TextKind.REFERRAL: _both(
        "You need no referral, unless your plan asks for one",
        "No necesita un referido, salvo que su plan lo pida",
    ),
    TextKind.MINORS: _both(
        "A parent or guardian comes along", "Viene también el padre, la madre o el tutor"
    ),
    TextKind.MISSED: _both(
        "A missed visit costs nothing. After two we call you",
        "Una cita perdida no cuesta nada. Después de dos le llamamos",
    ),
    TextKind.SELF_PAY: _both(
        "First visit: $180. Ultrasound of one leg: $240",
        "Primera visita: $180. Ultrasonido de una pierna: $240",
    ),
    TextKind.PAYING: _both(
        "By card or check. We agree on payments by the month if you ask",
        "Con tarjeta o cheque. Si lo pide, acordamos pagos mensuales",
    ),
    TextKind.ESTIMATE: _both("Ask for the billing desk", "Pregunte por facturación"),
}


def load(*, place: Location, people: Sequence[Clinician]) -> None:
    """Store invented facts about a place and its clinicians, and invented plans and texts."""
    LocationProfile.objects.create(location=place, **PLACE)
    for order, (clinician, facts) in enumerate(zip(people, PEOPLE, strict=False)):
        ClinicianProfile.objects.create(
            clinician=clinician, order=order, is_published=True, **facts
        )
    for name, needs_referral, note in PLANS:
        InsurancePlan.objects.create(name=name, needs_referral=needs_referral, note=note)
    for kind, text in TEXTS.items():
        ClinicText.objects.create(kind=kind, text=text)
