"""What every template may say of this clinic. Settings only: no database, session or user."""

import re

from django.conf import settings


def phone_link(number: str) -> str:
    """`tel:` and the number as a phone dials it: a leading plus and the digits."""
    plus = "+" if number.lstrip().startswith("+") else ""
    return f"tel:{plus}{re.sub(r'[^0-9]', '', number)}"


def site(request):
    return {
        "clinic_name": settings.CLINIC_NAME,
        "clinic_phone": settings.CLINIC_PHONE,
        "clinic_phone_link": phone_link(settings.CLINIC_PHONE),
        "emergency_number": settings.EMERGENCY_NUMBER,
        "crisis_line": settings.CRISIS_LINE,
        "hours": settings.CLINIC_HOURS.describe(),
        "languages": settings.LANGUAGES,
        "demo": settings.DEMO,
        "idle_minutes": settings.DRAFT_IDLE_MINUTES,
        "draft_days": settings.DRAFT_DAYS,
        "chooses_times": settings.APPOINTMENT_MODE == "slots",
    }
