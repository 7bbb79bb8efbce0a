"""Every period that a patient reads comes from a level of the protocol.

When the protocol changes a period, no page, letter or education page names the old period.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command

from clinic import hours
from clinic.outgoing import outbox
from education.models import Page
from intake import protocols
from intake.domain.definition import Within
from intake.domain.levels import RANKS
from intake.domain.problems import LONGEST_RULE, LONGEST_VERSION, problems
from intake.models.submissions import ProtocolDocument, RuleCount, Submission, Urgency
from tests.intake import book, second
from tests.intake.domain.altered import with_level
from tests.intake.my_visit import inside
from tests.intake.patient import Patient

pytestmark = pytest.mark.django_db
SOON = {"drowsy_drive": "drowsy"}
URGENT = {"drowsy_drive": "fell_asleep"}
SIX_WEEKS = re.compile(r"\b(6|six|42|seis) (weeks?|semanas?|days?|d[ií]as?)\b", re.IGNORECASE)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, fresh_pages: None) -> Iterator[Callable[..., None]]:
    """Return a function that serves a copy of the protocol in which one level is changed."""

    def changed(code: str, **changes: Any) -> None:
        copy = with_level(protocols.current(), code, **changes)
        assert problems(copy) == []
        monkeypatch.setattr(protocols, "load", lambda name: copy)
        second.start_anew()

    yield changed
    monkeypatch.undo()
    second.start_anew()


def read(patient: Patient) -> list[tuple[str, str]]:
    """Return every page that the patient saw and every letter that was sent, each with a name."""
    outbox.deliver_due()
    pages = [(url, response.content.decode()) for _method, url, response in patient.requests]
    letters = [(letter.subject, f"{letter.subject} {letter.body}") for letter in mail.outbox]
    return pages + letters


def says(texts: list[tuple[str, str]], wanted: str) -> list[str]:
    return [place for place, text in texts if wanted in text]


@pytest.mark.usefixtures("clinic_open")
@pytest.mark.parametrize(
    ("start", "words"),
    [
        ("/intake/", "We read your answers and aim for the visit within 4 weeks."),
        (
            "/es/intake/",
            "Leemos sus respuestas y procuramos que la visita sea dentro de 4 semanas.",
        ),
    ],
)
def test_soon_in_28_days_leaves_no_6_weeks_on_any_page_or_letter(
    serve: Callable[..., None], start: str, words: str
) -> None:
    serve("soon", contact_within=Within(days=28))
    language = "es" if "es" in start else "en"
    patient = Patient(**SOON, lang_help="spanish" if language == "es" else "english")
    for public in ("/", "/appointments/", "/privacy/", "/accessibility/"):
        patient.get(public if language == "en" else f"/es{public}")
    patient.whole_journey(start)
    row = Submission.objects.get()
    assert row.urgency == Urgency.SOON
    assert (row.target_at - row.submitted_at).days == 28
    own = inside(row)
    seen = read(patient) + read(own)
    if language == "es":
        seen.append(("/es/my/", own.get("/es/my/").html))

    assert [place for place, text in seen if SIX_WEEKS.search(text)] == []
    assert says(seen, words)


def test_education_pages_say_the_targets_of_the_protocol(serve: Callable[..., None]) -> None:
    call_command("load_pages", verbosity=0)
    before = educated()
    assert says(before, "within 2 weeks, others within 6 weeks")
    assert says(before, "en 2 semanas o menos, a otras en 6 semanas o menos")
    serve("soon", contact_within=Within(days=28))
    after = educated()
    assert [place for place, text in after if SIX_WEEKS.search(text)] == []
    assert says(after, "within 2 weeks, others within 4 weeks")
    assert says(after, "en 2 semanas o menos, a otras en 4 semanas o menos")


@pytest.mark.usefixtures("clinic_open")
def test_the_promise_of_a_call_says_the_target_of_its_level(serve: Callable[..., None]) -> None:
    serve("same_day", contact_within=Within(open_hours=1))
    patient = Patient(leg_new=("swelling_one",), clot_risk=("none",))
    patient.start()
    patient.walk_to("check")
    assert "We will call you within 1 clinic hour." in patient.page.text
    assert "2 clinic hours" not in patient.page.html


def test_an_urgent_patient_books_as_far_ahead_as_the_level_says(
    serve: Callable[..., None], settings: Any
) -> None:
    serve("urgent", seen_within=Within(days=10))
    settings.APPOINTMENT_MODE = "slots"
    page = inside(book.patient(urgency=Urgency.URGENT)).get("/my/times/")
    assert "the times of the next 10 days" in page.text
    assert "14 days" not in page.text


@pytest.mark.parametrize(
    ("within", "words"),
    [
        ({"open_hours": 1}, "1 clinic hour"),
        ({"open_hours": 2}, "2 clinic hours"),
        ({"business_days": 1}, "1 business day"),
        ({"business_days": 3}, "3 business days"),
        ({"days": 1}, "1 day"),
        ({"days": 10}, "10 days"),
        ({"days": 7}, "1 week"),
        ({"days": 84}, "12 weeks"),
    ],
)
def test_a_period_is_said_in_the_largest_unit_that_fits(within: dict[str, int], words: str) -> None:
    assert hours.period_words(**within) == words


def test_the_program_and_its_protocols_share_codes_and_ranks() -> None:
    assert {urgency.code: int(urgency) for urgency in Urgency} == RANKS


def test_what_a_protocol_names_fits_the_database() -> None:
    columns = (RuleCount, "rule", LONGEST_RULE), (ProtocolDocument, "version", LONGEST_VERSION)
    for model, name, longest in columns:
        assert model._meta.get_field(name).max_length == longest


def educated() -> list[tuple[str, str]]:
    """Return every education page, in every language, as a visitor gets the page."""
    patient = Patient()
    found = []
    for page in Page.objects.select_related("condition"):
        url = page.own_address
        found.append((url, patient.get(url).html))
    assert len(found) > 20
    return found
