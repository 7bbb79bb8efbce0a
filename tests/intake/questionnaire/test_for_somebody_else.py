"""Another person fills in the form: no page or letter speaks as if that person were the patient."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from intake import protocols
from intake.models.submissions import Submission
from tests.intake.patient import Page, Patient
from tests.intake.way_in import inside, letters

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roomy", "codes_without_limit")]

PROXIES = protocols.current().uses.who.proxy
OF_PATIENT = (
    "appointment|visit|health|mood|sleep|pain|body|skin|blood|doctor|medicines?|symptoms?"
    "|legs?|foot|feet|calf|thigh|veins?|arter(y|ies)|age|birth date|date of birth"
)
SAID_TO_PATIENT = re.compile(
    rf"\byour (own |last |next )?({OF_PATIENT})\b|\b(see|examine|treat) you\b"
    r"|\b(do|are|have|did|were) you (ever|had|smoke|pregnant|feel)\b",
    re.IGNORECASE,
)
CARDS = re.compile(r'(?s)<(div|section) class="card.*?</\1>')
"""Advice has no wording for a proxy: its text is signed as it is."""


def said_to_patient(page: Page) -> list[str]:
    """Return the words of a page, without advice, that fit only the patient."""
    main = page.html.partition("<main")[2].partition("</main>")[0]
    words = " ".join(re.sub(r"<[^>]+>", " ", CARDS.sub(" ", main)).split())
    return [found[0] for found in SAID_TO_PATIENT.finditer(words)]


@pytest.mark.parametrize("start", ["/intake/", "/appointments/"])
@pytest.mark.parametrize("who", PROXIES)
def test_no_page_of_a_proxy_speaks_as_if_the_proxy_were_the_patient(who, start):
    patient = Patient(who=who, phq2_interest=None, phq2_down=None)
    patient.start(start)
    patient.walk_to("check")
    patient.get("/intake/copy/")
    copy = patient.page
    patient.get("/intake/check/")
    check = patient.page
    receipt = patient.send()
    letters()
    submission = Submission.objects.get()
    own = inside(submission)
    if start == "/intake/":
        own.press("part_2")
        own.walk_to("check")
    faults = [
        (p.path, said) for p in (*patient.seen[2:], *own.seen) if (said := said_to_patient(p))
    ]
    assert faults == []
    # these pages say whose answers they have
    for page in (copy, check, receipt):
        assert "about the patient" in page.text, page.path


@pytest.mark.parametrize(
    "source",
    [
        *Path(settings.BASE_DIR, "templates/email").glob("*.txt"),
        *Path(settings.BASE_DIR, "templates/my").glob("*.html"),
    ],
    ids=lambda path: path.name,
)
def test_no_letter_and_no_own_page_says_whose_body_or_visit_it_is(source):
    """These pages and letters go to the patient or to a proxy, so their words fit both."""
    assert not SAID_TO_PATIENT.findall(source.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", protocols.available())
def test_the_titles_of_a_protocol_fit_a_proxy(name):
    protocol = protocols.load(name)
    contact = protocol.page_of(protocol.uses.contact.phone).section
    titles = [s.title for s in protocol.questionnaire.sections if s.id != contact]
    assert [title for title in titles if re.search(r"\b(you|your|I|my)\b", title, re.I)] == []
