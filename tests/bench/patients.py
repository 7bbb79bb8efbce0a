"""The two visitors: a patient who fills in the whole intake, and one who fills in the floor's form.

The floor is a plain Django site, to compare times with (`tests/bench/floor`).
"""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from django.utils import timezone

from intake.demonstration import people
from intake.domain import answers as domain
from intake.domain.definition import Protocol
from intake.domain.route import pages_in, route
from intake.protocols import served
from tests.bench.browser import Answer, Browser
from tests.builders import CONTACT_DETAILS, ORDINARY, WISH

Fields = list[tuple[str, str]]


def _answers(protocol: Protocol) -> tuple[Mapping[str, Any], str]:
    """Return the answers of an adult who walks the protocol without a stop, and the birth date.

    If the protocol has all questions that the answers ORDINARY answer, ORDINARY is returned. Else
    the answers of the first invented adult who is not a proxy are returned.
    """
    if all(any(q.id == id for q in protocol.questions) for id in ORDINARY):
        return ORDINARY, CONTACT_DETAILS["birth_date"]
    uses = protocol.uses
    for person in people.patients(protocol, seed=1, count=50, until=timezone.now()):
        said = person.content.answers
        if (
            person.kind == "intake"
            and said[uses.age] >= 18
            and not uses.is_proxy(said[uses.who.q])
            and not person.content.stops
        ):
            return said, person.content.contact["birth_date"]
    raise LookupError(f"no story of {protocol.name} is an adult's whole intake")


def pages_of(protocol: Protocol) -> Iterator[tuple[str, Fields]]:
    """Yield the fields that the patient of the protocol sends on each step, in order."""
    answers, birth_date = _answers(protocol)
    pages = route(protocol, answers, si_screen=False)
    for page in pages_in(protocol.uses, "intake", pages):
        given = [(q.id, domain.plain(answers[q.id])) for q in page.questions if q.id in answers]
        yield page.id, _flat(given)
    year, month, day = birth_date.split("-")
    born = {"birth_date_month": month, "birth_date_day": day, "birth_date_year": year}
    kept = {k: v for k, v in CONTACT_DETAILS.items() if k not in ("birth_date", "consent", "ack")}
    yield (
        "contact",
        _flat(
            [
                *kept.items(),
                *born.items(),
            ]
        ),
    )
    yield "appointment", _flat([(k, v) for k, v in WISH.items() if v and k != "place"])


def _flat(given: list[tuple[str, object]]) -> Fields:
    """Return one pair for each value. A list becomes several pairs of the same name."""
    return [
        (name, str(value))
        for name, values in given
        for value in (values if isinstance(values, list) else [values])
    ]


PAGES: dict[str, list[tuple[str, Fields]]] = {
    protocol.name: list(pages_of(protocol)) for protocol in served()
}
_visits = count()


def intake(browser: Browser, protocol: str = "") -> Iterator[Answer]:
    """Make every request of a patient's whole intake. Yields each answer.

    Patients take the served protocols in turn, unless one is named.
    """
    told = ("email", CONTACT_DETAILS["email"])
    visit = next(_visits)
    mine = {told: ("email", f"patient{visit}@example.org")}  # each patient has an own mailbox
    name = protocol or [*PAGES][visit % len(PAGES)]
    page = browser.get(f"/intake/{name}/")
    yield page
    sent = browser.post(f"/intake/{name}/", [("csrfmiddlewaretoken", page.token)])
    yield sent
    for step, fields in PAGES[name]:
        path = f"/intake/{name}/p/{step}/"
        assert sent.header("location") == path, (sent.status, sent.header("location"), path)
        page = browser.get(path)
        yield page
        go = [("csrfmiddlewaretoken", page.token), ("go", "continue")]
        sent = browser.post(path, [*map(mine.get, fields, fields), *go])
        yield sent
    assert sent.header("location") == "/intake/check/", (sent.status, sent.body)
    page = browser.get("/intake/check/")
    yield page
    agreed = [("csrfmiddlewaretoken", page.token), ("consent", "on")]
    sent = browser.post("/intake/check/", agreed)
    yield sent
    assert sent.header("location") == "/intake/sent/", sent.status
    page = browser.get("/intake/sent/")
    assert page.status == 200
    yield page


FLOOR: Fields = [
    *[(f"single_{n}", f"o{n % 4}") for n in range(12)],
    *[(f"number_{n}", str(n)) for n in range(12)],
    *[(f"text_{n}", f"some words about {n}") for n in range(12)],
    *[(f"several_{n}", f"o{n % 4}") for n in range(4)],
]


def form(browser: Browser, path: str = "/") -> Iterator[Answer]:
    """Fill in the form of the floor, a plain Django site, and open its page of thanks."""
    page = browser.get(path)
    yield page
    sent = browser.post(path, [("csrfmiddlewaretoken", page.token), *FLOOR])
    yield sent
    assert sent.header("location") == "/thanks/", (sent.status, sent.body)
    page = browser.get("/thanks/")
    assert page.status == 200
    yield page


def wide_form(browser: Browser) -> Iterator[Answer]:
    """Fill in the floor's form that has as many controls as the whole intake."""
    return form(browser, "/wide/")
