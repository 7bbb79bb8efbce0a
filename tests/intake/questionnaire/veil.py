"""A patient whose device was left alone, and what the pages show then."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings as site
from django.utils import timezone

from intake.domain.route import visible
from intake.models.submissions import Draft
from intake.protocols import current
from intake.questionnaire import drafts
from intake.questionnaire.walk import Walk
from tests import builders
from tests.intake.patient import TALKATIVE, Page, Patient, step_url

PROTOCOL = current()
PRIVATE = "We hide your private answers"
# the answers of a woman who is asked all sensitive questions; no answer is urgent
HERS: dict[str, Any] = {
    **builders.ORDINARY,
    **TALKATIVE,
    "ferritin": Decimal("61.5"),
    "tsat": Decimal(22),
    "hemoglobin": Decimal("13.1"),
    "pregnancy_status": "recent",
    "preg_warning": ("none",),
    "med_link": "no",
}

SENSITIVE = sorted(
    PROTOCOL.sensitive.intersection(visible(PROTOCOL, HERS))
    - {"lang_help", "callback_phone", *PROTOCOL.uses.later}
)
OWN_WORDS, MEDICINE = HERS["reason_text"], HERS["meds_list"]


def leave_alone(minutes: float = 31) -> None:
    Draft.objects.update(updated_at=timezone.now() - timedelta(minutes=minutes))


def with_draft(content: Any) -> Patient:
    patient = Patient()
    _draft, key = drafts.begin(kind="intake", language="en", device="mine", content=content)
    patient.client.cookies[site.DRAFT_COOKIE_NAME] = key
    return patient


SAFE = {"calls": "any", "voicemail": "yes"}
"""What the contact page stores of a patient who changes no default."""


def finished(contact: dict[str, Any] | None = None, **says: Any) -> Patient:
    """Return a patient who has answered everything on her own phone, and was called away."""
    patient = with_draft(builders.content({**SAFE, **(contact or {})}, **{**HERS, **says}))
    leave_alone()
    return patient


def walk_now() -> Walk:
    return drafts.walk_of(Draft.objects.latest("id"))


def stored() -> dict[str, Any]:
    content = Draft.objects.latest("id").content
    return {name: content[name] for name in ("answers", "contact", "wish")}


def row(page: Page, question: str) -> str:
    """Return the check page's row of a question, with the words of its link."""
    text = re.escape(question)
    found = re.search(rf"<dt>{text}</dt>(.*?)</div>", page.html, re.S)
    assert found, question
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split()).replace(question, "").strip()


def every_page(patient: Patient, page_id: str = "") -> list[Page]:
    """Open all pages that the patient can open before sending, and return the pages.

    With `page_id`, open only that page of the walk, and the pages after the walk.
    """
    urls = [step_url(step) for step in walk_now().steps if page_id in ("", step)]
    return [patient.get(url) for url in (*urls, "/intake/check/", "/intake/save/", "/intake/")]
