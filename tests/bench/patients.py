"""The two visitors: a patient who fills in the whole intake, and a visitor of the plain floor."""

from collections.abc import Iterator
from itertools import count

from intake.domain import answers as domain
from intake.domain.route import route
from intake.protocols import current
from tests.bench.browser import Answer, Browser
from tests.builders import CONTACT_DETAILS, ORDINARY, WISH

Fields = list[tuple[str, str]]


def _pages() -> Iterator[tuple[str, Fields]]:
    """Yield the fields that the ordinary patient sends on each step, in order."""
    for page in route(current(), ORDINARY, si_screen=False):
        if page.id == "contact":
            continue
        given = [(q.id, domain.plain(ORDINARY[q.id])) for q in page.questions if q.id in ORDINARY]
        yield page.id, _flat(given)
    year, month, day = CONTACT_DETAILS["birth_date"].split("-")
    born = {"birth_date_month": month, "birth_date_day": day, "birth_date_year": year}
    kept = {k: v for k, v in CONTACT_DETAILS.items() if k not in ("birth_date", "consent", "ack")}
    yield "contact", _flat([*kept.items(), *born.items(), ("ack", "on"), ("consent", "on")])
    yield "appointment", _flat([(k, v) for k, v in WISH.items() if v and k != "place"])


def _flat(given: list[tuple[str, object]]) -> Fields:
    """Return one pair for each value. A list becomes several pairs of the same name."""
    return [
        (name, str(value))
        for name, values in given
        for value in (values if isinstance(values, list) else [values])
    ]


PAGES: list[tuple[str, Fields]] = list(_pages())
_visits = count()


def intake(browser: Browser) -> Iterator[Answer]:
    """Make every request of a patient's whole intake. Yields each answer."""
    told = ("email", CONTACT_DETAILS["email"])
    mine = {
        told: ("email", f"patient{next(_visits)}@example.org")
    }  # each patient has a mailbox of their own
    page = browser.get("/intake/")
    yield page
    sent = browser.post("/intake/", [("csrfmiddlewaretoken", page.token)])
    yield sent
    for step, fields in PAGES:
        path = f"/intake/legs/p/{step}/"
        assert sent.header("location") == path, (sent.status, sent.header("location"), path)
        page = browser.get(path)
        yield page
        go = [("csrfmiddlewaretoken", page.token), ("go", "continue")]
        sent = browser.post(path, [*map(mine.get, fields, fields), *go])
        yield sent
    assert sent.header("location") == "/intake/check/", (sent.status, sent.body)
    page = browser.get("/intake/check/")
    yield page
    sent = browser.post("/intake/check/", [("csrfmiddlewaretoken", page.token)])
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
    """Visit the plain floor: open its form, post the answers, open the page of thanks."""
    page = browser.get(path)
    yield page
    sent = browser.post(path, [("csrfmiddlewaretoken", page.token), *FLOOR])
    yield sent
    assert sent.header("location") == "/thanks/", (sent.status, sent.body)
    page = browser.get("/thanks/")
    assert page.status == 200
    yield page


def wide_form(browser: Browser) -> Iterator[Answer]:
    """Visit the floor's form with as many controls as the whole intake has."""
    return form(browser, "/wide/")
