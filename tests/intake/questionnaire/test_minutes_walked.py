"""The minutes on the start page are those that a walk through the pages takes.

Measured over the pages as a patient sees them: reading at 200 words a minute, 4 seconds for each
tap, and typing at 36 words a minute. A notice that stands at the foot of each page is read once.
"""

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest

from intake import protocols
from intake.demonstration.people import patients
from intake.domain.definition import Protocol
from intake.domain.minutes import TAP_SECONDS, WORDS_A_SECOND, minutes
from tests.intake.patient import Page, Patient, born

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("both_served", "roomy")]

LETTERS_A_SECOND = 3
ADDRESS = {"intake": "intake", "appointment": "appointments"}
NOT_READ = re.compile(
    r'(?s)<span class="vh">.*?</span>|<a href="[^"]*">[^<]*</a>(?=</dd>)|<a class="back".*?</a>'
    r'|<div class="trap".*?</div>|<button.*?</button>|<textarea.*?</textarea>'
)
FOOT = re.compile(r'(?s)<p class="quiet">[^<]*</p>\s*<p class="quiet leave">.*?</p>')


def typical(protocol: Protocol) -> dict[str, Any]:
    """Return the answers of the invented adult whose number of answers is the median."""
    until, uses = datetime(2026, 11, 30, 12, tzinfo=UTC), protocol.uses
    invented = [
        dict(patient.content.answers)
        for patient in patients(protocol, seed=3, count=200, until=until)
        if patient.kind == "intake"
    ]
    adults = [
        answers
        for answers in invented
        if answers[uses.age] > 17 and not uses.is_proxy(answers[uses.who.q])
    ]
    return sorted(adults, key=len)[len(adults) // 2]


def seconds(page: Page, says: dict[str, Any]) -> float:
    """Return how long it takes to read the page, to answer it and to go on."""
    main = re.search(r"(?s)<main.*?</main>", page.html)
    assert main is not None
    text = unescape(re.sub(r"<[^>]+>", " ", FOOT.sub(" ", NOT_READ.sub(" ", main[0]))))
    taken = len(text.split()) / WORDS_A_SECOND + TAP_SECONDS
    for name in page.form.asked:
        said = says.get(name, ())
        several = said if isinstance(said, tuple) else (str(said),)
        taken += TAP_SECONDS * len(several)
        if page.form.controls[name].kind not in ("radio", "checkbox"):
            taken += sum(len(typed) for typed in several) / LETTERS_A_SECOND
    return taken


@pytest.mark.parametrize("kind", ["intake", "appointment"])
@pytest.mark.parametrize("prefix", ["", "/es"])
@pytest.mark.parametrize("name", protocols.available())
def test_minutes_said_and_minutes_counted_agree(name, prefix, kind):
    protocol = protocols.load(name)
    says = typical(protocol)
    patient = Patient(**says, **born(says[protocol.uses.age]))
    patient.start(f"{prefix}/{ADDRESS[kind]}/{name}/")
    patient.walk_to("check")
    said = minutes(protocol, kind)
    assert f"{said} min" in patient.seen[0].text
    counted = sum(seconds(page, patient.says) for page in patient.seen[1:]) / 60
    assert counted * 0.8 <= said <= counted * 1.2
